import CBLAS

extension IngredientFit {
    /// What metadata gives a blend. `targets` are the items that are to be scored; all when nil.
    func fitContent(
        _ ingredient: Ingredient, prefix: String, targets: [Bool]? = nil, _ span: ProgressSpan
    ) throws(FitError) -> FittedPart? {
        guard let features = plan.features, let space = plan.content else { return nil }
        let items = matrix.itemCount
        let learned = matrix.metItems()
        switch ingredient {
        case .content:
            guard let vectors = try space.regression(learned: learned, ridge: plan.contentRidge, span) else { return nil }
            return spectrumPart(ingredient, prefix, vectors, [Float](repeating: 1, count: items), rank: space.rank)
        case .likeness:
            let lists = try likeness(space, targets: targets, span)
            guard !lists.rows.isEmpty else { return nil }
            return FittedPart(ingredient: ingredient, sections: SectionContent.lists(prefix, lists), rules: wholeHistoryRules)
        case .contentLevel:
            let levels = LevelRidge(features: features, ridge: plan.contentRidge).levels(popularityLevels(), learned: learned)
            let scale = (levels.reduce(0) { $0 + $1 * $1 } / Float(max(1, items))).squareRoot()
            guard scale > 0, scale.isFinite else { return nil }
            return FittedPart(
                ingredient: ingredient, sections: [SectionContent("\(prefix).levels", levels.map { $0 / scale })],
                rules: [SourceRule()])
        case .contentGraph: return try foretoldGraph(space, learned, prefix, span)
        case .likenessGraph:
            let lists = try likenessGraph(space, learned, targets: targets, span)
            guard !lists.rows.isEmpty else { return nil }
            return FittedPart(ingredient: ingredient, sections: SectionContent.lists(prefix, lists), rules: wholeHistoryRules)
        default: return nil
        }
    }

    /// By source. Likeness is symmetric: where only few items will ask, their own lists say nearly the same as those of all others.
    private func likeness(_ space: ContentSpace, targets: [Bool]?, _ span: ProgressSpan) throws(FitError) -> NeighborLists {
        let items = matrix.itemCount
        if targets == nil, let asking, asking.count * 2 < items {
            return try ContentFit(space: space, limit: Self.askedTargets, threads: configuration.threads).alike(asking, span)
        }
        let wanted = (0..<Int32(items)).filter { targets?[Int($0)] ?? true }
        let fit = ContentFit(space: space, limit: plan.contentSources(of: wanted.count), threads: configuration.threads)
        return try fit.likeness(targets: wanted, span)
    }

    /// By source, for items that nobody met.
    private func likenessGraph(
        _ space: ContentSpace, _ learned: [Bool], targets: [Bool]?, _ span: ProgressSpan
    ) throws(FitError) -> NeighborLists {
        let items = matrix.itemCount
        let wanted = (0..<Int32(items)).filter { !learned[Int($0)] && targets?[Int($0)] ?? true }
        let alike = try ContentFit(space: space, limit: LikenessGraph.neighbors, threads: configuration.threads)
            .alike(wanted, among: learned, span.part(0, 0.7))
        let graph = LikenessGraph(
            normalized: GraphFit.normalize(try recentRows(span), itemCount: items).rows, limit: plan.contentSources(of: wanted.count),
            threads: configuration.threads)
        return try graph.fit(wanted, alike, span.part(0.7, 1)).transposed()
    }

    /// The spectrum of the item graph, whose vectors are foretold where nobody met an item (Gantner et al. 2010, "Learning
    /// attribute-to-feature mappings for cold-start recommendations"): y_j' Y'V, with y the vectors of the regression on metadata and V
    /// those of the spectrum, zero for such items.
    private func foretoldGraph(
        _ space: ContentSpace, _ learned: [Bool], _ prefix: String, _ span: ProgressSpan
    ) throws(FitError) -> FittedPart? {
        guard let known = try space.regression(learned: learned, ridge: plan.contentRidge, span.part(0, 0.1)) else { return nil }
        let items = matrix.itemCount
        let rank = min(BlendPlan.foretoldRank, plan.spectrumRank)
        var (vectors, degrees, _) = try spectrum(rank: rank, span.part(0.1, 1))
        let (d, k) = (Int32(space.rank), Int32(rank))
        var mapping = [Float](repeating: 0, count: space.rank * rank)
        var foretold = [Float](repeating: 0, count: items * rank)
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, d, k, Int32(items), 1, known, d, vectors, k, 0, &mapping, k)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(items), k, d, 1, known, d, mapping, k, 0, &foretold, k)
        for item in 0..<items where !learned[item] {
            for index in item * rank..<(item + 1) * rank { vectors[index] = foretold[index] }
        }
        return spectrumPart(.contentGraph, prefix, vectors, degrees, rank: rank)
    }
}
