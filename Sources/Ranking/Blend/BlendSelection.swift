import Foundation
import Kernels

/// Chooses a blend: fits what the plan allows on a split of the data, and learns the weights on the rest.
struct BlendSelection {
    private let matrix: InteractionMatrix
    let configuration: FitConfiguration
    private let plan: BlendPlan
    /// What can be fitted on all the data.
    private let wholePlan: BlendPlan
    private let userCount: Int

    /// Events from which users are drawn; candidates differ by far more than more data would tell.
    static let maximumEvents = 1_000_000

    init(_ whole: InteractionMatrix, _ configuration: FitConfiguration, _ plan: BlendPlan) {
        matrix = whole.drawingUsers(maximumEvents: Self.maximumEvents, seed: configuration.seed)
        self.configuration = configuration
        self.plan = matrix.userCount < whole.userCount ? BlendPlan(matrix, configuration, sharing: plan) : plan
        wholePlan = plan
        userCount = whole.userCount
    }

    /// With fewer held-out users models cannot be told apart.
    static let minimumUsers = 50
    static let minimumRecentUsers = 20

    func choose(_ span: ProgressSpan, log: inout [String]) throws(FitError) -> BlendChoice {
        if matrix.userCount < userCount {
            log.append("Models are compared on the \(matrix.eventCount) events of \(matrix.userCount) users.")
        }
        let cold =
            plan.content == nil
            ? nil
            : try ColdSelection(matrix: matrix, configuration: configuration, plan: plan)
                .choose(span.part(0, 0.4), log: &log) ?? .unmeasured
        var plan = plan
        plan.contentRidge = cold?.ridge ?? plan.contentRidge
        var choice = try chooseWarm(plan, cold, cold == nil ? span : span.part(0.4, 1), log: &log)
        if let cold {
            choice.properties["content_ridge"] = "\(cold.ridge)"
            choice.properties["cold.validation_ndcg_at_10"] = cold.ndcg
        }
        return choice
    }

    private func chooseWarm(
        _ plan: BlendPlan, _ cold: ColdChoice?, _ span: ProgressSpan, log: inout [String]
    ) throws(FitError) -> BlendChoice {
        let demotes = !plan.hasReturns
        // What scores items without events alone is there for their height among the others.
        let ingredients = wholePlan.ingredients(&log).filter { ingredient in
            !ingredient.isForColdAlone || cold?.entries.contains { $0.ingredient == ingredient } ?? false
        }
        let split = ValidationSplit(
            matrix, seed: configuration.seed, hasClock: plan.hasClock, demotesHistory: demotes, hidesNewItems: cold != nil,
            atVisits: true)
        guard split.users.count >= Self.minimumUsers else {
            log.append("Too few users with two or more items to compare models on: a fixed blend is used.")
            if configuration.objective != nil { log.append("What the objective would cost cannot be measured: it is not used.") }
            return adding(cold, scale: ColdChoice.leastScale, to: fallback(ingredients))
        }
        var fitting = IngredientFit(split.training, configuration, plan)
        fitting.asking = split.itemsAsking
        var opened = try tried(ingredients, fitting, span.part(0, 0.9), &log)
        try span.reporter.step(span.share(0.9), "Comparing models on \(split.users.count) held-out users")
        let columns: [BlendColumn] = opened.flatMap { part in zip(part.rules, part.parts).map { (part.ingredient, $0, $1) } }
            .filter { column in
                !column.ingredient.isForColdAlone
                    || cold?.entries.contains { $0.ingredient == column.ingredient && $0.rule == column.rule } ?? false
            }
        var parts = columns.map(\.part)
        if configuration.objective != nil, let fitted = try fitting.fit(.objective, prefix: "part", span.part(0.9, 0.9)) {
            opened.append(try fitted.opened(prefix: "part", itemCount: matrix.itemCount, properties: [:]))
            parts += opened.last?.parts ?? []
        }
        let coldRows =
            cold == nil
            ? nil
            : ColdRows(
                rows: rowBitmap(split.training.metItems().enumerated().lazy.filter { !$1 }.map(\.0), count: matrix.itemCount),
                parts: columns.map(\.0.isContent) + [Bool](repeating: false, count: parts.count - columns.count))
        let effects = try SituationSelection(split)
        let cases = try cases(split, split.users + split.later, parts, demotes, coldRows, effects, span.part(0.9, 0.95))
        try span.reporter.step(span.share(0.95), "Learning the blend's weights")
        let search = BlendSearch(
            columns: columns.map { ($0.0, $0.1) }, cases: cases, threads: configuration.threads, span: span.part(0.97, 0.97))
        var (choice, weights) = try choice(ingredients, search, comesBack: (split.users + split.later).map(\.comesBack), &log)
        if let effects, weights.contains(where: { $0 > 0 }) {
            let others = [Float](repeating: 0, count: parts.count - columns.count)
            choice.properties.merge(try effects.choose(search, weights + others, log: &log)) { $1 }
        }
        if let objective = configuration.objective, parts.count > columns.count, !weights.isEmpty,
            let entry = try ObjectiveSearch(cases: cases, objective: objective, threads: configuration.threads, span: search.span).entry(
                beside: weights, log: &log)
        {
            choice.entries.append(entry)
        }
        try weighValues(&choice, columns, split, plan, span.part(0.95, 0.97), &log)
        try learnListWeights(&choice, columns, split, span.part(0.97, 0.98), &log)
        try stage(&choice, columns, split, span.part(0.98, 1), &log)
        if choice.entries.contains(where: { $0.ingredient == .factors }), let vectors = opened.lazy.compactMap({ $0.itemVectors }).first,
            vectors.factors.count <= BlendChoice.maximumItemFactors
        {
            choice.itemFactors = Array(vectors.factors.buffer)
        }
        withExtendedLifetime(opened) {}
        guard let cold else { return choice }
        let recent = zip(split.users, cases).filter(\.0.isRecent).map(\.1)
        return adding(
            cold,
            scale: try coldScale(
                cold, BlendSearch(columns: search.columns, cases: recent, threads: search.threads, span: search.span), weights, &log),
            to: choice)
    }

