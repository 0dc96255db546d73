import JSON
import Ranking
import Tastemaker
import Web

extension ConsoleRoutes {
    static let campaigns: [ConsoleRoute] = [
        .group(.get, "/campaigns", .tryCampaigns, CampaignPages.list),
        .group(.get, "/new-campaign", .operators) { visit, group in try CampaignPages.newForm(visit, group, FormState()) },
        .group(.post, "/campaigns", .operators, CampaignPages.create),
        .group(.get, "/campaigns/{campaign}", .tryCampaigns, TryPage.show),
        .group(.post, "/campaigns/{campaign}/version", .operators, CampaignPages.changeVersion),
        .group(.post, "/campaigns/{campaign}/options", .rerankCampaigns, CampaignPages.changeOptions),
        .group(.get, "/campaigns/{campaign}/delete", .operators, CampaignPages.confirmDeletion),
        .group(.post, "/campaigns/{campaign}/delete", .operators, CampaignPages.delete),
    ]
}

enum CampaignPages {
    static func list(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let page = try visit.environment.listCampaigns(solutionARN: nil, visit.pageRequest(), by: visit.caller)
        let format = PageFormat(group)
        return try visit.render(
            "models/campaigns",
            [
                "canChange": .bool(visit.may(.operators)), "newURL": .url(.page(group, "new-campaign")),
                "isEmpty": .bool(page.items.isEmpty),
                "solutionsURL": .url(.solutions(group)),
                "campaigns": .list(
                    page.items.map { campaign in
                        [
                            "name": .text(campaign.name), "url": .url(.campaign(campaign.name, group)),
                            "version": .text(campaign.versionPath),
                            "status": StatusBadge.value(campaign.status), "updatedAt": format.moment(campaign.updatedAt),
                        ]
                    }), "pager": try visit.pager(next: page.nextToken, base: .campaigns(group)),
            ])
    }

    /// Versions that can be deployed, newest first: path and label.
    static func deployable(_ visit: Visit, _ group: DatasetGroup) throws -> [(value: String, label: String)] {
        let format = PageFormat(group)
        return try visit.environment.listSolutionVersions(solutionARN: nil, PageRequest(), by: visit.caller).items
            .filter { $0.status == .active && !$0.solution.recipe.description.makesSegments }
            .map { (value: $0.path, label: "\($0.solution.name), trained \(format.time.text($0.updatedAt))") }
    }

    static func newForm(_ visit: Visit, _ group: DatasetGroup, _ state: FormState) throws -> Response {
        let versions = try deployable(visit, group)
        let wanted = try visit.request.query("solution")
        let chosen = versions.first { $0.value.hasPrefix((wanted ?? "") + "/") } ?? versions.first
        return try visit.render(
            "models/new-campaign",
            [
                "name": state.field("name", default: wanted ?? ""),
                "versions": state.options("version", versions, default: chosen?.value ?? ""),
                "hasVersions": .bool(!versions.isEmpty), "follows": state.isChecked("follows", default: true),
                "problem": state.otherError(besides: ["name"]), "actionURL": .url(.campaigns(group)), "backURL": .url(.campaigns(group)),
                "solutionsURL": .url(.solutions(group)),
            ])
    }

    static func create(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        try visit.submit { form in
            let path = form.text("version") ?? ""
            let follows = form["follows"] != nil
            let version = follows ? String(path.prefix { $0 != "/" }) + "/$LATEST" : path
            let config: JSONValue? = follows ? ["syncWithLatestSolutionVersion": .bool(true)] : nil
            let campaign = try visit.environment.createCampaign(
                CreateCampaignInput(name: form.text("name") ?? "", solutionVersionARN: visit.arn(.solution, version), config: config),
                by: visit.caller)
            return visit.redirect(to: .campaign(campaign.name, group), .good("The campaign \(campaign.name) answers from now on."))
        } orShow: {
            try newForm(visit, group, $0)
        }
    }

    static func changeVersion(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let name = try visit.pathText("campaign")
        let form = try visit.form()
        let before = try visit.environment.describeCampaign(arn: visit.arn(.campaign, name), by: visit.caller)
        do {
            _ = try visit.environment.updateCampaign(
                UpdateCampaignInput(
                    campaignARN: visit.arn(.campaign, name), solutionVersionARN: visit.arn(.solution, form.text("version") ?? "")),
                by: visit.caller)
        } catch {
            switch error {
            case .inUse, .invalidInput: return visit.redirect(to: .campaign(name, group), .bad(error.sentence))
            default: throw error
            }
        }
        return visit.redirect(
            to: .campaign(name, group), .good("The campaign answers from another version now; before it was \(before.versionPath)."))
    }

    static func changeOptions(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let name = try visit.pathText("campaign")
        do {
            let asked = try RerankingForm.read(try visit.form()) ?? .none
            let options = try visit.environment.updateCampaignOptions(arn: visit.arn(.campaign, name), asked, by: visit.caller)
            let sentence = options.isNone ? "The campaign re-ranks nothing any more." : "Lists are re-ranked now: \(options.sentence)."
            return visit.redirect(to: .campaign(name, group), .good(sentence))
        } catch OperationError.invalidInput(let sentence, _) {
            return visit.redirect(to: .campaign(name, group), .bad(sentence))
        }
    }

    static func confirmDeletion(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let campaign = try visit.environment.describeCampaign(arn: visit.arn(.campaign, visit.pathText("campaign")), by: visit.caller)
        return try ConfirmPage(
            thing: "the campaign \(campaign.name)",
            consequence: "Programs that ask it get an error from then on, and placements that show it go on with their fallback. "
                + "The solution and its versions stay.",
            deleteURL: .page(group, "campaigns", campaign.name, "delete"), backURL: .campaign(campaign.name, group)
        ).show(visit)
    }

    static func delete(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let name = try visit.pathText("campaign")
        do {
            try visit.environment.deleteCampaign(arn: visit.arn(.campaign, name), by: visit.caller)
            return visit.redirect(to: .campaigns(group), .good("The campaign \(name) is deleted."))
        } catch OperationError.inUse(let sentence) {
            return visit.redirect(to: .campaign(name, group), .bad(sentence))
        }
    }
}
