import FilterLanguage
import Tastemaker
import Web

/// A campaign that proposes actions, with the panel that shows what it would propose to a visitor. The address holds all that was chosen;
/// nothing is recorded.
enum ActionTryPage {
    private struct Choice {
        var userID: String?
        var filter: Filter?
        var values: [String: String] = [:]
        var count = 5
        /// Why it cannot be tried as it was given.
        var refusal: String?
    }

    static func show(_ visit: Visit, _ group: DatasetGroup, _ campaign: Campaign, _ solution: Solution) throws -> Response {
        let query = try visit.request.queryItems()
        let filters = try FilterPages.filters(visit, group, of: .action).filter { $0.status == .active }
        let choice = choice(query, filters)
        let panel: ViewModel = [
            "tryURL": .url(.campaign(campaign.name, group)), "user": .text(choice.userID ?? ""), "count": .number(choice.count),
            "visitorsURL": .url(.page(group, "visitor-ids")), "explores": false,
        ]
        return try visit.render(
            "models/action-campaign",
            try TryPage.head(visit, group, campaign, solution).merging(panel)
                .merging(TryPage.filterFields(filters, choice.filter, choice.values))
                .merging(query["try"] == nil ? ["isAnswered": false, "refusal": false] : answer(visit, group, campaign, choice)))
    }

    private static func choice(_ query: Form, _ filters: [Filter]) -> Choice {
        var choice = Choice(userID: query.text("user"))
        if let given = query.text("count") {
            if let count = Int(given), (1...100).contains(count) {
                choice.count = count
            } else {
                choice.refusal = "The number of actions is 1 to 100, not “\(given)”."
            }
        }
        if let name = query.text("filter") {
            choice.filter = filters.first { $0.name == name }
            if choice.filter == nil { choice.refusal = "There is no filter of actions named “\(name)”." }
        }
        for name in FilterPages.placeholders(choice.filter) { choice.values[name] = query.text("p." + name) }
        return choice
    }

    private static func answer(_ visit: Visit, _ group: DatasetGroup, _ campaign: Campaign, _ choice: Choice) throws -> ViewModel {
        if let refusal = choice.refusal { return refused(refusal) }
        var request = ActionRequest(campaign: campaign.name, userID: choice.userID ?? "", count: choice.count)
        request.filter = choice.filter.map { filter in
            .init(name: filter.name, values: choice.values.mapValues { FilterValueText.quoted($0) })
        }
        request.isPreview = true
        do {
            let isUnknown = try choice.userID.map { try visit.environment.describeUser($0, datasetGroupName: nil, by: visit.caller) == nil }
            let answer = try visit.services.recommendations.proposeActions(request, by: visit.caller)
            return model(answer).merging(["stranger": .text(isUnknown == true ? choice.userID : nil)])
        } catch let error as OperationError {
            switch error {
            case .invalidInput, .inUse, .unavailable, .notFound, .limitExceeded: return refused(error.sentence)
            default: throw error
            }
        }
    }

    private static func refused(_ sentence: String) -> ViewModel { ["isAnswered": false, "refusal": .text(sentence)] }

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
