import Foundation

extension BlendRecipe {
    static func fit(
        _ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ span: ProgressSpan, into draft: inout ModelDraft
    ) throws(FitError) {
        var plan = BlendPlan(matrix, configuration)
        draft.set("has_clock", plan.hasClock)
        draft.set("unobserved_weight", plan.als.unobservedWeight)
        draft.set("regularization", plan.als.regularization)
        draft.set("regularization_exponent", plan.als.regularizationExponent)
        draft.set("next_item_ridge", plan.nextItemRidge)
        draft.set("ease_ridge", plan.easeRidge)
        if !plan.hasClock {
            draft.set("recency_boost", 0)
            draft.log.append("The timestamps tell no order of events: recency is not used.")
        }
        try plan.learnContent(configuration, span.part(0, 0.1), log: &draft.log)
        let choice: BlendChoice
        if let given = configuration.blend {
            choice = given
            draft.log.append("The blend is the one that the evaluation chose.")
        } else {
            choice = try BlendSelection(matrix, configuration, plan).choose(span.part(0.1, 0.5), log: &draft.log)
        }
        plan.contentRidge = choice.properties["content_ridge"].flatMap(Float.init) ?? plan.contentRidge
        for (name, value) in choice.properties.sorted(by: { $0.key < $1.key }) { draft.set(name, value) }
        try fitChosen(choice, matrix, configuration, plan, span.part(configuration.blend == nil ? 0.5 : 0.1, 0.97), into: &draft)
        if choice.properties.keys.contains(where: { $0.hasPrefix("situation.") }), let sections = SituationFit(matrix: matrix).sections() {
            draft.sections += sections
        }
        try finish(matrix, configuration, plan, &draft, span.part(0.97, 1))
        draft.blend = choice
    }

    /// Fits what was chosen on all the data.
    private static func fitChosen(
        _ choice: BlendChoice, _ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ plan: BlendPlan,
        _ span: ProgressSpan, into draft: inout ModelDraft
    ) throws(FitError) {
        var fitting = IngredientFit(matrix, configuration, plan)
        fitting.itemFactors = choice.itemFactors
        let valued = choice.entries.contains(where: \.weighsValues) ? IngredientFit(matrix, configuration.weighingValues, plan) : fitting
        var count = 0
        var prefixes: [Ingredient: String] = [:]
        for (index, entry) in choice.entries.enumerated() {
            let part = span.part(Double(index) / Double(choice.entries.count), Double(index + 1) / Double(choice.entries.count))
            if let why = plan.obstacle(entry.ingredient) {
                draft.log.append("Left out, \(entry.ingredient.title): \(why).")
                continue
            }
            // What scores items without events alone needs no other targets.
            let targets = max(entry.weight, entry.returnWeight ?? 0) == 0 ? matrix.metItems().map { !$0 } : nil
            if let targets, !targets.contains(true) { continue }
            let source = entry.ingredient.sectionsOf
            if let shared = prefixes[source] {
                draft.set("blend.\(count).sections", shared)
            } else {
                let fitting = entry.weighsValues ? valued : fitting
                guard let fitted = try fitting.fit(entry.ingredient, prefix: prefix(count), targets: targets, part) else { continue }
                draft.sections += fitted.sections
                draft.note(fitted.losses, of: entry.ingredient)
                prefixes[source] = prefix(count)
            }
            draft.set("blend.\(count)", entry.ingredient.rawValue)
            draft.set("blend.\(count).weight", entry.weight)
            if entry.coldWeight > 0 { draft.set("blend.\(count).cold_weight", entry.coldWeight) }
            if let weight = entry.returnWeight { draft.set("blend.\(count).return_weight", weight) }
            if let weight = entry.listWeight { draft.set("blend.\(count).list_weight", weight) }
            if entry.weighsValues { draft.set("blend.\(count).weighs_values", true) }
            draft.set("blend.\(count).sources", entry.rule.text)
            draft.set("blend.\(count).retrieves", entry.retrieves)
            count += 1
        }
        guard count > 0 else { throw .unusableData("No model could be fitted to the interactions.") }
    }

