/// How well yesterday's trends foretell today's: the contract's trend prediction accuracy.
enum TrendAccuracy {
    private static let depth = 25
    /// Newest intervals that are foretold, each from what came before it.
    private static let rounds = 8

    /// Users gained by the recommended items from one interval to the next, divided by those gained by the 25 items that gained the most;
    /// pooled over the rounds. 0 when the recommended ones lost, nil when no item gained anything.
    static func measure(_ matrix: InteractionMatrix, window: Int64, _ span: ProgressSpan) throws(FitError) -> Double? {
        guard let end = matrix.timestamps.max() else { return nil }
        var gained = 0.0
        var possible = 0.0
        for round in 0..<Int64(rounds) {
            try span.reporter.poll(span.share(Double(round) / Double(rounds)))
            let (known, isOverflown) = end.subtractingReportingOverflow((round + 1) * window)
            if isOverflown { break }
            let before = TrendCounts(matrix, end: known, window: window)
            guard before.newestTotal > 0, before.baselineTotal > 0 else { continue }
            let gains = TrendCounts(matrix, end: known + window, window: window).steps
            gained += before.ranked().prefix(depth).reduce(0) { $0 + (gains[$1.item] ?? 0) }
            possible += gains.values.sorted(by: >).prefix(depth).reduce(0) { $0 + max(0, $1) }
        }
        return possible > 0 ? min(1, max(0, gained / possible)) : nil
    }
}
