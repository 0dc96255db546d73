import JSON
import Ranking
import Tastemaker
import Web

extension ConsoleRoutes {
    static let recommenders: [ConsoleRoute] = [
        .group(.get, "/recommenders", .viewOperation) { visit, group in try RecommenderPages.list(visit, group, FormState()) },
        .group(.post, "/recommenders", .operators, RecommenderPages.create),
        .group(.get, "/recommenders/{recommender}/delete", .operators, RecommenderPages.confirmDeletion),
        .group(.post, "/recommenders/{recommender}/delete", .operators, RecommenderPages.delete),
        .group(.post, "/recommenders/{recommender}/{action}", .operators, RecommenderPages.act),
    ]
}

/// Recommenders of a domain dataset group: what they are for, how far they are, and the switch.
enum RecommenderPages {
    static func list(_ visit: Visit, _ group: DatasetGroup, _ state: FormState) throws -> Response {
        let page = try visit.environment.listRecommenders(
            datasetGroupARN: visit.arn(.datasetGroup, group.name), visit.pageRequest(), by: visit.caller)
        let format = PageFormat(group)
        let useCases = RecipeName.allCases.map(\.description).filter { $0.useCase?.domain.rawValue == group.domain && group.domain != nil }
        return try visit.render(
            "models/recommenders",
            [
                "canChange": .bool(visit.may(.operators)), "canMake": .bool(visit.may(.operators) && !useCases.isEmpty),
                "isCustom": .bool(useCases.isEmpty), "isEmpty": .bool(page.items.isEmpty),
                "recommenders": .list(page.items.map { row($0, group, format) }), "name": state.field("name"),
                "recipes": state.options("recipe", useCases.map { (value: $0.name.rawValue, label: $0.sentence) }),
                "problem": state.otherError(besides: ["name"]), "actionURL": .url(.page(group, "recommenders")),
                "solutionsURL": .url(.solutions(group)), "newGroupURL": .url(.newGroup),
                "pager": try visit.pager(next: page.nextToken, base: .page(group, "recommenders")),
            ])
    }

    private static func row(_ recommender: Recommender, _ group: DatasetGroup, _ format: PageFormat) -> ViewModel {
        let lead = recommender.metrics.first { $0.name == "normalized_discounted_cumulative_gain_at_10" }
        let action: ViewValue =
            switch recommender.status {
            case .active: .object(["label": "Stop", "isQuiet": true, "url": .url(.page(group, "recommenders", recommender.name, "stop"))])
            case .inactive:
                .object(["label": "Start", "isQuiet": false, "url": .url(.page(group, "recommenders", recommender.name, "start"))])
            default: false
            }
        return [
            "name": .text(recommender.name), "recipe": .text(recommender.recipe.rawValue),
            "purpose": .text(recommender.recipe.description.sentence), "status": StatusBadge.value(recommender.status),
            "failure": .text(recommender.failureReason ?? recommender.latestUpdate?.failureReason),
            "metric": .text(lead.map { PageFormat.decimal($0.value, places: 4) } ?? "–"), "updatedAt": format.moment(recommender.updatedAt),
            "action": action, "deleteURL": .url(.page(group, "recommenders", recommender.name, "delete")),
        ]
    }

    static func create(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        try visit.submit { form in
            let recommender = try visit.environment.createRecommender(
                CreateRecommenderInput(
                    name: form.text("name") ?? "", datasetGroupARN: visit.arn(.datasetGroup, group.name),
                    recipeARN: visit.arn(.recipe, form.text("recipe") ?? "")), by: visit.caller)
            return visit.redirect(
                to: .page(group, "recommenders"), .good("The recommender \(recommender.name) answers when its training has ended."))
        } orShow: {
            try list(visit, group, $0)
        }
    }

    static func confirmDeletion(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let recommender = try visit.environment.describeRecommender(
            arn: visit.arn(.recommender, visit.pathText("recommender")), by: visit.caller)
        return try ConfirmPage(
            thing: "the recommender \(recommender.name)",
            consequence: "Programs that ask it get an error from then on, and what it was trained to goes with it.",
            deleteURL: .page(group, "recommenders", recommender.name, "delete"), backURL: .page(group, "recommenders")
        ).show(visit)
    }

    static func delete(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let name = try visit.pathText("recommender")
        let list = URLValue.page(group, "recommenders")
        do {
            try visit.environment.deleteRecommender(arn: visit.arn(.recommender, name), by: visit.caller)
            return visit.redirect(to: list, .good("The recommender \(name) is deleted."))
        } catch OperationError.inUse(let sentence) {
            return visit.redirect(to: list, .bad(sentence))
        }
    }

    static func act(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let name = try visit.pathText("recommender")
        let arn = visit.arn(.recommender, name)
        let list = URLValue.page(group, "recommenders")
        do {
            switch try visit.pathText("action") {
            case "start":
                _ = try visit.environment.startRecommender(arn: arn, by: visit.caller)
                return visit.redirect(to: list, .good("The recommender \(name) answers again."))
            case "stop":
                _ = try visit.environment.stopRecommender(arn: arn, by: visit.caller)
                return visit.redirect(to: list, .good("The recommender \(name) answers nobody and is not trained until it is started."))
            default: throw OperationError.notFound("There is no such page.")
            }
        } catch OperationError.inUse(let sentence) {
            return visit.redirect(to: list, .bad(sentence))
        }
    }
}
