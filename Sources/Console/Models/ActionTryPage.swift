import FilterLanguage
import Tastemaker
import Web

/// A campaign that proposes actions, with the panel that shows what it would propose to a visitor. The address holds all that was chosen;
/// nothing is recorded.
enum ActionTryPage {
    static func show(_ visit: Visit, _ group: DatasetGroup, _ campaign: Campaign, _ solution: Solution) throws -> Response {
        let query = try visit.request.queryItems()
        let filters = try FilterPages.filters(visit, group, of: .action).filter { $0.status == .active }
        let filter = query.text("filter").flatMap { name in filters.first { $0.name == name } }
        var values: [String: String] = [:]
        for name in FilterPages.placeholders(filter) { values[name] = query.text("p." + name) }
        var request = ActionRequest(campaign: campaign.name, userID: query.text("user") ?? "")
        request.count = query.text("count").flatMap { Int($0) }.map { min(max($0, 1), 100) } ?? 5
        request.filter = filter.map { .init(name: $0.name, values: values.mapValues { FilterValueText.quoted($0) }) }
        request.isPreview = true
        let panel: ViewModel = [
            "tryURL": .url(.campaign(campaign.name, group)), "user": .text(request.userID), "count": .number(request.count ?? 0),
            "visitorsURL": .url(.page(group, "visitor-ids")), "explores": false,
        ]
        return try visit.render(
            "models/action-campaign",
            try TryPage.head(visit, group, campaign, solution).merging(panel)
                .merging(TryPage.filterFields(filters, filter, values))
                .merging(query["try"] == nil ? ["isAnswered": false, "refusal": false] : answer(visit, request)))
    }

    private static func answer(_ visit: Visit, _ request: ActionRequest) throws -> ViewModel {
        do {
            return model(try visit.services.recommendations.proposeActions(request, by: visit.caller))
        } catch {
            switch error {
            case .invalidInput, .inUse, .unavailable, .notFound, .limitExceeded:
                return ["isAnswered": false, "refusal": .text(error.message)]
            default: throw error
            }
        }
    }

    private static func model(_ answer: ActionAnswer) -> ViewModel {
        [
            "isAnswered": true, "refusal": false, "isEmptyAnswer": .bool(answer.actions.isEmpty), "isDegraded": .bool(answer.isDegraded),
            "days": .number(answer.periodDays),
            "proposals": .list(
                answer.actions.enumerated().map { place, action in
                    let isKnown = action.score > 0
                    return [
                        "place": .number(place + 1), "name": .text(action.actionID),
                        "chance": .text(isKnown ? PageFormat.percent(action.score) : "not known yet"),
                        "bar": isKnown ? .html(ShareBar.html(action.score)) : false,
                    ] as ViewModel
                }),
        ]
    }
}
