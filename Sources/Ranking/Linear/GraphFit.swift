/// The normalized item graph of GF-CF (Shen et al. 2021, "How Powerful is Graph Convolution for Recommendation?"):
/// W = R~'R~ with R~ = D_users^-1/2 R D_items^-1/2.
struct GraphFit: Sendable {
    var limit: Int
    var threads: Int

    func fit(_ normalized: SparseRows, itemCount: Int, _ span: ProgressSpan) throws(FitError) -> NeighborLists {
        let product = SparseProduct(normalized, leftWidth: itemCount, normalized, rightWidth: itemCount)
        return try WeightRows.build(
            width: itemCount, chunk: 1, limit: limit, itemCount: itemCount, items: nil, threads: threads, span, makeSpace: {}
        ) { range, _, out in
            for source in range { product.add(source, to: out + (source - range.lowerBound) * itemCount) }
        }
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
