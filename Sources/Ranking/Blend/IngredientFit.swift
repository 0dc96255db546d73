import Foundation

/// Fits single ingredients of a blend on one set of interactions.
struct IngredientFit {
    let matrix: InteractionMatrix
    let configuration: FitConfiguration
    let plan: BlendPlan
    private let weighting: HistoryWeights
    private let flatRows: SparseRows
    private let users: [Float]
    private let events: [Float]

    init(_ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ plan: BlendPlan) {
        self.matrix = matrix
        self.configuration = configuration
        self.plan = plan
        weighting = HistoryWeights(matrix, configuration)
        var flat = weighting
        flat.recencyBoost = 0
        flatRows = matrix.userItems(flat)
        (users, events) = matrix.popularity()
    }

    /// Sections under `prefix`; nil when the data does not carry the ingredient.
    ///
    /// - Parameter targets: items that what metadata tells is to score; all when nil.
    func fit(
        _ ingredient: Ingredient, prefix: String, targets: [Bool]? = nil, _ span: ProgressSpan
    ) throws(FitError) -> FittedPart? {
        try span.reporter.step(span.start, "Learning: \(ingredient.title)")
        let items = matrix.itemCount
        let threads = configuration.threads
        switch ingredient {
        case .nextItem: return try nextItem(prefix, span)
        case .ease: return try ease(prefix, span)
        case .graph:
            let normalized = GraphFit.normalize(recentRows(), itemCount: items).rows
            let lists = try GraphFit(limit: WeightRows.limit(itemCount: items), threads: threads).fit(normalized, itemCount: items, span)
            return FittedPart(ingredient: ingredient, sections: SectionContent.lists(prefix, lists), rules: wholeHistoryRules)
        case .spectrum, .sharpening: return try spectrum(ingredient, prefix, span)
        case .successors:
            let lists = try SuccessorFit(threads: threads).fit(matrix, events: events, span)
            return FittedPart(
                ingredient: ingredient, sections: SectionContent.lists(prefix, lists),
                rules: [SourceRule(kind: .decayed, window: 10, span: 4.5), SourceRule(kind: .decayed, window: 10, span: 1.5)])
        case .steps:
            let fit = SuccessorFit(window: 2, span: 1, backward: 0, popularityDiscount: 0.1, prior: 5, threads: threads)
            let lists = try fit.fit(matrix, events: events, span)
            return FittedPart(
                ingredient: ingredient, sections: SectionContent.lists(prefix, lists),
                rules: [SourceRule(kind: .decayed, window: 5, span: 0.5), SourceRule(kind: .decayed, window: 5, span: 1.5)])
        case .returns:
            return FittedPart(
                ingredient: ingredient, sections: SectionContent.lists(prefix, ReturnFit().fit(matrix)),
                rules: [
                    SourceRule(kind: .recent), SourceRule(kind: .flat), SourceRule(kind: .decayed, span: 3),
                    SourceRule(kind: .decayed, span: 12),
                ])
        case .factors:
            let als = plan.als
            let factors = try als.fit(flatRows, itemCount: items, span)
            return FittedPart(
                ingredient: ingredient, sections: ItemVectors.sections(factors, dimensions: als.dimensions, prefix: prefix),
                rules: [SourceRule(kind: .recent)])
        case .objective:
            let levels = try matrix.objectiveLevels(configuration)
            return FittedPart(ingredient: ingredient, sections: [SectionContent("\(prefix).levels", levels)], rules: [SourceRule()])
        case .content, .likeness, .contentLevel: return try fitContent(ingredient, prefix: prefix, targets: targets, span)
        case .popularity:
            return FittedPart(
                ingredient: ingredient, sections: [SectionContent("\(prefix).levels", popularityLevels())], rules: [SourceRule()])
        }
    }