    /// What could be fitted beside the held-out events, one after another while memory lasts.
    private func tried(
        _ ingredients: [Ingredient], _ fitting: IngredientFit, _ span: ProgressSpan, _ log: inout [String]
    ) throws(FitError) -> [OpenedPart] {
        let plan = fitting.plan
        var opened: [OpenedPart] = []
        for (index, ingredient) in ingredients.enumerated() {
            let part = span.part(Double(index) / Double(ingredients.count), Double(index + 1) / Double(ingredients.count))
            if plan.obstacle(ingredient, beside: opened.reduce(0) { $0 + $1.byteCount }) != nil {
                log.append("Not tried, \(ingredient.title): it would not fit the memory budget beside the others.")
                continue
            }
            if let other = opened.first(where: { $0.ingredient == ingredient.sectionsOf }) {
                do throws(ModelError) {
                    var shared = try other.again(
                        as: ingredient, prefix: "part", itemCount: matrix.itemCount, properties: plan.openingProperties)
                    shared.byteCount = 0
                    opened.append(shared)
                } catch { throw .unusableData(error.message) }
                continue
            }
            let start = ContinuousClock.now
            if let fitted = try fitting.fit(ingredient, prefix: "part", part) {
                opened.append(try fitted.opened(prefix: "part", itemCount: matrix.itemCount, properties: plan.openingProperties))
                log.append("Tried \(ingredient.title) in \(decimals(seconds(since: start), 2)) s.")
            } else {
                log.append("Tried \(ingredient.title): the data does not carry it.")
            }
        }
        return opened
    }

