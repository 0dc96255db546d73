import Kernels

/// score(j) = sum over history items i of weight(i) W(i, j), W in compressed rows.
struct LinearPart: BlendPart {
    let itemCount: Int
    let weights: MappedLists
    let rule: SourceRule
    let usesHistory = true
    let isSparse = true

    func begin(_ history: WeightedHistory, _ space: inout PartSpace) -> Float? {
        guard let rows = weights.rows.base, let values = weights.strengths.base else { return nil }
        var additions = 0
        rule.forEach(history) { index, _ in additions += weights.range(of: Int(history.rows[index])).count }
        space.sums.start(itemCount: itemCount, additions: additions)
        rule.forEach(history) { index, weight in
            let range = weights.range(of: Int(history.rows[index]))
            // Lists lie all over the memory: the next one is fetched meanwhile.
            if index + 1 < history.count {
                let next = weights.range(of: Int(history.rows[index + 1]))
                kernels_prefetch(rows + next.lowerBound, min(4 * next.count, Self.prefetchedBytes))
                kernels_prefetch(values + next.lowerBound, min(4 * next.count, Self.prefetchedBytes))
            }
            space.sums.add(rows + range.lowerBound, values + range.lowerBound, count: range.count, weight: weight)
        }
        space.sums.settle()
        let scale = (space.sums.sumOfSquares / Float(max(1, itemCount))).squareRoot()
        return scale > 0 && scale.isFinite ? scale : nil
    }

    private static let prefetchedBytes = 1024

    func addAll(_ weight: Float, _ space: inout PartSpace, allowed: [UInt64]?, to totals: inout [Float]) {
        space.sums.add(weight, to: &totals)
    }

    func addExactly(_ weight: Float, _ space: inout PartSpace, rows: [Int32], to scores: inout [Float]) {
        for (index, row) in rows.enumerated() { scores[index] += weight * space.sums.totals[Int(row)] }
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
