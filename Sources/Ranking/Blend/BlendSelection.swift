import Foundation
import Kernels

/// Chooses a blend: fits what the plan allows on a split of the data, and learns the weights on the rest.
struct BlendSelection {
    private let matrix: InteractionMatrix
    private let configuration: FitConfiguration
    private let plan: BlendPlan

    init(_ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ plan: BlendPlan) {
        self.matrix = matrix
        self.configuration = configuration
        self.plan = plan
    }

    /// With fewer held-out users nothing can be told apart.
    static let minimumUsers = 20
    /// A part must make the blend better by this share to be kept: every part costs time at each request.
    static let leastGain = 0.005
    private static let steps: [Float] = [0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5]

    func choose(_ span: ProgressSpan, log: inout [String]) throws(FitError) -> BlendChoice {
        let demotes = matrix.repeatShare() < 0.02
        let split = ValidationSplit(matrix, seed: configuration.seed, hasClock: plan.hasClock, demotesHistory: demotes)
        guard split.users.count >= Self.minimumUsers else {
            log.append("Too few users with two or more items to compare models on: a fixed blend is used.")
            return fallback
        }
        let fitting = IngredientFit(split.training, configuration, plan)
        let properties = [
            "unobserved_weight": "\(plan.als.unobservedWeight)", "regularization": "\(plan.als.regularization)",
            "regularization_exponent": "\(plan.als.regularizationExponent)",
        ]
        var opened: [OpenedPart] = []
        for (index, ingredient) in plan.ingredients.enumerated() {
            let part = span.part(
                0.9 * Double(index) / Double(plan.ingredients.count), 0.9 * Double(index + 1) / Double(plan.ingredients.count))
            let start = ContinuousClock.now
            if let fitted = try fitting.fit(ingredient, prefix: "part", part) {
                opened.append(try fitted.opened(prefix: "part", itemCount: matrix.itemCount, properties: properties))
                log.append("Tried \(ingredient.title) in \(decimals(seconds(since: start), 2)) s.")
            } else {
                log.append("Tried \(ingredient.title): the data does not carry it.")
            }
        }
        try span.reporter.step(span.share(0.9), "Comparing models on \(split.users.count) held-out users")
        let columns = opened.flatMap { part in zip(part.rules, part.parts).map { (part.ingredient, $0, $1) } }
        let cases = try cases(split, columns.map(\.2), demotes, span.part(0.9, 0.97))
        withExtendedLifetime(opened) {}
        try span.reporter.step(span.share(0.97), "Learning the blend's weights")
        return search(columns.map { ($0.0, $0.1) }, cases, &log)
    }

    private func cases(
        _ split: ValidationSplit, _ parts: [any BlendPart], _ demotes: Bool, _ span: ProgressSpan
    ) throws(FitError) -> [ValidationCase] {
        let users = split.users
        let results = Slots<ValidationCase>(count: users.count)
        let weighting = HistoryWeights(split.training, configuration)
        let training = split.training
        try ParallelRows(threads: configuration.threads).run(count: users.count, chunk: 8, span: span) {
            var asking = ValidationAsking(itemCount: training.itemCount, partCount: parts.count)
            return { range in
                for index in range {
                    training.collectHistory(users[index].row, weighting, into: &asking.history)
                    results.set(index, asking.ask(parts, truth: users[index].truth, leavesHistoryOut: demotes))
                }
            }
        }
        return results.values
    }

