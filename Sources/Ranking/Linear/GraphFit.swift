/// The normalized item graph of GF-CF (Shen et al. 2021, "How Powerful is Graph Convolution for Recommendation?"):
/// W = R~'R~ with R~ = D_users^-1/2 R D_items^-1/2.
struct GraphFit: Sendable {
    var limit: Int
    var threads: Int
    /// Catalogs above this keep only the sums that occur, for most of a dense row would be zero.
    var denseItems = 60_000

    func fit(_ normalized: SparseRows, itemCount: Int, _ span: ProgressSpan) throws(FitError) -> NeighborLists {
        if itemCount > denseItems { return try fitSparsely(normalized, itemCount: itemCount, span) }
        // Turned twice, the rows go through memory in one direction.
        let byItem = normalized.transposed(columnCount: itemCount)
        let product = SparseProduct(turned: byItem, byItem.transposed(columnCount: normalized.rowCount), width: itemCount)
        return try WeightRows.build(
            width: itemCount, chunk: 1, limit: limit, itemCount: itemCount, items: nil, threads: threads, span, makeSpace: {}
        ) { range, _, out in
            for source in range { product.add(source, to: out + (source - range.lowerBound) * itemCount) }
        }
    }

    private func fitSparsely(
        _ normalized: SparseRows, itemCount: Int, _ span: ProgressSpan
    ) throws(FitError) -> NeighborLists {
        let byItem = normalized.transposed(columnCount: itemCount)
        let limit = limit
        return try NeighborLists.build(itemCount: itemCount, limit: limit, threads: threads, span) { item, accumulator in
            for entry in byItem.offsets[item]..<byItem.offsets[item + 1] {
                let user = Int(byItem.columns[entry])
                for position in normalized.offsets[user]..<normalized.offsets[user + 1] {
                    accumulator.add(normalized.columns[position], byItem.values[entry] * normalized.values[position])
                }
            }
            return accumulator.drain(limit: limit) { _, sum, _ in sum }
        }.byRow()
    }

    /// R~ of users' weighted items, and the items' degrees.
    static func normalize(_ rows: SparseRows, itemCount: Int) -> (rows: SparseRows, degrees: [Float]) {
        var degrees = [Float](repeating: 0, count: itemCount)
        for position in rows.columns.indices { degrees[Int(rows.columns[position])] += rows.values[position] }
        var result = rows
        for row in 0..<rows.rowCount {
            let range = rows.offsets[row]..<rows.offsets[row + 1]
            let total = range.reduce(Float(0)) { $0 + rows.values[$1] }
            for position in range {
                let degree = degrees[Int(rows.columns[position])]
                result.values[position] = total > 0 && degree > 0 ? rows.values[position] / (total * degree).squareRoot() : 0
            }
        }
        return (result, degrees)
    }
}
