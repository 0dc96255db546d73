import JSON
import Ranking
import Tastemaker
import Web

extension ConsoleRoutes {
    static let solutions: [ConsoleRoute] = [
        .group(.get, "/solutions", .viewOperation, SolutionPages.list),
        .group(.get, "/new-solution", .operators) { visit, group in try SolutionPages.newForm(visit, group, FormState()) },
        .group(.post, "/solutions", .operators, SolutionPages.create),
        .group(.get, "/solutions/{solution}", .viewOperation, SolutionPages.show),
        .group(.post, "/solutions/{solution}/train", .operators, SolutionPages.train),
        .group(.get, "/solutions/{solution}/delete", .operators, SolutionPages.confirmDeletion),
        .group(.post, "/solutions/{solution}/delete", .operators, SolutionPages.delete),
        .group(.get, "/solutions/{solution}/{version}", .viewOperation, VersionPage.show),
        .group(.post, "/solutions/{solution}/{version}/stop", .operators, SolutionPages.stop),
    ]
}

enum SolutionPages {
    /// What a recipe is good for, in the words of people.
    static func purpose(_ recipe: RecipeName) -> String { recipe.description.fullSentence }

    static func list(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let page = try visit.environment.listSolutions(
            datasetGroupARN: visit.arn(.datasetGroup, group.name), visit.pageRequest(), by: visit.caller)
        let format = PageFormat(group)
        return try visit.render(
            "models/solutions",
            [
                "canChange": .bool(visit.may(.operators)), "newURL": .url(.page(group, "new-solution")),
                "isEmpty": .bool(page.items.isEmpty),
                "solutions": .list(
                    page.items.map { solution in
                        [
                            "name": .text(solution.name), "url": .url(.solution(solution.name, group)),
                            "recipe": .text(solution.recipe.rawValue),
                            "status": StatusBadge.value(solution.status), "nextTraining": format.moment(solution.nextTrainingAt),
                            "createdAt": format.moment(solution.createdAt),
                        ]
                    }), "pager": try visit.pager(next: page.nextToken, base: .solutions(group)),
            ])
    }

    static func newForm(_ visit: Visit, _ group: DatasetGroup, _ state: FormState) throws -> Response {
        let recipes = RecipeName.allCases.filter { $0.description.useCase == nil && $0.description.servedBy == nil }.map {
            (value: $0.rawValue, label: "\($0.rawValue) – \(purpose($0))")
        }
        return try visit.render(
            "models/new-solution",
            [
                "name": state.field("name"), "recipes": state.options("recipe", recipes, default: "aws-user-personalization"),
                "eventType": state.field("eventType"), "trainsDaily": state.isChecked("automatic", default: true),
                "trains": state.isChecked("train"), "trainingProblem": state.error("train"),
                "problem": state.otherError(besides: ["name", "eventType", "train"]), "actionURL": .url(.solutions(group)),
                "backURL": .url(.solutions(group)),
            ])
    }

    static func create(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        try visit.submit { form in
            var input = CreateSolutionInput(
                name: form.text("name") ?? "", datasetGroupARN: visit.arn(.datasetGroup, group.name),
                recipeARN: visit.arn(.recipe, form.text("recipe") ?? ""))
            input.eventType = form.text("eventType")
            input.performsAutoTraining = form["automatic"] != nil
            let trains = form["train"] != nil
            let solution = try visit.environment.createSolution(input, trains: trains, by: visit.caller)
            let next = trains ? " Its training waits for a worker." : ""
            return visit.redirect(to: .solution(solution.name, group), .good("The solution \(solution.name) is there." + next))
        } orShow: {
            try newForm(visit, group, $0)
        }
    }