    private func search(
        _ columns: [(ingredient: Ingredient, rule: SourceRule)], _ cases: [ValidationCase], _ log: inout [String]
    ) -> BlendChoice {
        func quality(_ weights: [Float]) -> (objective: Double, ndcg: Double) {
            var sum = (0.0, 0.0)
            for single in cases {
                let (objective, ndcg) = single.quality(weights)
                sum.0 += objective
                sum.1 += ndcg
            }
            return (sum.0 / Double(cases.count), sum.1 / Double(cases.count))
        }
        // Of the ways to read a history, each ingredient keeps its best.
        var best: [Ingredient: (column: Int, objective: Double)] = [:]
        var properties: [String: String] = [:]
        for (index, column) in columns.enumerated() {
            var weights = [Float](repeating: 0, count: columns.count)
            weights[index] = 1
            let (objective, ndcg) = quality(weights)
            log.append("Alone, \(column.ingredient.title) (\(column.rule.text)): validation NDCG@10 \(decimals(ndcg, 4)).")
            if objective > best[column.ingredient]?.objective ?? -1 {
                best[column.ingredient] = (index, objective)
                properties["tried.\(column.ingredient.rawValue)"] = decimals(ndcg, 4)
            }
        }
        let usable = best.values.map(\.column).sorted()
        guard let first = best.values.min(by: { ($1.objective, $0.column) < ($0.objective, $1.column) })?.column else { return fallback }
        var weights = [Float](repeating: 0, count: columns.count)
        weights[first] = 1
        var reached = quality(weights).objective
        while true {
            var improved = (weights: weights, objective: reached * (1 + Self.leastGain))
            for column in usable where weights[column] == 0 {
                for step in Self.steps {
                    var tried = weights
                    tried[column] = step
                    let objective = quality(tried).objective
                    if objective > improved.objective { improved = (tried, objective) }
                }
            }
            if improved.weights == weights { break }
            weights = improved.weights
            reached = improved.objective
        }
        for _ in 0..<2 {
            for column in usable where weights[column] > 0 {
                for factor: Float in [0.6, 0.8, 1.25, 1.6] {
                    var tried = weights
                    tried[column] *= factor
                    let objective = quality(tried).objective
                    if objective > reached { (weights, reached) = (tried, objective) }
                }
            }
        }
        if !plan.hasClock { widen(&weights, usable, best.values.map { ($0.column, $0.objective) }, reached, quality) }
        let entries = usable.filter { weights[$0] > 0 }.map {
            BlendChoice.Entry(ingredient: columns[$0].ingredient, rule: columns[$0].rule, weight: weights[$0])
        }
        let ndcg = quality(weights).ndcg
        properties["blend.validation_ndcg_at_10"] = decimals(ndcg, 4)
        properties["blend.validation_users"] = "\(cases.count)"
        let names = entries.map { "\($0.ingredient.title) x \(decimals(Double($0.weight), 2))" }.joined(separator: " + ")
        log.append(
            "Chosen: \(names), validation NDCG@10 \(decimals(ndcg, 4)); no further part adds \(decimals(Self.leastGain * 100, 1)) %.")
        return BlendChoice(entries: entries, properties: properties)
    }

    /// Without a clock the held-out events are drawn from among the others, which flatters parts that remember single
    /// pairs over parts that generalize; what comes next differs more. So the learned weights meet equal weights of all
    /// good parts half way, as long as that costs no more than 5 % here.
    private func widen(
        _ weights: inout [Float], _ usable: [Int], _ alone: [(column: Int, objective: Double)], _ reached: Double,
        _ quality: ([Float]) -> (objective: Double, ndcg: Double)
    ) {
        let best = alone.map(\.objective).max() ?? 0
        let good = alone.filter { $0.objective >= 0.6 * best }.map(\.column)
        let total = weights.reduce(0, +)
        guard total > 0, good.count > 1 else { return }
        var widened = weights.map { $0 / total / 2 }
        for column in good { widened[column] += 0.5 / Float(good.count) }
        if quality(widened).objective >= reached * 0.95 { weights = widened }
    }

    /// What is sensible when nothing can be measured.
    private var fallback: BlendChoice {
        var entries = [BlendChoice.Entry(ingredient: .factors, rule: SourceRule(kind: .recent), weight: 1)]
        if plan.ingredients.contains(.nextItem) {
            entries.insert(BlendChoice.Entry(ingredient: .nextItem, rule: NextItemFit(limit: 0, threads: 1).rule, weight: 1), at: 0)
        }
        return BlendChoice(entries: entries)
    }
}

func decimals(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

func seconds(since start: ContinuousClock.Instant) -> Double {
    let duration = ContinuousClock.now - start
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
}
