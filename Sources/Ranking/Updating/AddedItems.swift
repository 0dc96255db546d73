/// Items that an update brought into a model, in rows behind the learned ones, whose weights stay as they were.
///
/// An added item is scored as a mixture of the learned items that it is most like: score(j) = sum over proxies i of w(j, i) score(i),
/// with the weights of an item adding up to 1 at most. So every family serves it, and explains it, without knowing of it.
struct AddedItems: Sendable {
    /// Ascending.
    let ids: MappedArray<Int32>
    /// Learned rows by place among `ids`.
    private let proxies: MappedLists
    /// Learned rows; the first added item has this row.
    let learned: Int

    /// Nil for a model without any.
    init?(opening file: ModelFile, learned: Int) throws(ModelError) {
        guard file.section("added.ids") != nil else { return nil }
        ids = try file.array("added.ids", .int32)
        proxies = try file.lists("added", itemCount: ids.count)
        self.learned = learned
    }

    func row(of id: Int32) -> Int? { firstRow(of: id, in: ids.buffer).map { $0 + learned } }

    /// What the item of a row is mixed of.
    func mixture(of row: Int32) -> [(row: Int32, weight: Float)] {
        proxies.range(of: Int(row) - learned).compactMap { position in
            guard let proxy = proxies.rows.at(position), let weight = proxies.strengths.at(position), proxy >= 0, Int(proxy) < learned,
                weight.isFinite
            else { return nil }
            return (proxy, weight)
        }
    }
}
