import FilterLanguage
import Ranking

extension Recommending {
    /// The items as the caller reads them: external ids, scores, reasons, displays, metadata.
    func dress(_ choice: Choice, _ plan: RequestPlan, hasScores: Bool) -> [RecommendedItem] {
        let showsDisplay = plan.placement != nil || request.explains
        return choice.items.compactMap { chosen in
            let item = chosen.candidate.item
            guard let text = catalogue.keys.text(item) else { return nil }
            return RecommendedItem(
                itemID: text, score: hasScores ? chosen.candidate.score : nil, reasons: reasons(chosen, choice, plan),
                promotionName: chosen.isRequestPromoted ? request.promotion?.name : nil,
                metadata: request.metadataColumns.isEmpty ? [] : catalogue.metadata(item, request.metadataColumns),
                display: showsDisplay ? catalogue.display(item, group.display) : ItemDisplay())
        }
    }

    private func reasons(_ chosen: ChosenItem, _ choice: Choice, _ plan: RequestPlan) -> [RecommendedItem.Reason] {
        var reasons: [RecommendedItem.Reason] = []
        if let id = chosen.promotion, let promotion = choice.rules.promotion(id) {
            reasons.append(.promotion(id: id, name: promotion.name, kind: promotion.definition.kind.rawValue))
        }
        if chosen.isRequestPromoted { reasons.append(.promotion(id: 0, name: request.promotion?.name ?? "", kind: "share")) }
        switch chosen.candidate.kind {
        case .personal: reasons += chosen.candidate.contributions.compactMap(historyReason)
        case .related: if let item = request.itemID { reasons.append(.related(itemID: item)) }
        case .popular: reasons.append(.popular)
        case .trending: reasons.append(.trending)
        case .newest: reasons.append(.newest)
        case .exploration: reasons.append(.exploration)
        case .fill: if chosen.promotion == nil, !chosen.isRequestPromoted { reasons.append(.fill) }
        case .unknown: break
        }
        if request.explains, let place = chosen.movedFrom { reasons.append(.reranked(from: place + 1)) }
        return reasons
    }

    private func historyReason(_ contribution: Contribution) -> RecommendedItem.Reason? {
        guard let text = catalogue.keys.text(contribution.historyItem) else { return nil }
        let newest = history.last { $0.item == contribution.historyItem }
        let type = newest.flatMap { Int($0.eventType) < group.eventTypes.count ? group.eventTypes[Int($0.eventType)] : nil }
        return .history(
            itemID: text, title: catalogue.title(contribution.historyItem, group.display), eventType: type ?? "",
            share: Double(contribution.share))
    }
}
