/// EASE (Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data"): W = I - P diag(1 / P_jj) with
/// P = (X'X + ridge I)^-1, over the core items.
struct EaseFit: Sendable {
    var ridge: Float
    /// Weights that the mean source keeps; nil for as many as the model file has room for.
    var limit: Int?
    var threads: Int

    /// What the most popular items say of each other is fitted densely and kept whole beside a sparse form: over a long history many
    /// small weights add up, and without them NDCG is a tenth lower and more.
    static let headItems = 1000

    /// Of so many items, how many weights the mean one keeps: a million in all at least.
    static func limit(items: Int) -> Int { max(WeightRows.limit(itemCount: items), headItems * headItems / max(1, items)) }

    /// `rows` are users' weighted items, in item rows. Nil when the matrix cannot be inverted.
    func fit(_ rows: SparseRows, _ core: ItemCore, _ span: ProgressSpan) throws(FitError) -> NeighborLists? {
        let n = core.count
        let inner = core.restricting(rows)
        let gram = try SparseProduct(inner, leftWidth: n, inner, rightWidth: n).dense(rows: n, threads: threads, span.part(0, 0.2))
        for index in 0..<n { gram.base[index * n + index] += ridge }
        guard try SymmetricInverse(matrix: gram, size: n, threads: threads).invert(span.part(0.2, 0.9)) else { return nil }
        return try WeightRows.build(
            width: n, chunk: 16, limit: limit ?? Self.limit(items: n), isShared: true, itemCount: core.places.count, items: core.items,
            threads: threads, span.part(0.9, 1), makeSpace: {}
        ) { range, _, out in
            for source in range {
                let row = out + (source - range.lowerBound) * n
                for column in 0..<n where column != source {
                    row[column] = -gram.base[source * n + column] / gram.base[column * n + column]
                }
            }
        }
    }

    /// The same target by target on at most `neighbors` sources each. Nil when the products take more than `budgetBytes`.
    func fitSparsely(
        _ rows: SparseRows, _ core: ItemCore, neighbors: Int, budgetBytes: Int, _ span: ProgressSpan
    ) throws(FitError) -> NeighborLists? {
        let inner = core.restricting(rows)
        var gram = HalfGram(inner, width: core.count)
        guard try gram.multiply(threads: threads, budgetBytes: budgetBytes, span.part(0, 0.2)) else { return nil }
        return try SparseRidge(ridge: ridge, neighbors: neighbors, threads: threads).fit(
            gram, targets: inner, excludesSelf: true, scales: [Float](repeating: 1, count: core.count), items: core.items,
            itemCount: core.places.count, span.part(0.2, 1))
    }
}

extension NeighborLists {
    /// Others' weights towards the items of a core in place of these.
    func replacing(targets core: ItemCore, with others: NeighborLists) -> NeighborLists {
        var result = NeighborLists()
        result.offsets.reserveCapacity(offsets.count)
        var weights: [(row: Int32, strength: Float)] = []
        for source in 0..<offsets.count - 1 {
            weights.removeAll(keepingCapacity: true)
            for entry in Int(offsets[source])..<Int(offsets[source + 1]) where core.places[Int(rows[entry])] < 0 {
                weights.append((rows[entry], strengths[entry]))
            }
            for entry in Int(others.offsets[source])..<Int(others.offsets[source + 1]) {
                weights.append((others.rows[entry], others.strengths[entry]))
            }
            weights.sort { $0.row < $1.row }
            result.rows += weights.lazy.map(\.row)
            result.strengths += weights.lazy.map(\.strength)
            result.offsets.append(UInt32(result.rows.count))
        }
        return result
    }
}
