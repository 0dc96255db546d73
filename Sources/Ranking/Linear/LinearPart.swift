import Kernels

/// score(j) = sum over history items i of weight(i) W(i, j), W in compressed rows.
struct LinearPart: BlendPart {
    let itemCount: Int
    let weights: MappedLists
    let rule: SourceRule
    let path = kernels_best_path()
    let usesHistory = true

    func begin(_ history: WeightedHistory, _ space: inout PartSpace) -> Float? {
        if space.dense.count != itemCount {
            space.dense = [Float](repeating: 0, count: itemCount)
        } else {
            space.dense.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        }
        guard let rows = weights.rows.base, let values = weights.strengths.base else { return nil }
        space.dense.withUnsafeMutableBufferPointer { dense in
            rule.forEach(history) { index, weight in
                let range = weights.range(of: Int(history.rows[index]))
                kernels_add_row(
                    rows + range.lowerBound, values + range.lowerBound, range.count, weight, dense.baseAddress, itemCount)
            }
        }
        let scale = (kernels_sum_squares(path, space.dense, itemCount) / Float(max(1, itemCount))).squareRoot()
        return scale > 0 && scale.isFinite ? scale : nil
    }

    func addAll(_ weight: Float, _ space: inout PartSpace, allowed: [UInt64]?, to totals: inout [Float]) {
        kernels_add_scaled(path, space.dense, itemCount, weight, &totals)
    }

    func addExactly(_ weight: Float, _ space: inout PartSpace, rows: [Int32], to scores: inout [Float]) {
        for (index, row) in rows.enumerated() { scores[index] += weight * space.dense[Int(row)] }
    }

    func addParts(
        _ weight: Float, of row: Int32, _ history: WeightedHistory, _ space: inout PartSpace, to parts: inout [Float]
    ) {
        rule.forEach(history) { index, source in
            for position in weights.range(of: Int(history.rows[index])) where weights.rows.at(position) == row {
                parts[index] += weight * source * (weights.strengths.at(position) ?? 0)
            }
        }
    }
}
