import Ranking
public import Tastemaker
import Web

/// A campaign with the panel that shows what it would answer. The address holds all that was chosen; nothing is recorded.
enum TryPage {
    private struct Choice {
        var userID: String?
        var itemText = ""
        var item: CatalogueItem?
        /// Items that the typed title could mean.
        var candidates: [CatalogueItem] = []
        var filter: Filter?
        var values: [String: String] = [:]
        var count = 10
        /// Re-ranking that is tried instead of the stored one.
        var options: CampaignOptions?
        var isAsked = false
        /// Why it cannot be tried as it was given.
        var refusal: String?
    }

    static func show(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let campaign = try visit.environment.describeCampaign(arn: visit.arn(.campaign, visit.pathText("campaign")), by: visit.caller)
        let solution = try visit.environment.describeSolution(
            arn: visit.arn(.solution, String(campaign.versionPath.prefix { $0 != "/" })), by: visit.caller
        ).solution
        if solution.recipe.description.proposesActions { return try ActionTryPage.show(visit, group, campaign, solution) }
        let filters = try FilterPages.filters(visit, group).filter { $0.status == .active }
        let choice = try choice(visit, group, filters)
        let needs = solution.recipe.description.needs
        let columns = try visit.environment.campaignOptionColumns(datasetGroupID: group.id)
        let result = try answer(visit, campaign, choice)
        return try visit.render(
            "models/campaign",
            head(visit, group, campaign, solution).merging(
                panel(visit, group, campaign, choice, filters, needsItem: needs.contains(.itemId))
            ).merging(RerankingForm.model(choice.options ?? campaign.options, stored: campaign.options, columns))
                .merging(try resultModel(visit, group, result)).merging(try exploration(visit, group, campaign, solution)))
    }

    /// What stands above and beside the panel of any campaign.
    static func head(_ visit: Visit, _ group: DatasetGroup, _ campaign: Campaign, _ solution: Solution) throws -> ViewModel {
        let versions = visit.may(.operators) ? try CampaignPages.deployable(visit, group) : []
        let follows = (try? CampaignConfig(campaign.config))?.followsLatestVersion ?? false
        return [
            "name": .text(campaign.name), "campaignsURL": .url(.campaigns(group)), "status": StatusBadge.value(campaign.status),
            "solution": .text(solution.name), "solutionURL": .url(.solution(solution.name, group)), "version": .text(campaign.versionPath),
            "recipe": .text(solution.recipe.rawValue),
            "follows": follows ? "the newest version by itself" : "this version until it is changed",
            "canChange": .bool(visit.may(.operators)), "canRerank": .bool(visit.may(.rerankCampaigns)),
            "optionsURL": .url(.page(group, "campaigns", campaign.name, "options")), "canSeeSolution": .bool(visit.may(.viewOperation)),
            "updatedAt": PageFormat(group).moment(campaign.updatedAt),
            "versions": FormState().options("version", versions, default: campaign.versionPath), "hasVersions": .bool(versions.count > 1),
            "versionURL": .url(.page(group, "campaigns", campaign.name, "version")),
            "deleteURL": .url(.page(group, "campaigns", campaign.name, "delete")),
        ]
    }

    private static func choice(_ visit: Visit, _ group: DatasetGroup, _ filters: [Filter]) throws -> Choice {
        let query = try visit.request.queryItems()
        var choice = Choice()
        choice.isAsked = query["try"] != nil
        choice.userID = query.text("user")
        choice.itemText = query.text("item") ?? ""
        if let given = query.text("count") {
            if let count = Int(given), (1...100).contains(count) {
                choice.count = count
            } else {
                choice.refusal = "The number of items is 1 to 100, not “\(given)”."
            }
        }
        if let id = query.text("itemId") {
            choice.item = try visit.environment.items([id], in: group, by: visit.caller).first
        } else if !choice.itemText.isEmpty {
            let found = try visit.environment.searchItems(in: group, text: choice.itemText, limit: 12, by: visit.caller)
            let wanted = choice.itemText.lowercased()
            choice.item = found.count == 1 ? found.first : found.first { $0.title.lowercased() == wanted || $0.itemID == choice.itemText }
            if choice.item == nil { choice.candidates = found }
        }
        do throws(OperationError) {
            choice.options = try RerankingForm.read(query)
        } catch { choice.refusal = error.sentence }
        if let name = query.text("filter") {
            choice.filter = filters.first { $0.name == name }
            if choice.filter == nil { choice.refusal = "There is no filter named “\(name)”." }
        }
        for placeholder in FilterPages.placeholders(choice.filter) { choice.values[placeholder] = query.text("p." + placeholder) }
        return choice
    }

    private enum Result {
        case notAsked
        case refused(String)
        case answered(RecommendationAnswer, milliseconds: Double)
    }

    private static func answer(_ visit: Visit, _ campaign: Campaign, _ choice: Choice) throws -> Result {
        guard choice.isAsked, choice.candidates.isEmpty else { return .notAsked }
        if let refusal = choice.refusal { return .refused(refusal) }
        if !choice.itemText.isEmpty, choice.item == nil { return .refused("No item has “\(choice.itemText)” in its title.") }
        var request = RecommendationRequest(target: .campaign(name: campaign.name))
        request.userID = choice.userID
        request.itemID = choice.item?.itemID
        request.count = choice.count
        request.filter = choice.filter.map { filter in
            RecommendationRequest.FilterUse(
                name: filter.name, values: choice.values.mapValues { FilterValueText.quoted($0) })
        }
        request.explains = true
        request.previewAt = visit.environment.now()
        request.previewOptions = try choice.options.map { options throws(OperationError) in
            try visit.environment.checkedCampaignOptions(arn: visit.arn(.campaign, campaign.name), options, by: visit.caller)
        }
        let start = ContinuousClock.now
        do {
            let answer = try visit.services.recommendations.recommend(request, by: visit.caller)
            let spent = ContinuousClock.now - start
            return .answered(answer, milliseconds: Double(spent.components.attoseconds) / 1e15 + Double(spent.components.seconds) * 1000)
        } catch {
            switch error {
            case .invalidInput, .inUse, .unavailable, .notFound, .limitExceeded: return .refused(error.sentence)
            default: throw error
            }
        }
    }

