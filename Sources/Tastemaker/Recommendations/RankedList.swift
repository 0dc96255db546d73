import FilterLanguage

extension Recommending {
    /// The caller's own items in order, as far as filters and hides let them. A pin takes its place in the list, boosts and buries move;
    /// an item that the caller did not name never enters. The campaign's re-ranking orders what is left to it.
    mutating func rank(
        _ inputs: [String], _ source: CandidateSource, _ allowed: RowBitmap?, _ rules: LiveRules, _ options: CampaignOptions
    ) -> [ChosenItem] {
        let candidates = scored(inputs, source, allowed)
        guard !rules.pins.isEmpty || !rules.factors.isEmpty, !candidates.isEmpty else {
            return reranked(candidates.map { ChosenItem(candidate: $0) }, [], options, rules: nil, source)
        }
        let byItem = Dictionary(candidates.map { ($0.item, $0) }) { first, _ in first }
        let plan = rules.plan(candidates: candidates.map(\.item))
        let items = plan.place(Recommending.scores(candidates), count: candidates.count) { byItem[$0] != nil }.compactMap { placed in
            byItem[placed.item].map { ChosenItem(candidate: $0, promotion: placed.promotion) }
        }
        return reranked(items, [], options, rules: plan, source)
    }

    /// Every input once: scored ones first, unknown ones at the end.
    private func scored(_ inputs: [String], _ source: CandidateSource, _ allowed: RowBitmap?) -> [Candidate] {
        var ids: [Int32] = []
        var seen: Set<Int32> = []
        for text in inputs {
            guard let id = catalogue.keys.id(text), seen.insert(id).inserted else { continue }
            if let allowed, Int(id) >= allowed.count || !allowed[Int(id)] { continue }
            ids.append(id)
        }
        return source.candidates(allowed, count: ids.count, inputs: ids, scratches)
    }
}
