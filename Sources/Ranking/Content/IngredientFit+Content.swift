extension IngredientFit {
    /// What metadata gives a blend. `targets` are the items that are to be scored; all when nil.
    func fitContent(
        _ ingredient: Ingredient, prefix: String, targets: [Bool]? = nil, _ span: ProgressSpan
    ) throws(FitError) -> FittedPart? {
        guard let features = plan.features else { return nil }
        let items = matrix.itemCount
        let learned = matrix.metItems()
        let targets = targets ?? [Bool](repeating: true, count: items)
        let limit = plan.contentSources
        let fit = ContentFit(features: features, limit: limit, threads: configuration.threads)
        switch ingredient {
        case .content:
            guard
                let ridge = try ContentRidge(
                    features, learned: learned, ridge: plan.contentRidge, featureLimit: plan.featureLimit,
                    threads: configuration.threads, span.part(0, 0.7))
            else { return nil }
            let isLarge = Double(items) * Double(features.rows.columns.count) > ContentFit.workLimit
            let candidates = isLarge ? try fit.likeness(targets: targets, span.part(0.7, 0.8)) : nil
            let lists = try ridge.weights(
                targets: targets, limit: limit, candidates: candidates, threads: configuration.threads, span.part(0.8, 1))
            return FittedPart(ingredient: ingredient, sections: SectionContent.lists(prefix, lists), rules: wholeHistoryRules)
        case .likeness:
            let lists = try fit.likeness(targets: targets, span)
            return FittedPart(ingredient: ingredient, sections: SectionContent.lists(prefix, lists), rules: wholeHistoryRules)
        case .contentLevel:
            let levels = LevelRidge(features: features, ridge: plan.contentRidge).levels(popularityLevels(), learned: learned)
            let scale = (levels.reduce(0) { $0 + $1 * $1 } / Float(max(1, items))).squareRoot()
            guard scale > 0, scale.isFinite else { return nil }
            return FittedPart(
                ingredient: ingredient, sections: [SectionContent("\(prefix).levels", levels.map { $0 / scale })],
                rules: [SourceRule()])
        default: return nil
        }
    }
}