    /// What the whole blend has to be there for.
    private static func finish(
        _ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ plan: BlendPlan, _ draft: inout ModelDraft, _ span: ProgressSpan
    ) throws(FitError) {
        try span.reporter.step(span.start, "Calibrating scores")
        let file: ModelFile
        let header: ModelHeader
        let recipe: BlendRecipe
        do throws(ModelError) {
            file = try ModelFile(ModelBytes(draft.encoded()))
            header = try ModelHeader(file)
            recipe = try BlendRecipe(opening: file, header)
        } catch {
            throw .unusableData(error.message)
        }
        try recipe.calibrate(matrix, header, &draft, span.part(0, 0.2))
        try recipe.sortIntoLists(matrix, header.weighting, configuration, plan, span.part(0.2, 1), into: &draft)
        withExtendedLifetime(file) {}
    }

    /// Scales the weights so that the best score, items of the history included, is 1 on average, over up to 200 users spread evenly.
    private func calibrate(
        _ matrix: InteractionMatrix, _ header: ModelHeader, _ draft: inout ModelDraft, _ span: ProgressSpan
    ) throws(FitError) {
        var scratch = RankingScratch()
        var sum = 0.0
        var count = 0.0
        let step = max(1, matrix.userCount / 200)
        for user in stride(from: 0, to: matrix.userCount, by: step) {
            matrix.collectHistory(user, header.weighting, into: &scratch.history)
            scratch.pool.clear(itemCount: matrix.itemCount)
            if score(RankingRequest(), wanted: 20 + scratch.history.count, &scratch) {
                let best = scratch.pool.scores.max() ?? 0
                sum += Double(best)
                count += 1
            }
            try span.reporter.poll(span.share(Double(user) / Double(matrix.userCount)))
        }
        let scale = count > 0 && sum > 0 ? Float(sum / count) : 1
        for name in ["situation.user_weight", "situation.context_weight"] {
            if let weight = header.properties[name].flatMap(Float.init) { draft.set(name, weight / scale) }
        }
        for (index, member) in scorer.members.enumerated() {
            draft.set("blend.\(index).weight", member.weight / scale)
            if header.properties["blend.\(index).return_weight"] != nil {
                draft.set("blend.\(index).return_weight", member.returnWeight / scale)
            }
            if member.coldWeight > 0 { draft.set("blend.\(index).cold_weight", member.coldWeight / scale) }
        }
    }

    /// What the smallest blend needs; larger parts are tried only where the budget leaves room.
    static func memoryEstimate(items: Int, users: Int, events: Int, _ configuration: FitConfiguration) -> Int {
        let dimensions = (configuration.factorCount + 15) / 16 * 16
        return items * dimensions * 16 + users * dimensions * 4 + events * 40
            + (items * 24 + RowSolver.workBytes(dimensions: dimensions)) * configuration.threads
    }
}

extension InteractionMatrix {
    /// A user's history as serving would see it, or when there was only the older share of it, rounded up.
    func collectHistory(_ user: Int, _ weighting: HistoryWeights, share: Double = 1, into history: inout WeightedHistory) {
        let start = offsets[user]
        let count = Int((Double(offsets[user + 1] - start) * share).rounded(.up))
        history.collect(count: count, itemCount: itemCount, weighting) {
            (items[start + $0], Int(types[start + $0]), values[start + $0])
        }
    }
}

extension HistoryWeights {
    /// As the configuration and the data say.
    init(_ matrix: InteractionMatrix, _ configuration: FitConfiguration) {
        let isSelective =
            configuration.eventType != nil || !configuration.eventWeights.isEmpty
            || configuration.recipe.description.useCase?.eventType != nil
        let usesRecency = configuration.favorsRecent && matrix.hasClock()
        self.init(
            eventTypes: EventAdmission(eventTypeNames: matrix.eventTypeNames, configuration: configuration).weights,
            unknownType: isSelective ? 0 : 1, valueConfidence: Float(configuration.number("value_confidence", 0)),
            meanValue: matrix.meanValue(),
            recencyBoost: usesRecency ? Float(configuration.number("recency_boost", 10)) : 0,
            recencySpan: Float(configuration.number("recency_span", 5)))
    }
}

extension ModelDraft {
    /// The curve of a fit that goes by rounds, for people.
    fileprivate mutating func note(_ losses: [Double], of ingredient: Ingredient) {
        guard !losses.isEmpty else { return }
        set("losses.\(ingredient.rawValue)", losses.map { decimals($0, 4) }.joined(separator: " "))
        log.append("Loss per user of the \(ingredient.title) after each round: \(losses.map { decimals($0, 3) }.joined(separator: ", ")).")
    }
}
