/// The item graph as it goes on for items that nobody met: what goes for the items most like them.
///
/// With R~ the normalized users x items of the graph and t_jk the likeness of item j to the met items k most like it, j stands among
/// users at u_j = sum of t_jk R~_k and has the weights u_j' R~ / |u_j|. That is a neighborhood's estimate of the attributes that
/// Gantner et al. 2010 ("Learning attribute-to-feature mappings for cold-start recommendations") foretell, here of whole rows.
struct LikenessGraph: Sendable {
    /// R~, users x items.
    let normalized: SparseRows
    /// Sources that an item keeps.
    let limit: Int
    let threads: Int

    /// Met items that an item is foretold from.
    static let neighbors = 30
    /// Of the users who met any of these, so many count for an item, those nearest to it; fewer where all items together would take
    /// more than so many additions.
    private static let users = 500
    private static let workLimit = 1e9

    /// By target.
    /// - Parameter alike: by target, the met items most like it.
    func fit(_ wanted: [Int32], _ alike: NeighborLists, _ span: ProgressSpan) throws(FitError) -> NeighborLists {
        let itemCount = alike.offsets.count - 1
        let (normalized, limit) = (normalized, limit)
        let byItem = normalized.transposed(columnCount: itemCount)
        let length = Double(normalized.columns.count) / Double(max(1, normalized.rowCount))
        let affordable = Int(Self.workLimit / Double(max(1, wanted.count)) / max(1, length))
        let users = min(normalized.rowCount, max(50, min(Self.users, affordable)))
        return try NeighborLists.build(
            itemCount: itemCount, of: wanted, width: normalized.rowCount, limit: limit, threads: threads, span
        ) { item, accumulator in
            for position in Int(alike.offsets[item])..<Int(alike.offsets[item + 1]) {
                let strength = alike.strengths[position]
                byItem.forEach(in: Int(alike.rows[position])) { accumulator.add(Int32($0), strength * $1) }
            }
            let near = accumulator.drain(limit: users) { _, sum, _ in sum }
            let length = near.reduce(Float(0)) { $0 + $1.strength * $1.strength }.squareRoot()
            for user in near {
                normalized.forEach(in: Int(user.row)) { accumulator.add(Int32($0), user.strength / length * $1) }
            }
            return accumulator.drain(limit: limit) { _, sum, _ in sum }
        }
    }
}