    /// Decides what has to look at all items.
    private func stage(
        _ choice: inout BlendChoice, _ columns: [BlendColumn], _ split: ValidationSplit, _ span: ProgressSpan, _ log: inout [String]
    ) throws(FitError) {
        var stage = BlendStages.Stage(scoring: Set(choice.entries.map(\.ingredient)), poolFactor: 1)
        var agreement = 1.0
        // What has to find rows on one occasion finds them on both.
        for weight in choice.occasions {
            let members = choice.members(columns, by: weight).map {
                (ingredient: $0.ingredient, member: BlendScorer.Member(part: $0.part, weight: $0.weight))
            }
            let stages = BlendStages(
                members: members, split: split, weighting: HistoryWeights(split.training, configuration), threads: configuration.threads)
            guard let (found, share) = try stages.choose(span) else { return }
            stage.scoring.subtract(members.map(\.ingredient).filter { !found.scoring.contains($0) })
            stage.poolFactor = max(stage.poolFactor, found.poolFactor)
            agreement = min(agreement, share)
        }
        guard !stage.scoring.isEmpty else { return }
        for index in choice.entries.indices { choice.entries[index].retrieves = !stage.scoring.contains(choice.entries[index].ingredient) }
        let names = Ingredient.allCases.filter { stage.scoring.contains($0) }.map(\.title).joined(separator: " and ")
        if stage.poolFactor > 1 { choice.properties[BlendWeights.poolFactorProperty] = decimals(stage.poolFactor, 1) }
        choice.properties["blend.agreement_at_50"] = decimals(agreement, 4)
        log.append("Only scoring what the others find: \(names); \(decimals(agreement * 100, 1)) % of the lists stay the same.")
    }

    func cases(
        _ split: ValidationSplit, _ users: [ValidationSplit.User], _ parts: [any BlendPart], _ demotes: Bool, _ cold: ColdRows?,
        _ effects: SituationSelection?, _ span: ProgressSpan
    ) throws(FitError) -> [ValidationCase] {
        let results = Slots<ValidationCase>(count: users.count)
        let weighting = HistoryWeights(split.training, configuration)
        let training = split.training
        try ParallelRows(threads: configuration.threads).run(count: users.count, chunk: 8, span: span) {
            var asking = ValidationAsking(itemCount: training.itemCount, partCount: parts.count)
            // Only the newest users are asked how high cold items are to stand.
            let others = cold.map { ColdRows(rows: $0.rows, parts: $0.parts.map { _ in false }) }
            return { range in
                for index in range {
                    split.collectHistory(users[index], weighting, into: &asking.history)
                    let cold = users[index].isRecent ? cold : others
                    results.set(index, asking.ask(parts, users[index], leavesHistoryOut: demotes, cold: cold, effects))
                }
            }
        }
        return results.values
    }

    private func choice(
        _ ingredients: [Ingredient], _ whole: BlendSearch, comesBack: [Bool], _ log: inout [String]
    ) throws(FitError) -> (BlendChoice, weights: [Float]) {
        guard !whole.columns.isEmpty else { return (fallback(ingredients), []) }
        let amidst = comesBack.indices.filter { !comesBack[$0] }
        // Where events hardly come in visits, there are no occasions to tell apart.
        let hasVisits = amidst.count >= max(Self.minimumUsers, comesBack.count / 3)
        let search = hasVisits ? whole.among(amidst) : whole
        var properties: [String: String] = [:]
        let alone = try search.alone()
        for (column, quality) in zip(search.columns, alone) where !column.ingredient.isForColdAlone {
            log.append("Alone, \(column.ingredient.title) (\(column.rule.text)): validation NDCG@10 \(decimals(quality.ndcg, 4)).")
        }
        let usable = search.columns.indices.filter { !search.columns[$0].ingredient.isForColdAlone }
        guard !usable.isEmpty else { return (fallback(ingredients), []) }
        for column in search.bestColumns(alone) where usable.contains(column) {
            properties["tried.\(search.columns[column].ingredient.rawValue)"] = decimals(alone[column].ndcg, 4)
        }
        let weights = try search.weights(usable, alone, smooths: !plan.hasClock)
        let returning =
            hasVisits
            ? try ReturnSelection(whole.among(comesBack.indices.filter { comesBack[$0] }), usable: usable).weights(beside: weights, &log)
            : nil
        let entries = search.columns.indices.filter { max(weights[$0], returning?[$0] ?? 0) > 0 }.map {
            BlendChoice.Entry(
                ingredient: search.columns[$0].ingredient, rule: search.columns[$0].rule, weight: weights[$0], returnWeight: returning?[$0])
        }
        let ndcg = decimals(try search.quality(weights).ndcg, 4)
        properties["blend.validation_ndcg_at_10"] = ndcg
        properties["blend.validation_users"] = "\(search.cases.count)"
        properties.merge(try search.trail(weights)) { $1 }
        let names = entries.filter { $0.weight > 0 }.map { "\($0.ingredient.title) x \(decimals(Double($0.weight), 2))" }.joined(
            separator: " + ")
        log.append(
            "Chosen: \(names), validation NDCG@10 \(ndcg); another part must add \(decimals(BlendSearch.leastGain * 100, 1)) %"
                + (plan.hasClock ? "." : ", and without a clock the weights lean towards equal ones."))
        return (BlendChoice(entries: entries, properties: properties), weights)
    }

