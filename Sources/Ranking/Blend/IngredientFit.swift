import Foundation

/// Fits single ingredients of a blend on one set of interactions.
struct IngredientFit {
    let matrix: InteractionMatrix
    let configuration: FitConfiguration
    let plan: BlendPlan
    /// What an asking item's own list holds: two times what a case looks at of one part.
    static let askedTargets = 2 * ValidationCase.depth
    /// Items of all histories that what is fitted will be asked about, ascending; nil where they are not known.
    var asking: [Int32]?
    /// Where the factors of items begin, row-major; empty for anywhere.
    var itemFactors: [Float] = []
    private let weighting: HistoryWeights
    private let users: [Float]
    private let events: [Float]

    init(_ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ plan: BlendPlan) {
        self.matrix = matrix
        self.configuration = configuration
        self.plan = plan
        weighting = HistoryWeights(matrix, configuration)
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
            let normalized = GraphFit.normalize(try recentRows(span), itemCount: items).rows
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
        case .neighbors: return try neighbors(prefix, span)
        case .factors:
            let als = plan.als
            let factors = try als.factorize(flatRows(span), itemCount: items, from: itemFactors, span)
            return FittedPart(
                ingredient: ingredient, sections: ItemVectors.sections(factors.items, dimensions: als.dimensions, prefix: prefix),
                rules: [SourceRule(kind: .recent)], losses: factors.losses)
        case .objective:
            let levels = try matrix.objectiveLevels(configuration)
            return FittedPart(ingredient: ingredient, sections: [SectionContent("\(prefix).levels", levels)], rules: [SourceRule()])
        case .content, .likeness, .contentLevel, .contentGraph, .likenessGraph:
            return try fitContent(ingredient, prefix: prefix, targets: targets, span)
        case .choices:
            return ChoiceFit(matrix: matrix).levels().map {
                FittedPart(ingredient: ingredient, sections: [SectionContent("\(prefix).levels", $0)], rules: [SourceRule()])
            }
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
        let fit = EaseFit(ridge: plan.easeRidge, threads: configuration.threads)
        var lists: NeighborLists?
        if plan.isSparse {
            lists = try fit.fitSparsely(
                recentRows(span), ItemCore(users: users, limit: .max), neighbors: BlendPlan.neighbors, budgetBytes: plan.gramBytes,
                span.part(0, 0.8))
            // Among so few items the pairs of a history are bounded, so all of its events take part.
            let head = ItemCore(users: users, limit: EaseFit.headItems)
            if let dense = try fit.fit(flatRows(span), head, span.part(0.8, 1)) { lists = lists?.replacing(targets: head, with: dense) }
        } else {
            lists = try fit.fit(flatRows(span), ItemCore(users: users, limit: plan.coreLimit), span)
        }
        return lists.map {
            FittedPart(ingredient: .ease, sections: SectionContent.lists(prefix, $0), rules: wholeHistoryRules)
        }
    }

    /// The newest items ask, for whole pieces or for what is near. Without a clock there is no piece of a history to tell from the
    /// rest, and a hold-out drawn from among the other events gave whole histories more weight than others bore out.
    private func neighbors(_ prefix: String, _ span: ProgressSpan) throws(FitError) -> FittedPart? {
        guard let pieces = try NeighborFit(longest: 50).fit(matrix, weighting, span) else { return nil }
        let rules = [Float(0), 5].flatMap { reach in
            [Float(2), 5].map { SourceRule(kind: .decayed, window: 20, span: $0, reach: reach) }
        }
        return FittedPart(
            ingredient: .neighbors,
            sections: SectionContent.lists(prefix, pieces.byItem) + SectionContent.lists("\(prefix).pieces", pieces.items),
            rules: rules)
    }

    var wholeHistoryRules: [SourceRule] {
        weighting.recencyBoost > 0 ? [SourceRule(kind: .recent), SourceRule(kind: .flat)] : [SourceRule(kind: .flat)]
    }

