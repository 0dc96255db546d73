/// The items that a dense item-by-item form takes in: those with the most users, as many as memory and time allow.
struct ItemCore: Sendable {
    /// Item rows, ascending.
    let items: [Int32]
    /// Per item: position in `items`, -1 outside.
    let places: [Int32]

    var count: Int { items.count }

    /// Items that fewer users met cannot be told from chance.
    static let minimumUsers: Float = 2

    init(users: [Float], limit: Int) {
        var admitted = (0..<Int32(users.count)).filter { users[Int($0)] >= Self.minimumUsers }
        if admitted.isEmpty { admitted = Array(0..<Int32(users.count)) }
        if admitted.count > limit {
            admitted.sort { (users[Int($1)], $0) < (users[Int($0)], $1) }
            admitted.removeLast(admitted.count - max(1, limit))
            admitted.sort()
        }
        items = admitted
        var places = [Int32](repeating: -1, count: users.count)
        for (place, item) in admitted.enumerated() { places[Int(item)] = Int32(place) }
        self.places = places
    }

    /// The rows with their columns as places; columns outside the core are dropped.
    func restricting(_ rows: SparseRows) -> SparseRows {
        var result = SparseRows()
        result.offsets.reserveCapacity(rows.offsets.count)
        for row in 0..<rows.rowCount {
            for position in rows.offsets[row]..<rows.offsets[row + 1] {
                let place = places[Int(rows.columns[position])]
                if place >= 0 {
                    result.columns.append(place)
                    result.values.append(rows.values[position])
                }
            }
            result.offsets.append(result.columns.count)
        }
        return result
    }
}
