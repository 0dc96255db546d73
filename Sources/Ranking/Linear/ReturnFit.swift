/// How likely people come back to an item: the share of its events that are returns, drawn towards the share of all items
/// by a few events. As weights of every item on itself, so that a history's items are scored by how often and how lately
/// they were met.
struct ReturnFit: Sendable {
    /// Events that an item must have for its own share to count half.
    var prior: Float = 10

    func fit(_ matrix: InteractionMatrix) -> NeighborLists {
        let returns = matrix.returns()
        var events = [Float](repeating: 0, count: matrix.itemCount)
        var returned = events
        for (position, item) in matrix.items.enumerated() {
            events[Int(item)] += 1
            if returns[position] { returned[Int(item)] += 1 }
        }
        let mean = returned.reduce(0, +) / max(1, events.reduce(0, +))
        return NeighborLists(
            offsets: (0...UInt32(matrix.itemCount)).map { $0 }, rows: (0..<Int32(matrix.itemCount)).map { $0 },
            strengths: zip(returned, events).map { ($0 + prior * mean) / ($1 + prior) })
    }
}
