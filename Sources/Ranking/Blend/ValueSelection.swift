extension BlendSelection {
    /// Do the values of events tell how much they count? The heaviest part that weighs events is fitted once more with weights that
    /// grow with their values, and keeps them where held-out lists gain beyond chance. Histories are read without values, as
    /// requests bring them.
    func weighValues(
        _ choice: inout BlendChoice, _ columns: [BlendColumn], _ split: ValidationSplit, _ plan: BlendPlan, _ span: ProgressSpan,
        _ log: inout [String]
    ) throws(FitError) {
        guard split.training.tellsValues, configuration.number("value_confidence", 0) == 0,
            let place = choice.entries.indices.filter({ choice.entries[$0].ingredient.weighsEvents && choice.entries[$0].weight > 0 })
                .max(by: { choice.entries[$0].weight < choice.entries[$1].weight })
        else { return }
        let members = choice.members(columns)
        guard let replaced = members.firstIndex(where: { $0.ingredient == choice.entries[place].ingredient }) else { return }
        let fitting = IngredientFit(split.training, configuration.weighingValues, plan)
        guard let fitted = try fitting.fit(choice.entries[place].ingredient, prefix: "part", span.part(0, 0.8)) else { return }
        let opened = try fitted.opened(prefix: "part", itemCount: split.training.itemCount, properties: plan.openingProperties)
        guard let rule = opened.rules.firstIndex(of: choice.entries[place].rule) else { return }
        var parts = members.map(\.part)
        let weights = members.map(\.weight)
        let plain = try cases(split, split.users, parts, !plan.hasReturns, nil, nil, span.part(0.8, 0.9))
        parts[replaced] = opened.parts[rule]
        let valued = try cases(split, split.users, parts, !plan.hasReturns, nil, nil, span.part(0.9, 1))
        withExtendedLifetime(opened) {}
        let (before, after) = (plain.map { $0.quality(weights) }, valued.map { $0.quality(weights) })
        let isKept = BlendSearch.gains(after.map(\.objective), over: before.map(\.objective))
        let ingredient = choice.entries[place].ingredient
        // It may be there twice, reading histories in two ways.
        for index in choice.entries.indices where choice.entries[index].ingredient == ingredient {
            choice.entries[index].weighsValues = isKept
        }
        func ndcg(_ qualities: [BlendSearch.Quality]) -> String {
            decimals(qualities.reduce(0) { $0 + $1.ndcg } / Double(max(1, qualities.count)), 4)
        }
        log.append(
            "Events weighted by their values in the \(ingredient.title): validation NDCG@10 \(ndcg(after)) instead of "
                + "\(ndcg(before)), \(isKept ? "kept" : "not kept").")
    }
}

extension Ingredient {
    /// Does its fit take the weights of events?
    fileprivate var weighsEvents: Bool { [.nextItem, .ease, .graph, .spectrum, .factors].contains(self) }
}

extension FitConfiguration {
    /// Events weigh more by their values: an event of the mean value twice as much as one without.
    var weighingValues: FitConfiguration {
        var configuration = self
        configuration.hyperparameters["value_confidence"] = "1"
        return configuration
    }
}

extension InteractionMatrix {
    /// Do values differ, on a tenth of the events and more? Rarer ones cannot change what is learned of the rest.
    fileprivate var tellsValues: Bool {
        let known = values.lazy.filter { $0.isFinite && $0 > 0 }
        guard let first = known.first, known.contains(where: { $0 != first }) else { return false }
        return known.reduce(0) { count, _ in count + 1 } * 10 >= eventCount
    }
}