    /// Made where they are needed: of ten million events they take 60 MB and less than a second.
    private func flatRows(limit: Int = .max, _ span: ProgressSpan) throws(FitError) -> SparseRows {
        var flat = weighting
        flat.recencyBoost = 0
        return try matrix.userItems(flat, limit: limit, threads: configuration.threads, span)
    }

    /// The pairs of a history grow with its square, so long ones take part with their newest events.
    func recentRows(_ span: ProgressSpan) throws(FitError) -> SparseRows { try flatRows(limit: 500, span) }

    private func spectrum(_ ingredient: Ingredient, _ prefix: String, _ span: ProgressSpan) throws(FitError) -> FittedPart? {
        let (vectors, degrees, spectrum) = try spectrum(rank: plan.spectrumRank, span)
        var part = spectrumPart(ingredient, prefix, vectors, degrees, rank: plan.spectrumRank)
        part.sections += SharpeningPart.sections(spectrum, scaled: vectors, prefix: prefix)
        part.rules = ingredient.rules(part.rules)
        return part
    }

    /// Items x rank, the strongest singular vectors times the roots of the items' degrees, the degrees, and what was found.
    func spectrum(
        rank: Int, _ span: ProgressSpan
    ) throws(FitError) -> (vectors: [Float], degrees: [Float], spectrum: SpectrumFit.Spectrum) {
        let items = matrix.itemCount
        let (normalized, degrees) = GraphFit.normalize(try flatRows(span), itemCount: items)
        let spectrum = try SpectrumFit(rank: rank, seed: configuration.seed, threads: configuration.threads)
            .fit(normalized, itemCount: items, span)
        var vectors = spectrum.vectors
        for item in 0..<items {
            let root = degrees[item].squareRoot()
            for index in item * rank..<(item + 1) * rank { vectors[index] *= root }
        }
        return (vectors, degrees, spectrum)
    }

    func spectrumPart(_ ingredient: Ingredient, _ prefix: String, _ vectors: [Float], _ degrees: [Float], rank: Int) -> FittedPart {
        let sections =
            ItemVectors.sections(vectors, dimensions: rank, prefix: prefix)
            + [SectionContent("\(prefix).sources", degrees.map { $0 > 0 ? 1 / $0 : 0 })]
        return FittedPart(ingredient: ingredient, sections: sections, rules: wholeHistoryRules)
    }

    /// Square roots of the events per item over their root mean square, each event halved for every twentieth of all events that came after it; all
    /// alike without a clock.
    func popularityLevels() -> [Float] {
        var levels = [Float](repeating: 0, count: matrix.itemCount)
        let times = plan.hasClock ? matrix.timestamps : []
        let newest = Double(times.max() ?? 0)
        let halfLife = times.isEmpty ? 1 : max(1, newest - Double(valueInOrder(times, at: times.count * 19 / 20)))
        for position in matrix.items.indices {
            let age = times.isEmpty ? 0 : (newest - Double(times[position])) / halfLife
            levels[Int(matrix.items[position])] += exp2f(Float(-age))
        }
        let scale = (levels.reduce(0, +) / Float(max(1, levels.count))).squareRoot()
        return levels.map { $0.squareRoot() / max(scale, .leastNormalMagnitude) }
    }
}

/// What would stand at a place if the values were sorted, without a sorted copy: halves the range that it may lie in.
func valueInOrder(_ values: [Int64], at place: Int) -> Int64 {
    guard var low = values.min(), var high = values.max() else { return 0 }
    while low < high {
        // As unsigned numbers, for the range of signed ones may be larger than any of them.
        let middle = low &+ Int64(bitPattern: UInt64(bitPattern: high &- low) / 2)
        let count = values.count { $0 <= middle }
        if count > place { high = middle } else { low = middle + 1 }
    }
    return low
}
