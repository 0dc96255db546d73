import Tastemaker
import Web

extension ConsoleRoutes {
    static let placements: [ConsoleRoute] = [
        .group(.get, "/placements", .viewMarketing, PlacementPages.list),
        .group(.post, "/default-placements", .marketers, PlacementPages.createDefaults),
        .group(.get, "/new-placement", .marketers) { visit, group in try PlacementPages.form(visit, group, nil, FormState()) },
        .group(.post, "/new-placement", .marketers, PlacementPages.create),
        .group(.get, "/placements/{placement}", .viewMarketing, PlacementPages.show),
        .group(.get, "/placements/{placement}/edit", .marketers, PlacementPages.edit),
        .group(.post, "/placements/{placement}/edit", .marketers, PlacementPages.update),
        .group(.get, "/placements/{placement}/delete", .marketers, PlacementPages.confirmDeletion),
        .group(.post, "/placements/{placement}/delete", .marketers, PlacementPages.delete),
    ]
}

extension URLValue {
    static func placement(_ name: String, _ group: DatasetGroup) -> URLValue { page(group, "placements", name) }
}

enum PlacementPages {
    static func list(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let placements = try visit.environment.listPlacements(datasetGroupID: group.id, by: visit.caller)
        return try visit.render(
            "placements/list",
            [
                "isEmpty": .bool(placements.isEmpty), "canChange": .bool(visit.may(.marketers)),
                "newURL": .url(.page(group, "new-placement")), "defaultsURL": .url(.page(group, "default-placements")),
                "placements": .list(
                    placements.map { placement in
                        [
                            "placement": .text(placement.title), "showURL": .url(.placement(placement.name, group)),
                            "slug": .text(placement.name), "purpose": .text(purpose(placement.purpose)),
                            "campaign": .text(placement.campaignName ?? (placement.isAutomatic ? "waits for its first model" : "none")),
                            "filter": .text(placement.filterName ?? "none"), "items": .number(placement.itemCount),
                        ]
                    }),
            ])
    }

    static func createDefaults(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let all = try visit.environment.createDefaultPlacements(datasetGroupID: group.id, by: visit.caller)
        return visit.redirect(to: .placements(group), .good("\(PageFormat.count(all.count, "placement is", "placements are")) there now."))
    }

    static func show(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let placement = try visit.environment.describePlacement(
            name: visit.pathText("placement"), datasetGroupID: group.id, by: visit.caller)
        let format = PageFormat(group)
        let live = try visit.environment.listPromotions(datasetGroupID: group.id, by: visit.caller).filter { promotion in
            let state = promotion.state(at: visit.environment.now(), timeZone: group.zone)
            return (state == .live || state == .scheduled) && promotion.published?.definition.reaches(placement.name) == true
        }
        let experiments = try visit.environment.listExperiments(datasetGroupID: group.id, by: visit.caller).filter {
            $0.placementID == placement.id
        }
        var model: ViewModel = [
            "placement": .text(placement.title), "slug": .text(placement.name), "listURL": .url(.placements(group)),
            "editURL": .url(.page(group, "placements", placement.name, "edit")),
            "deleteURL": .url(.page(group, "placements", placement.name, "delete")), "canChange": .bool(visit.may(.marketers)),
            "purpose": .text(purpose(placement.purpose)), "campaign": .text(placement.campaignName),
            "campaignURL": placement.campaignName.map { .url(.campaign($0, group)) } ?? false,
            "filter": .text(placement.filterName ?? "none"), "items": .number(placement.itemCount),
            "fallback": .text(fallback(placement.fallback)), "isAutomatic": .bool(placement.isAutomatic),
            "updatedAt": format.moment(placement.updatedAt), "requestPath": .text("/v1/placements/\(placement.name)/recommendations"),
            "promotions": .list(
                live.map { ["promotion": .text($0.name), "showURL": .url(.promotion($0.id, group))] as ViewModel }),
            "hasPromotions": .bool(!live.isEmpty),
            "experiments": .list(
                experiments.map {
                    ["experiment": .text($0.name), "state": .text($0.state.rawValue), "showURL": .url(.experiment($0.id, group))]
                        as ViewModel
                }), "hasExperiments": .bool(!experiments.isEmpty),
        ]
        model = model.merging(try liveList(visit, group, placement, format))
        return try visit.render("placements/show", model)
    }

    /// What somebody nobody knows would see now; recorded nowhere. A list that cannot be made says why.
    private static func liveList(_ visit: Visit, _ group: DatasetGroup, _ placement: Placement, _ format: PageFormat) throws -> ViewModel {
        var request = RecommendationRequest(target: .placement(name: placement.name, datasetGroupID: group.id))
        request.previewAt = visit.environment.now()
        request.explains = true
        if placement.purpose.isAboutItem {
            request.itemID = try visit.environment.searchItems(in: group, text: "", limit: 1, by: visit.caller).first?.itemID
        }
        do throws(OperationError) {
            let answer = try visit.services.recommendations.recommend(request, by: visit.caller)
            return [
                "cards": .list(answer.items.map { ItemCard.model($0, format) }), "rung": .text(RungText.label(answer.rung)),
                "isModel": .bool(answer.rung == .model && !answer.isDegraded),
                "notes": .list(answer.notes.map { ["note": .text($0)] as ViewModel }), "problem": false,
            ]
        } catch {
            return ["cards": [], "rung": "no list", "isModel": false, "notes": [], "problem": .text(error.sentence)]
        }
    }

