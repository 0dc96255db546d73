import FilterLanguage
import Ranking

extension Recommending {
    /// How lists of this request are put in order anew.
    func options(_ plan: RequestPlan) -> CampaignOptions { request.previewOptions ?? plan.campaign?.options ?? .none }

    /// Candidates that a list of so many items is chosen from: enough for variety, and few enough to compare with each other.
    static func rerankingPool(_ count: Int) -> Int { max(count, min(400, max(100, 4 * count))) }

    /// The list in its new order. Whatever a promotion placed or moved stands where it stood.
    /// - Parameters:
    ///   - items: as the rules made it.
    ///   - candidates: all that the list could hold, the most relevant first.
    ///   - promoted: items of the request's own promotion, which are woven in later.
    mutating func reranked(
        _ items: [ChosenItem], _ candidates: [Candidate], _ options: CampaignOptions, rules: RulePlan?, promoted: [Int32] = [],
        _ source: CandidateSource
    ) -> [ChosenItem] {
        guard !options.isNone, !items.isEmpty else { return items }
        let listed = Set(items.map(\.candidate.item))
        let pool = items + candidates.filter { !listed.contains($0.item) }.map { ChosenItem(candidate: $0) }
        let all = pool.map(\.candidate.item) + promoted
        var coder = ValueCoder(catalogue: catalogue)
        let described = all.enumerated().map { index, item -> RerankingCandidate in
            let score = index < pool.count ? pool[index].candidate.score : nil
            return coder.candidate(item, score: score.map { $0 * (rules?.factors[item]?.factor ?? 1) }, options)
        }
        var vectors: Reranking.Vectors?
        if options.lambda < 1, options.likenessColumn == nil {
            vectors = modelVectors(of: all, source)
            if vectors == nil, request.explains {
                notes.append("The model keeps no item vectors to tell likeness by: variety has no effect; name a column for it.")
            }
        }
        let reranking = Reranking(
            RerankingRule(lambda: options.lambda, caps: options.caps.map(\.most), valueWeight: options.valueWeight), described,
            vectors: vectors)
        let fixed = items.indices.filter { items[$0].promotion != nil }
        let order = reranking.order(
            count: items.count, fixed: Dictionary(uniqueKeysWithValues: fixed.map { ($0, $0) }), present: Array(pool.count..<all.count))
        if request.explains { explain(order, options) }
        return order.places.enumerated().map { place, index in
            var item = pool[index]
            if index != place { item.movedFrom = index }
            return item
        }
    }

    private func modelVectors(of items: [Int32], _ source: CandidateSource) -> Reranking.Vectors? {
        guard case .model(let model, _) = source else { return nil }
        return model.model.unitVectors(of: items)
    }

    private mutating func explain(_ order: Reranking.Order, _ options: CampaignOptions) {
        let moved = order.places.enumerated().count { $0.offset != $0.element }
        notes.append("Re-ranking (\(options.sentence)) changed \(moved) of \(order.places.count) places.")
        if order.relaxed > 0 {
            notes.append("\(order.relaxed) places go beyond a limit of the re-ranking, because no other item was left for them.")
        }
    }

    /// Reasons for items that were chosen without them: explaining the whole pool would cost ten times as much.
    func explained(_ items: [ChosenItem], _ source: CandidateSource) -> [ChosenItem] {
        let found = source.candidates(nil, count: items.count, inputs: items.map(\.candidate.item), scratches)
        let contributions = Dictionary(found.map { ($0.item, $0.contributions) }) { first, _ in first }
        return items.map { item in
            var item = item
            item.candidate.contributions = contributions[item.candidate.item] ?? []
            return item
        }
    }
}

extension CatalogueSnapshot {
    /// The values of a text column in a row; categorical columns may have several.
    func values(_ item: Int32, _ column: String) -> [String] {
        guard item >= 0, Int(item) < rowCount, case .text(let text)? = columns.value(row: Int(item), column: column) else { return [] }
        return text.split(separator: "|").map(String.init)
    }

    func number(_ item: Int32, _ column: String) -> Double? {
        guard item >= 0, Int(item) < rowCount, case .number(let number)? = columns.value(row: Int(item), column: column) else { return nil }
        return number
    }
}

/// Numbers the values of columns, so that they compare fast.
private struct ValueCoder {
    let catalogue: CatalogueSnapshot
    private var codes: [String: Int32] = [:]

    init(catalogue: CatalogueSnapshot) { self.catalogue = catalogue }

    mutating func candidate(_ item: Int32, score: Double?, _ options: CampaignOptions) -> RerankingCandidate {
        var capped: [[Int32]] = []
        for cap in options.caps { capped.append(coded(item, cap.column)) }
        let column = options.lambda < 1 ? options.likenessColumn : nil
        return RerankingCandidate(
            score: score, capped: capped, kinds: column.map { coded(item, $0) } ?? [],
            value: options.valueColumn.flatMap { catalogue.number(item, $0) })
    }

    private mutating func coded(_ item: Int32, _ column: String) -> [Int32] {
        var found: [Int32] = []
        for value in catalogue.values(item, column) {
            let code = codes[value] ?? Int32(codes.count)
            codes[value] = code
            if !found.contains(code) { found.append(code) }
        }
        return found
    }
}