    static func show(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let arn = try solutionARN(visit)
        let solution = try visit.environment.describeSolution(arn: arn, by: visit.caller).solution
        let versions = try visit.environment.listSolutionVersions(solutionARN: arn, visit.pageRequest(20), by: visit.caller)
        let campaigns = try visit.environment.listCampaigns(solutionARN: arn, PageRequest(), by: visit.caller).items
        let format = PageFormat(group)
        let isTraining = versions.items.contains { StatusBadge.isUnsettled($0.status) }
        return try visit.render(
            "models/solution",
            [
                "name": .text(solution.name), "recipe": .text(solution.recipe.rawValue), "purpose": .text(purpose(solution.recipe)),
                "status": StatusBadge.value(solution.status), "eventType": .text(solution.eventType ?? "all events"),
                "schedule": .text(solution.performsAutoTraining ? "yes, when there is something new" : "no"),
                "nextTraining": format.moment(solution.nextTrainingAt), "canChange": .bool(visit.may(.operators)),
                "quality": .text(MetricText(MetricText.lead(solution.recipe), solution.recipe).meaning),
                "isTraining": .bool(isTraining), "solutionsURL": .url(.solutions(group)),
                "trainURL": .url(.page(group, "solutions", solution.name, "train")),
                "deleteURL": .url(.page(group, "solutions", solution.name, "delete")),
                "newCampaignURL": .url(.page(group, "new-campaign", query: [("solution", solution.name)])),
                "versions": .list(versions.items.map { version($0, group, format) }), "isEmpty": .bool(versions.items.isEmpty),
                "campaigns": .list(
                    campaigns.map {
                        ["name": .text($0.name), "url": .url(.campaign($0.name, group)), "version": .text($0.versionPath)] as ViewModel
                    }),
                "hasCampaigns": .bool(!campaigns.isEmpty),
                "makesSegments": .bool(solution.recipe.description.makesSegments),
                "canDeploy": .bool(
                    visit.may(.operators) && !solution.recipe.description.makesSegments && versions.items.contains { $0.status == .active }),
                "pager": try visit.pager(next: versions.nextToken, base: .solution(solution.name, group)),
            ])
    }

    private static func version(_ version: SolutionVersion, _ group: DatasetGroup, _ format: PageFormat) -> ViewModel {
        let lead = version.metrics.first { $0.name == MetricText.lead(version.solution.recipe) }
        return [
            "name": .text(version.suffix), "url": .url(.page(group, "solutions", version.solution.name, version.suffix)),
            "status": StatusBadge.value(version.status), "type": version.trainingType == .manual ? "by hand" : "by schedule",
            "interactions": .text(version.interactionCount.map { PageFormat.number($0) } ?? "–"),
            "metric": .text(lead.map { PageFormat.decimal($0.value, places: 4) } ?? "–"), "createdAt": format.moment(version.createdAt),
        ]
    }

    static func train(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let name = try visit.pathText("solution")
        do {
            let version = try visit.environment.createSolutionVersion(
                CreateSolutionVersionInput(solutionARN: solutionARN(visit)), by: visit.caller)
            return visit.redirect(to: .page(group, "solutions", name, version.suffix), .good("The training waits for a worker."))
        } catch let error as OperationError {
            switch error {
            case .inUse, .invalidInput, .limitExceeded: return visit.redirect(to: .solution(name, group), .bad(error.sentence))
            default: throw error
            }
        }
    }

    static func stop(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let version = try findVersion(visit)
        let page = URLValue.page(group, "solutions", version.solution.name, version.suffix)
        do {
            try visit.environment.stopSolutionVersionCreation(arn: visit.arn(.solution, version.path), by: visit.caller)
            return visit.redirect(to: page, .good("The training stops."))
        } catch OperationError.inUse(let sentence) {
            return visit.redirect(to: page, .bad(sentence))
        }
    }

    static func confirmDeletion(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let solution = try visit.environment.describeSolution(arn: solutionARN(visit), by: visit.caller).solution
        return try ConfirmPage(
            thing: "the solution \(solution.name)", consequence: "Its versions go with it: their models, figures and logs.",
            deleteURL: .page(group, "solutions", solution.name, "delete"), backURL: .solution(solution.name, group)
        ).show(visit)
    }

    static func delete(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let name = try visit.pathText("solution")
        do {
            try visit.environment.deleteSolution(arn: solutionARN(visit), by: visit.caller)
            return visit.redirect(to: .solutions(group), .good("The solution \(name) is deleted."))
        } catch OperationError.inUse(let sentence) {
            return visit.redirect(to: .solution(name, group), .bad(sentence))
        }
    }

    private static func solutionARN(_ visit: Visit) throws -> String { try visit.arn(.solution, visit.pathText("solution")) }

    static func findVersion(_ visit: Visit) throws -> SolutionVersion {
        let path = try "\(visit.pathText("solution"))/\(visit.pathText("version"))"
        return try visit.environment.describeSolutionVersion(arn: visit.arn(.solution, path), by: visit.caller)
    }
}
