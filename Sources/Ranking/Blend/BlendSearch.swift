import Foundation

/// Learns the weights of a blend on held-out users: greedy forward selection, then coordinate search.
struct BlendSearch {
    typealias Quality = (objective: Double, ndcg: Double)

    let columns: [(ingredient: Ingredient, rule: SourceRule)]
    let cases: [ValidationCase]
    var threads = 1
    /// Where progress stands while cases are judged; nil for few cases, judged without asking whether to go on.
    var span: ProgressSpan?

    /// A part must make the blend better by this share to be kept: every part costs time at each request.
    static let leastGain = 0.005
    private static let steps: [Float] = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5]

    /// The same for some of the cases.
    func among(_ places: [Int]) -> BlendSearch {
        BlendSearch(columns: columns, cases: places.map { cases[$0] }, threads: threads, span: span)
    }

    /// The mean over the cases, added up in their order whatever the number of threads.
    func quality(_ weights: [Float], coldWeights: [Float] = []) throws(FitError) -> Quality {
        let qualities = try qualities(weights, coldWeights)
        return Self.mean(qualities.count) { qualities[$0] }
    }

    private static func mean(_ count: Int, _ quality: (Int) -> Quality) -> Quality {
        var sum = (objective: 0.0, ndcg: 0.0)
        for index in 0..<count {
            let single = quality(index)
            sum.objective += single.objective
            sum.ndcg += single.ndcg
        }
        return (sum.objective / Double(count), sum.ndcg / Double(count))
    }

    /// Fewer cases are judged before threads have started.
    private static let fewCases = 512
    /// With more, each set of weights is work enough for all threads; with fewer, several sets are judged side by side.
    private static let manyCases = 10_000

    private func qualities(_ weights: [Float], _ coldWeights: [Float]) throws(FitError) -> [Quality] {
        let cases = cases
        try span?.poll()
        guard let span, cases.count > Self.fewCases else { return cases.map { $0.quality(weights, coldWeights: coldWeights) } }
        let results = Slots<Quality>(count: cases.count)
        try ParallelRows(threads: threads).run(count: cases.count, chunk: 32, span: span) {
            { range in
                for index in range { results.set(index, cases[index].quality(weights, coldWeights: coldWeights)) }
            }
        }
        return results.values
    }

    /// Is a change of weights better beyond chance? The mean gain per user must be `leastGain` of the whole and two standard errors,
    /// since several weights are tried.
    func gains(_ weights: [Float], over others: [Float]) throws(FitError) -> Bool {
        Self.gains(try qualities(weights, []).map(\.objective), over: try qualities(others, []).map(\.objective))
    }

    /// Of the cases one by one.
    func objectives(_ weights: [Float]) throws(FitError) -> [Double] { try qualities(weights, []).map(\.objective) }

    /// The same for qualities of users, one after another.
    ///
    /// - Parameter errors: standard errors that the gain must have.
    static func gains(_ qualities: [Double], over others: [Double], errors: Double = 2) -> Bool {
        let count = Double(max(1, qualities.count))
        let gains = zip(qualities, others).map { $0 - $1 }
        let mean = gains.reduce(0, +) / count
        let variance = gains.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(1, count - 1)
        return mean > max(leastGain * others.reduce(0, +) / count, errors * (variance / count).squareRoot())
    }

    /// Every column on its own.
    func alone() throws(FitError) -> [Quality] {
        let count = columns.count
        return try sideBySide(columns.indices.map { $0 }) { column, quality throws(FitError) in
            var weights = [Float](repeating: 0, count: count)
            weights[column] = 1
            return try quality(weights)
        }
    }

    /// What `judge` makes of each column, given a way to tell the quality of weights.
    private func sideBySide<Result: Sendable>(
        _ columns: [Int], _ judge: @Sendable @escaping (Int, ([Float]) throws(FitError) -> Quality) throws(FitError) -> Result
    ) throws(FitError) -> [Result] {
        guard let span, cases.count <= Self.manyCases, threads > 1 else {
            var results: [Result] = []
            for column in columns { results.append(try judge(column) { weights throws(FitError) in try quality(weights) }) }
            return results
        }
        let results = Slots<Result>(count: columns.count)
        let cases = cases
        try ParallelRows(threads: threads).run(count: columns.count, chunk: 1, span: span) {
            { range in
                for place in range {
                    // Nothing here throws. By index, for copies of the cases would be counted by all threads.
                    let result = try? judge(columns[place]) { weights in Self.mean(cases.count) { cases[$0].quality(weights) } }
                    if let result { results.set(place, result) }
                }
            }
        }
        return results.values
    }

    /// Of the ways to read a history, each ingredient keeps its best; ascending columns.
    func bestColumns(_ alone: [Quality]) -> [Int] {
        var best: [Ingredient: Int] = [:]
        for (index, column) in columns.enumerated()
        where best[column.ingredient].map({ alone[index].objective > alone[$0].objective }) ?? true {
            best[column.ingredient] = index
        }
        return best.values.sorted()
    }

    /// Weights over all columns, zero outside `usable`, which must not be empty, and for all but one column of an ingredient.
    func weights(_ usable: [Int], _ alone: [Quality], smooths: Bool) throws(FitError) -> [Float] {
        let first = usable.filter { !columns[$0].ingredient.corrects }.max { (alone[$0].objective, $1) < (alone[$1].objective, $0) } ?? 0
        var start = [Float](repeating: 0, count: columns.count)
        start[first] = 1
        var (weights, reached) = try grown(start, usable)
        if let start = correctedStart(usable), try quality(start).objective >= 0.6 * alone[first].objective {
            let other = try grown(start, usable)
            if other.objective > reached * (1 + Self.leastGain) { (weights, reached) = other }
        }
        if smooths { try smooth(&weights, usable, alone, reached) }
        return weights
    }

    /// One ingredient after another joins a blend, then their weights are refined.
    private func grown(_ start: [Float], _ usable: [Int]) throws(FitError) -> (weights: [Float], objective: Double) {
        var weights = start
        var reached = try quality(start).objective
        let adding = usable.filter { !columns[$0].ingredient.corrects }
        while let better = try extended(weights, adding, reached) { (weights, reached) = better }
        for _ in 0..<2 {
            try exchange(&weights, usable, &reached)
            try refine(&weights, &reached)
        }
        return (weights, reached)
    }

    /// What corrects others helps only beside them, so no single step from a blend without it shows its worth: the item graph with
    /// half its spectrum (GF-CF's proportions) and their sharpening; nil where one is missing.
    private func correctedStart(_ usable: [Int]) -> [Float]? {
        var start = [Float](repeating: 0, count: columns.count)
        for (ingredient, weight) in [(Ingredient.graph, Float(1)), (.spectrum, 0.5), (.sharpening, 0.5)] {
            guard let column = usable.first(where: { columns[$0].ingredient == ingredient }) else { return nil }
            start[column] = weight
        }
        return start
    }

    /// The best way to give one more ingredient a weight; nil when none is worth it. What reads a history best on its own need not
    /// add most to others, so all ways are tried.
    private func extended(_ weights: [Float], _ usable: [Int], _ reached: Double) throws(FitError) -> (
        weights: [Float], objective: Double
    )? {
        var best: (weights: [Float], objective: Double)?
        var least = reached * (1 + Self.leastGain)
        let taken = Set(columns.indices.filter { weights[$0] > 0 }.map { columns[$0].ingredient })
        let others = usable.filter { !taken.contains(columns[$0].ingredient) }
        let steps = try sideBySide(others) { column, quality throws(FitError) in try Self.step(of: column, beside: weights, quality) }
        for found in steps where found.objective > least { (best, least) = (found, found.objective) }
        return best
    }

    /// The best step for a column, whose worth rises and then falls: every third first, then what lies beside the best of these.
    private static func step(
        of column: Int, beside weights: [Float], _ quality: ([Float]) throws(FitError) -> Quality
    ) throws(FitError) -> (weights: [Float], objective: Double) {
        var best = (weights: weights, objective: -Double.infinity)
        var reached = 0
        func attempt(_ place: Int) throws(FitError) {
            var tried = weights
            tried[column] = steps[place]
            let objective = try quality(tried).objective
            if objective > best.objective { (best, reached) = ((tried, objective), place) }
        }
        for place in stride(from: 0, to: steps.count, by: 3) { try attempt(place) }
        let middle = reached
        for place in [middle - 1, middle + 1] where steps.indices.contains(place) { try attempt(place) }
        return best
    }

    /// Lets another way to read a history take an ingredient's place, where that is better.
    private func exchange(_ weights: inout [Float], _ usable: [Int], _ reached: inout Double) throws(FitError) {
        for column in columns.indices where weights[column] > 0 {
            let weight = weights[column]
            var held = column
            for other in usable where other != column && columns[other].ingredient == columns[column].ingredient {
                for factor: Float in [0.6, 1, 1.6] {
                    var tried = weights
                    tried[held] = 0
                    tried[other] = weight * factor
                    let objective = try quality(tried).objective
                    if objective > reached { (weights, reached, held) = (tried, objective, other) }
                }
            }
        }
    }

    private func refine(_ weights: inout [Float], _ reached: inout Double) throws(FitError) {
        for column in columns.indices where weights[column] > 0 {
            for factor: Float in [0.6, 0.8, 1.25, 1.6] {
                var tried = weights
                tried[column] *= factor
                let objective = try quality(tried).objective
                if objective > reached { (weights, reached) = (tried, objective) }
            }
        }
    }

    /// Without a clock the held-out events are drawn from among the others, which flatters parts that remember single
    /// pairs over parts that generalize; what comes next differs more. So the learned weights go towards equal weights of
    /// all good parts, half way at most, and no further than costs 3 % here.
    private func smooth(_ weights: inout [Float], _ usable: [Int], _ alone: [Quality], _ reached: Double) throws(FitError) {
        let taken = usable.filter { weights[$0] > 0 }
        let others = bestColumns(alone).filter { column in
            usable.contains(column) && !taken.contains { columns[$0].ingredient == columns[column].ingredient }
        }
        let usable = taken + others
        let best = usable.map { alone[$0].objective }.max() ?? 0
        let good = usable.filter { alone[$0].objective >= 0.6 * best }
        let correcting = usable.filter { columns[$0].ingredient.corrects }
        let corrected = usable.filter { [.graph, .spectrum].contains(columns[$0].ingredient) }
        let total = weights.reduce(0, +) - correcting.reduce(0) { $0 + weights[$1] }
        guard total > 0, good.count > 1 else { return }
        for way: Float in [0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1] {
            var smoothed = weights.map { $0 / total * (1 - way) }
            for column in good { smoothed[column] += way / Float(good.count) }
            // What corrects the item graph and its spectrum keeps its proportion to them.
            let ratio = corrected.reduce(0) { $0 + smoothed[$1] } / max(corrected.reduce(0) { $0 + weights[$1] }, .leastNormalMagnitude)
            for column in correcting { smoothed[column] = weights[column] * ratio }
            if try quality(smoothed).objective >= reached * 0.97 {
                weights = smoothed
                return
            }
        }
    }
}