    private static func panel(
        _ visit: Visit, _ group: DatasetGroup, _ campaign: Campaign, _ choice: Choice, _ filters: [Filter], needsItem: Bool
    ) -> ViewModel {
        let base = URLValue.campaign(campaign.name, group)
        let candidates: [ViewModel] = choice.candidates.map { item in
            let query = [
                ("try", "1"), ("user", choice.userID ?? ""), ("item", item.title), ("itemId", item.itemID),
                ("filter", choice.filter?.name ?? ""),
            ]
            return ItemCard.model(item, PageFormat(group)).merging([
                "url": .url(.page(group, "campaigns", campaign.name, query: query))
            ])
        }
        let fields: ViewModel = [
            "tryURL": .url(base), "needsItem": .bool(needsItem), "user": .text(choice.userID ?? ""),
            "item": .text(choice.item?.title ?? choice.itemText), "itemId": .text(choice.item?.itemID ?? ""),
            "itemsURL": .url(.items(group)), "visitorsURL": .url(.page(group, "visitor-ids")),
            "count": .number(choice.count), "candidates": .list(candidates), "hasCandidates": .bool(!candidates.isEmpty),
        ]
        return fields.merging(filterFields(filters, choice.filter, choice.values))
    }

    /// The choice of a filter, and a field for each of its parameters.
    static func filterFields(_ filters: [Filter], _ chosen: Filter?, _ values: [String: String]) -> ViewModel {
        let fields: [ViewModel] = FilterPages.placeholders(chosen).map { name in
            ["name": .text("p." + name), "label": .text(name), "value": .text(values[name] ?? "")]
        }
        return [
            "filters": FormState().options(
                "filter", [(value: "", label: "none")] + filters.map { (value: $0.name, label: $0.name) }, default: chosen?.name ?? ""),
            "hasFilters": .bool(!filters.isEmpty), "parameters": .list(fields),
        ]
    }

    private static func resultModel(_ visit: Visit, _ group: DatasetGroup, _ result: Result) throws -> ViewModel {
        switch result {
        case .notAsked: return ["isAnswered": false, "refusal": false]
        case .refused(let sentence): return ["isAnswered": false, "refusal": .text(sentence)]
        case .answered(let answer, let milliseconds):
            let format = PageFormat(group)
            let titles = try titles(of: answer, visit, group)
            return [
                "isAnswered": true, "refusal": false, "isEmptyAnswer": .bool(answer.items.isEmpty),
                "rung": .text(RungText.label(answer.rung)),
                "rungKind": .text(answer.rung == .model && !answer.isDegraded ? "good" : "warn"),
                "elapsed": .text(PageFormat.decimal(milliseconds, places: 1) + " ms"),
                "notes": .list(answer.notes.map { ["text": .text($0)] as ViewModel }),
                "cards": .list(answer.items.map { ItemCard.model($0, titles: titles, format) }),
            ]
        }
    }

    /// What exploration found, when somebody asks: it is counted from the lists of four weeks at most.
    private static func exploration(_ visit: Visit, _ group: DatasetGroup, _ campaign: Campaign, _ solution: Solution) throws -> ViewModel {
        let explores = solution.recipe.description.explores
        let closed: ViewModel = [
            "explores": .bool(explores), "hasExploration": false, "exploration": [],
            "explorationURL": .url(.page(group, "campaigns", campaign.name, query: [("exploration", "1")])),
        ]
        guard explores, try visit.request.query("exploration") != nil else { return closed }
        let report = try visit.environment.explorationReport(campaignARN: visit.arn(.campaign, campaign.name), by: visit.caller)
        return closed.merging(["hasExploration": true, "exploration": .list(ExplorationText.sentences(report).map { ["text": .text($0)] })])
    }

    /// Titles of the items that reasons name by id only.
    private static func titles(of answer: RecommendationAnswer, _ visit: Visit, _ group: DatasetGroup) throws -> [String: String] {
        var ids: Set<String> = []
        for reason in answer.items.flatMap(\.reasons) {
            switch reason {
            case .history(let id, nil, _, _): ids.insert(id)
            case .related(let id): ids.insert(id)
            default: break
            }
        }
        let items = try visit.environment.items(Array(ids), in: group, by: visit.caller)
        return Dictionary(items.map { ($0.itemID, $0.title) }, uniquingKeysWith: { first, _ in first })
    }
}

/// What filled a list, for people.
public enum RungText {
    public static func label(_ rung: RecommendationAnswer.Rung) -> String {
        switch rung {
        case .model: "from the model"
        case .popular: "popular items"
        case .newest: "newest items"
        case .empty: "nothing to show"
        }
    }
}

/// A value of a filter parameter as the protocol wants it: quoted values separated by commas.
enum FilterValueText {
    /// What a person types, `Lamps, Chairs`, as `"Lamps","Chairs"`. Numbers stay; what is quoted already stays.
    static func quoted(_ text: String) -> String {
        if text.contains("\"") || Double(text) != nil { return text }
        return text.split(separator: ",").map { "\"" + trimmed($0) + "\"" }.joined(separator: ",")
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