    static func edit(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let placement = try visit.environment.describePlacement(
            name: visit.pathText("placement"), datasetGroupID: group.id, by: visit.caller)
        return try form(visit, group, placement, FormState())
    }

    static func form(_ visit: Visit, _ group: DatasetGroup, _ old: Placement?, _ state: FormState) throws -> Response {
        let campaigns = try visit.environment.listCampaigns(solutionARN: nil, PageRequest(), by: visit.caller).items
        let filters = try FilterPages.filters(visit, group)
        let fields = ["name", "title", "campaign", "filter", "itemCount"]
        return try visit.render(
            "placements/form",
            [
                "heading": .text(old.map { "Edit \($0.title)" } ?? "New placement"), "listURL": .url(.placements(group)),
                "actionURL": .url(old.map { .page(group, "placements", $0.name, "edit") } ?? .page(group, "new-placement")),
                "problem": state.otherError(besides: fields), "name": state.field("name", default: old?.name ?? ""),
                "label": state.field("title", default: old?.title ?? ""),
                "itemCount": state.field("itemCount", default: String(old?.itemCount ?? 12)),
                "purposes": state.options(
                    "purpose", Placement.Purpose.allCases.map { ($0.rawValue, purpose($0)) }, default: old?.purpose.rawValue ?? "for-you"),
                "fallbacks": state.options(
                    "fallback", Placement.Fallback.allCases.map { ($0.rawValue, fallback($0)) },
                    default: old?.fallback.rawValue ?? "popular"),
                "campaigns": state.options(
                    "campaign", [("", "the product's own, by itself")] + campaigns.map { ($0.name, $0.name) },
                    default: old?.isAutomatic == true ? "" : old?.campaignName ?? ""),
                "filters": state.options(
                    "filter", [("", "none")] + filters.map { ($0.name, $0.name) }, default: old?.filterName ?? ""),
            ])
    }

    /// A campaign that a person chose stays; without one the product trains and deploys its own.
    private static func input(_ form: Form, keeping old: Placement?) -> PlacementInput {
        let campaign = form.text("campaign")
        let purpose = Placement.Purpose(rawValue: form["purpose"] ?? "") ?? .forYou
        let keeps = campaign == nil && old?.isAutomatic == true && old?.purpose == purpose
        return PlacementInput(
            name: form.text("name") ?? "", title: form.text("title") ?? "", purpose: purpose,
            campaign: keeps ? old?.campaignName : campaign, filter: form.text("filter"),
            itemCount: form.text("itemCount").flatMap { Int($0) } ?? 0,
            fallback: Placement.Fallback(rawValue: form["fallback"] ?? "") ?? .popular, isAutomatic: campaign == nil)
    }

    static func create(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        try visit.submit { form in
            let placement = try visit.environment.createPlacement(input(form, keeping: nil), datasetGroupID: group.id, by: visit.caller)
            return visit.redirect(to: .placement(placement.name, group), .good("\(placement.title) is there. It answers at once."))
        } orShow: {
            try form(visit, group, nil, $0)
        }
    }

    static func update(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let old = try visit.environment.describePlacement(name: visit.pathText("placement"), datasetGroupID: group.id, by: visit.caller)
        return try visit.submit { form in
            let placement = try visit.environment.updatePlacement(
                name: old.name, to: input(form, keeping: old), datasetGroupID: group.id, by: visit.caller)
            return visit.redirect(
                to: .placement(placement.name, group), .good("\(placement.title) is changed. The next list is the new one's."))
        } orShow: {
            try form(visit, group, old, $0)
        }
    }

    static func confirmDeletion(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let placement = try visit.environment.describePlacement(
            name: visit.pathText("placement"), datasetGroupID: group.id, by: visit.caller)
        return try ConfirmPage(
            thing: "the placement \(placement.title)", consequence: "Its place on the site stays empty from then on.",
            deleteURL: .page(group, "placements", placement.name, "delete"), backURL: .placement(placement.name, group)
        ).show(visit)
    }

    static func delete(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let name = try visit.pathText("placement")
        do throws(OperationError) {
            try visit.environment.deletePlacement(name: name, datasetGroupID: group.id, by: visit.caller)
        } catch {
            guard case .inUse(let sentence) = error else { throw error }
            return visit.redirect(to: .placement(name, group), .bad(sentence))
        }
        return visit.redirect(to: .placements(group), .good("The placement \(name) is deleted."))
    }

    static func purpose(_ purpose: Placement.Purpose) -> String {
        switch purpose {
        case .forYou: "for you"
        case .popular: "popular"
        case .similar: "similar to an item"
        case .boughtTogether: "bought together with an item"
        }
    }

    private static func fallback(_ fallback: Placement.Fallback) -> String {
        switch fallback {
        case .popular: "popular items"
        case .newest: "newest items"
        case .none: "nothing"
        }
    }
}
