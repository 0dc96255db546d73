/// Items without events, and the parts of a blend that score them.
struct ColdRows: Sendable {
    /// As `RankingRequest.allowed`.
    var rows: [UInt64]
    var parts: [Bool]

    func contains(_ row: Int32) -> Bool { rows[Int(row) / 64] >> UInt64(row % 64) & 1 == 1 }
}

/// Asks every part about one held-out user at a time; one per thread.
struct ValidationAsking {
    var history = WeightedHistory()
    private var spaces: [PartSpace]
    private var pool = CandidatePool()
    private var totals: [Float]
    private var best = BestRows()
    private let itemCount: Int
    private var situation: [Float] = []

    init(itemCount: Int, partCount: Int) {
        self.itemCount = itemCount
        spaces = [PartSpace](repeating: PartSpace(), count: partCount)
        totals = [Float](repeating: 0, count: itemCount)
    }

    mutating func ask(_ parts: [any BlendPart], truth: Set<Int32>, leavesHistoryOut: Bool, cold: ColdRows? = nil) -> ValidationCase {
        pool.clear(itemCount: itemCount)
        for (index, part) in parts.enumerated() {
            spaces[index].factor = 0
            guard let scale = part.begin(history, &spaces[index]) else { continue }
            spaces[index].factor = 1 / scale
            addBest(part, index, leavesHistoryOut, cold: cold.flatMap { $0.parts[index] ? $0.rows : nil })
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
            scores: scores, cold: cold.map { cold in pool.rows.indices.filter { cold.contains(pool.rows[$0]) } } ?? [])
    }

    /// As `ask`, with the columns of attributes and context.
    mutating func ask(
        _ parts: [any BlendPart], _ user: ValidationSplit.User, leavesHistoryOut: Bool, cold: ColdRows?, _ effects: SituationSelection?
    ) -> ValidationCase {
        var single = ask(parts, truth: user.truth, leavesHistoryOut: leavesHistoryOut, cold: cold)
        if !user.gains.isEmpty {
            for place in single.relevant { single.gains[place] = user.gains[pool.rows[place]] ?? 1 }
            single.idealGains = user.truth.map { user.gains[$0] ?? 1 }.sorted(by: >)
        }
        guard let effects else { return single }
        single.scores += effects.columns(user, rows: pool.rows, &situation)
        single.relevantInContext = single.relevant.filter { user.truthInContext.contains(pool.rows[$0]) }
        return single
    }

    /// Ranks the given rows among themselves: those that any part would show.
    mutating func ask(_ parts: [any BlendPart], among rows: [Int32], truth: Set<Int32>) -> ValidationCase {
        pool.clear(itemCount: itemCount)
        var columns: [[Float]] = []
        for (index, part) in parts.enumerated() {
            var column = [Float](repeating: 0, count: rows.count)
            if let scale = part.begin(history, &spaces[index]) {
                part.addExactly(1 / scale, &spaces[index], rows: rows, to: &column)
                let found = best.pick(min(rows.count, ValidationCase.depth), of: column, count: rows.count, isOrdered: false)
                for place in best.rows[..<found] { pool.add(place) }
            }
            columns.append(column)
        }
        let places = pool.rows
        return ValidationCase(
            rowCount: places.count, relevant: places.indices.filter { truth.contains(rows[Int(places[$0])]) }, truthCount: truth.count,
            scores: columns.flatMap { column in places.map { column[Int($0)] } })
    }

    private mutating func addBest(_ part: any BlendPart, _ place: Int, _ leavesHistoryOut: Bool, cold: [UInt64]?) {
        totals.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        part.addAll(spaces[place].factor, &spaces[place], allowed: nil, to: &totals)
        if leavesHistoryOut { for row in history.rows { totals[Int(row)] = -.infinity } }
        let found = best.pick(min(itemCount, ValidationCase.depth), of: totals, count: itemCount, isOrdered: false)
        for index in 0..<found { pool.add(best.rows[index]) }
        if let cold {
            let found = best.pick(min(itemCount, ValidationCase.depth), of: totals, count: itemCount, allowed: cold, isOrdered: false)
            for index in 0..<found { pool.add(best.rows[index]) }
        }
    }
}