    private func nextItem(_ prefix: String, _ span: ProgressSpan) throws(FitError) -> FittedPart? {
        var fit = NextItemFit(
            ridge: plan.nextItemRidge, limit: WeightRows.limit(itemCount: matrix.itemCount), threads: configuration.threads)
        let lists: NeighborLists?
        if plan.isSparse {
            // What is further back adds an eighth at most, and its pairs would take half of the memory.
            fit.rule.window = 10
            lists = try fit.fitSparsely(
                matrix, weighting, ItemCore(users: users, limit: .max), users: users, neighbors: BlendPlan.neighbors,
                budgetBytes: plan.gramBytes, span)
        } else {
            lists = try fit.fit(matrix, weighting, ItemCore(users: users, limit: plan.coreLimit), users: users, span)
        }
        return lists.map {
            FittedPart(
                ingredient: .nextItem, sections: SectionContent.lists(prefix, $0),
                rules: [fit.rule, SourceRule(kind: .decayed, window: fit.rule.window, span: 2)])
        }
    }

    private func ease(_ prefix: String, _ span: ProgressSpan) throws(FitError) -> FittedPart? {
        let fit = EaseFit(ridge: plan.easeRidge, limit: WeightRows.limit(itemCount: matrix.itemCount), threads: configuration.threads)
        let lists: NeighborLists?
        if plan.isSparse {
            lists = try fit.fitSparsely(
                recentRows(), ItemCore(users: users, limit: .max), neighbors: BlendPlan.neighbors, budgetBytes: plan.gramBytes, span)
        } else {
            lists = try fit.fit(flatRows, ItemCore(users: users, limit: plan.coreLimit), span)
        }
        return lists.map {
            FittedPart(ingredient: .ease, sections: SectionContent.lists(prefix, $0), rules: wholeHistoryRules)
        }
    }

    var wholeHistoryRules: [SourceRule] {
        weighting.recencyBoost > 0 ? [SourceRule(kind: .recent), SourceRule(kind: .flat)] : [SourceRule(kind: .flat)]
    }

    /// The pairs of a history grow with its square, so long ones take part with their newest events.
    private func recentRows() -> SparseRows {
        var flat = weighting
        flat.recencyBoost = 0
        return matrix.userItems(flat, limit: 500)
    }

    private func spectrum(_ ingredient: Ingredient, _ prefix: String, _ span: ProgressSpan) throws(FitError) -> FittedPart? {
        let items = matrix.itemCount
        let (normalized, degrees) = GraphFit.normalize(flatRows, itemCount: items)
        let fit = SpectrumFit(rank: plan.spectrumRank, seed: configuration.seed, threads: configuration.threads)
        let spectrum = try fit.fit(normalized, itemCount: items, span)
        var vectors = spectrum.vectors
        for item in 0..<items {
            let root = degrees[item].squareRoot()
            for index in item * fit.rank..<(item + 1) * fit.rank { vectors[index] *= root }
        }
        let sections =
            ItemVectors.sections(vectors, dimensions: fit.rank, prefix: prefix)
            + [SectionContent("\(prefix).sources", degrees.map { $0 > 0 ? 1 / $0 : 0 })]
            + SharpeningPart.sections(spectrum, scaled: vectors, prefix: prefix)
        return FittedPart(ingredient: ingredient, sections: sections, rules: ingredient.rules(wholeHistoryRules))
    }

    /// Square roots of the events per item over their root mean square, each event halved for every twentieth of all events that came after it; all
    /// alike without a clock.
    func popularityLevels() -> [Float] {
        var levels = [Float](repeating: 0, count: matrix.itemCount)
        let sorted = plan.hasClock ? matrix.timestamps.sorted() : []
        let newest = Double(sorted.last ?? 0)
        let halfLife = sorted.isEmpty ? 1 : max(1, newest - Double(sorted[sorted.count * 19 / 20]))
        for position in matrix.items.indices {
            let age = sorted.isEmpty ? 0 : (newest - Double(matrix.timestamps[position])) / halfLife
            levels[Int(matrix.items[position])] += Float(exp2(-age))
        }
        let scale = (levels.reduce(0, +) / Float(max(1, levels.count))).squareRoot()
        return levels.map { $0.squareRoot() / max(scale, .leastNormalMagnitude) }
    }
}
