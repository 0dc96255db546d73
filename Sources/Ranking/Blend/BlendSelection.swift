import Foundation
import Kernels

/// Chooses a blend: fits what the plan allows on a split of the data, and learns the weights on the rest.
struct BlendSelection {
    private let matrix: InteractionMatrix
    private let configuration: FitConfiguration
    private let plan: BlendPlan
    /// What can be fitted on all the data.
    private let wholePlan: BlendPlan
    private let userCount: Int

    /// Events from which users are drawn; candidates differ by far more than more data would tell.
    static let maximumEvents = 1_500_000

    init(_ whole: InteractionMatrix, _ configuration: FitConfiguration, _ plan: BlendPlan) {
        matrix = whole.drawingUsers(maximumEvents: Self.maximumEvents, seed: configuration.seed)
        self.configuration = configuration
        self.plan = matrix.userCount < whole.userCount ? BlendPlan(matrix, configuration) : plan
        wholePlan = plan
        userCount = whole.userCount
    }

    /// With fewer held-out users models cannot be told apart.
    static let minimumUsers = 50

    func choose(_ span: ProgressSpan, log: inout [String]) throws(FitError) -> BlendChoice {
        let demotes = !plan.hasReturns
        let ingredients = wholePlan.ingredients(&log)
        if matrix.userCount < userCount {
            log.append("Models are compared on the \(matrix.eventCount) events of \(matrix.userCount) users.")
        }
        let split = ValidationSplit(matrix, seed: configuration.seed, hasClock: plan.hasClock, demotesHistory: demotes)
        guard split.users.count >= Self.minimumUsers else {
            log.append("Too few users with two or more items to compare models on: a fixed blend is used.")
            return fallback(ingredients)
        }
        let fitting = IngredientFit(split.training, configuration, plan)
        let properties = [
            "unobserved_weight": "\(plan.als.unobservedWeight)", "regularization": "\(plan.als.regularization)",
            "regularization_exponent": "\(plan.als.regularizationExponent)",
        ]
        var opened: [OpenedPart] = []
        for (index, ingredient) in ingredients.enumerated() {
            let part = span.part(0.9 * Double(index) / Double(ingredients.count), 0.9 * Double(index + 1) / Double(ingredients.count))
            if plan.obstacle(ingredient, beside: opened.reduce(0) { $0 + $1.byteCount }) != nil {
                log.append("Not tried, \(ingredient.title): it would not fit the memory budget beside the others.")
                continue
            }
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
        try span.reporter.step(span.share(0.97), "Learning the blend's weights")
        var choice = choice(ingredients, BlendSearch(columns: columns.map { ($0.0, $0.1) }, cases: cases), &log)
        try stage(&choice, columns, split, span.part(0.98, 1), &log)
        withExtendedLifetime(opened) {}
        return choice
    }

    /// Decides what has to look at all items.
    private func stage(
        _ choice: inout BlendChoice, _ columns: [(Ingredient, SourceRule, any BlendPart)], _ split: ValidationSplit,
        _ span: ProgressSpan, _ log: inout [String]
    ) throws(FitError) {
        let members = choice.entries.compactMap { entry in
            columns.first { $0.0 == entry.ingredient && $0.1 == entry.rule }
                .map { (ingredient: entry.ingredient, member: BlendScorer.Member(part: $0.2, weight: entry.weight)) }
        }
        let stages = BlendStages(
            members: members, split: split, weighting: HistoryWeights(split.training, configuration), threads: configuration.threads)
        guard let (scoring, agreement) = try stages.choose(span) else { return }
        for index in choice.entries.indices { choice.entries[index].retrieves = !scoring.contains(choice.entries[index].ingredient) }
        let names = Ingredient.allCases.filter { scoring.contains($0) }.map(\.title).joined(separator: " and ")
        choice.properties["blend.agreement_at_50"] = decimals(agreement, 4)
        log.append("Only scoring what the others find: \(names); \(decimals(agreement * 100, 1)) % of the lists stay the same.")
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

    private func choice(_ ingredients: [Ingredient], _ search: BlendSearch, _ log: inout [String]) -> BlendChoice {
        guard !search.columns.isEmpty else { return fallback(ingredients) }
        var properties: [String: String] = [:]
        let alone = search.alone()
        for (column, quality) in zip(search.columns, alone) {
            log.append("Alone, \(column.ingredient.title) (\(column.rule.text)): validation NDCG@10 \(decimals(quality.ndcg, 4)).")
        }
        let usable = search.bestColumns(alone)
        for column in usable {
            properties["tried.\(search.columns[column].ingredient.rawValue)"] = decimals(alone[column].ndcg, 4)
        }
        let weights = search.weights(usable, alone, smooths: !plan.hasClock)
        let entries = usable.filter { weights[$0] > 0 }.map {
            BlendChoice.Entry(ingredient: search.columns[$0].ingredient, rule: search.columns[$0].rule, weight: weights[$0])
        }
        let ndcg = decimals(search.quality(weights).ndcg, 4)
        properties["blend.validation_ndcg_at_10"] = ndcg
        properties["blend.validation_users"] = "\(search.cases.count)"
        let names = entries.map { "\($0.ingredient.title) x \(decimals(Double($0.weight), 2))" }.joined(separator: " + ")
        log.append(
            "Chosen: \(names), validation NDCG@10 \(ndcg); another part must add \(decimals(BlendSearch.leastGain * 100, 1)) %"
                + (plan.hasClock ? "." : ", and without a clock the weights lean towards equal ones."))
        return BlendChoice(entries: entries, properties: properties)
    }

    /// What is sensible when nothing can be measured.
    private func fallback(_ ingredients: [Ingredient]) -> BlendChoice {
        let rule = SourceRule(kind: plan.hasClock ? .recent : .flat)
        var entries: [BlendChoice.Entry] = []
        if ingredients.contains(.graph) { entries.append(BlendChoice.Entry(ingredient: .graph, rule: rule, weight: 0.5)) }
        if ingredients.contains(.factors) {
            entries.append(BlendChoice.Entry(ingredient: .factors, rule: SourceRule(kind: .recent), weight: 1))
        }
        if entries.isEmpty, let only = ingredients.first { entries.append(BlendChoice.Entry(ingredient: only, rule: rule, weight: 1)) }
        return BlendChoice(entries: entries)
    }
}

func decimals(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

func seconds(since start: ContinuousClock.Instant) -> Double {
    let duration = ContinuousClock.now - start
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
}