    /// How high items without events stand among the others: what serves those best who met something after the newest items had
    /// appeared. Behind all others when that cannot be told.
    private func coldScale(_ cold: ColdChoice, _ search: BlendSearch, _ weights: [Float], _ log: inout [String]) throws(FitError) -> Float {
        guard search.cases.count >= Self.minimumRecentUsers, weights.contains(where: { $0 > 0 }) else {
            log.append("New items stand behind the others: too few users are known to have met something lately.")
            return ColdChoice.leastScale * max(1, weights.reduce(0, +))
        }
        let relative = search.columns.map { column in
            cold.entries.first { $0.ingredient == column.ingredient && $0.rule == column.rule }?.coldWeight ?? 0
        }
        let total = weights.reduce(0, +)
        var best = ColdChoice.leastScale
        var reached = try search.quality(weights, coldWeights: relative.map { $0 * best * total }).objective
        for scale in ColdChoice.scales {
            let objective = try search.quality(weights, coldWeights: relative.map { $0 * scale * total }).objective
            if objective > reached * (1 + BlendSearch.leastGain) { (best, reached) = (scale, objective) }
        }
        log.append(
            best == ColdChoice.leastScale
                ? "New items stand behind the others: none of the \(search.cases.count) newest users' held-out lists gains by them."
                : "New items stand among the others with \(decimals(Double(best), 2)) of the blend's weight.")
        return best * total
    }

    /// Entries that only score items without events join those that score all. An objective weighs against what speaks for those
    /// items as it does against the rest.
    private func adding(_ cold: ColdChoice?, scale: Float, to choice: BlendChoice) -> BlendChoice {
        var choice = choice
        if cold != nil, let place = choice.entries.firstIndex(where: { $0.ingredient == .objective }) {
            let others = choice.entries.reduce(0) { $1.ingredient == .objective ? $0 : $0 + $1.weight }
            if others > 0 { choice.entries[place].coldWeight = choice.entries[place].weight / others * scale }
        }
        for var entry in cold?.entries ?? [] {
            entry.coldWeight *= scale
            if let index = choice.entries.firstIndex(where: { $0.ingredient == entry.ingredient && $0.rule == entry.rule }) {
                choice.entries[index].coldWeight = entry.coldWeight
            } else {
                choice.entries.append(entry)
            }
        }
        return choice
    }

    /// What is sensible when nothing can be measured.
    private func fallback(_ ingredients: [Ingredient]) -> BlendChoice {
        let rule = SourceRule(kind: plan.hasClock ? .recent : .flat)
        var entries: [BlendChoice.Entry] = []
        if ingredients.contains(.graph) { entries.append(BlendChoice.Entry(ingredient: .graph, rule: rule, weight: 0.5)) }
        if ingredients.contains(.factors) {
            entries.append(BlendChoice.Entry(ingredient: .factors, rule: SourceRule(kind: .recent), weight: 1))
        }
        if entries.isEmpty, let only = ingredients.first(where: { !$0.isForColdAlone }) {
            entries.append(BlendChoice.Entry(ingredient: only, rule: rule, weight: 1))
        }
        return BlendChoice(entries: entries)
    }
}

func decimals(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

func seconds(since start: ContinuousClock.Instant) -> Double {
    let duration = ContinuousClock.now - start
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
}
