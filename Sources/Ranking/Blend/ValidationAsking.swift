/// Asks every part about one held-out user at a time; one per thread.
struct ValidationAsking {
    var history = WeightedHistory()
    private var spaces: [PartSpace]
    private var pool = CandidatePool()
    private var totals: [Float]
    private var best = BestRows()
    private let itemCount: Int

    init(itemCount: Int, partCount: Int) {
        self.itemCount = itemCount
        spaces = [PartSpace](repeating: PartSpace(), count: partCount)
        totals = [Float](repeating: 0, count: itemCount)
    }

    mutating func ask(_ parts: [any BlendPart], truth: Set<Int32>, leavesHistoryOut: Bool) -> ValidationCase {
        pool.clear(itemCount: itemCount)
        for (index, part) in parts.enumerated() {
            spaces[index].factor = 0
            guard let scale = part.begin(history, &spaces[index]) else { continue }
            spaces[index].factor = 1 / scale
            addBest(part, index, leavesHistoryOut)
        }
        var scores: [Float] = []
        scores.reserveCapacity(pool.count * parts.count)
        for (index, part) in parts.enumerated() {
            var column = [Float](repeating: 0, count: pool.count)
            if spaces[index].factor > 0 {
                part.addExactly(spaces[index].factor, &spaces[index], rows: pool.rows, to: &column)
            }
            scores += column
        }
        return ValidationCase(
            rowCount: pool.count, relevant: pool.rows.indices.filter { truth.contains(pool.rows[$0]) }, truthCount: truth.count,
            scores: scores)
    }

    private mutating func addBest(_ part: any BlendPart, _ place: Int, _ leavesHistoryOut: Bool) {
        totals.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        part.addAll(spaces[place].factor, &spaces[place], allowed: nil, to: &totals)
        if leavesHistoryOut { for row in history.rows { totals[Int(row)] = -.infinity } }
        let found = best.pick(min(itemCount, ValidationCase.depth), of: totals, count: itemCount, isOrdered: false)
        for index in 0..<found { pool.add(best.rows[index]) }
    }
}
