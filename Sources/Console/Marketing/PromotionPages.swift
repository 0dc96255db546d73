import Tastemaker
import Web

extension ConsoleRoutes {
    static let promotions: [ConsoleRoute] = [
        .group(.get, "/promotions", .viewMarketing, PromotionPages.list),
        .group(.get, "/new-promotion", .marketers) { visit, group in try PromotionFormPage.show(visit, group, nil) },
        .group(.post, "/new-promotion", .marketers) { visit, group in try PromotionFormPage.submit(visit, group, nil) },
        .group(.get, "/promotions/{promotion}", .viewMarketing, PromotionPages.show),
        .group(.get, "/promotions/{promotion}/edit", .marketers) { visit, group in
            try PromotionFormPage.show(visit, group, PromotionPages.promotion(visit))
        },
        .group(.post, "/promotions/{promotion}/edit", .marketers) { visit, group in
            try PromotionFormPage.submit(visit, group, PromotionPages.promotion(visit))
        },
        .group(.post, "/promotions/{promotion}/publish", .marketers, PromotionPages.publish),
        .group(.post, "/promotions/{promotion}/unpublish", .marketers, PromotionPages.unpublish),
        .group(.post, "/promotions/{promotion}/undo", .marketers, PromotionPages.undo),
        .group(.post, "/promotions/{promotion}/revert", .marketers, PromotionPages.revert),
        .group(.post, "/promotions/{promotion}/archive", .marketers, PromotionPages.archive),
        .group(.post, "/promotions/{promotion}/restore", .marketers, PromotionPages.restore),
    ]
}

extension URLValue {
    static func promotions(_ group: DatasetGroup) -> URLValue { page(group, "promotions") }
    static func promotion(_ id: Int32, _ group: DatasetGroup, _ action: String? = nil) -> URLValue {
        action.map { page(group, "promotions", String(id), $0) } ?? page(group, "promotions", String(id))
    }
}

enum PromotionPages {
    static func promotion(_ visit: Visit) throws -> Promotion {
        try visit.environment.describePromotion(visit.pathNumber("promotion"), by: visit.caller)
    }

    static func list(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let showsArchived = try visit.request.query("archived") != nil
        let all = try visit.environment.listPromotions(datasetGroupID: group.id, by: visit.caller)
        let shown = all.filter { ($0.archivedAt != nil) == showsArchived }
        let titles = try titles(of: shown.map(\.latest.definition), visit, group)
        let places = try placeTitles(visit, group)
        return try visit.render(
            "promotions/list",
            [
                "isEmpty": .bool(shown.isEmpty), "canChange": .bool(visit.may(.marketers)), "newURL": .url(.page(group, "new-promotion")),
                "showsArchived": .bool(showsArchived), "listURL": .url(.promotions(group)),
                "archivedURL": .url(.page(group, "promotions", query: [("archived", "1")])),
                "hasArchived": .bool(all.contains { $0.archivedAt != nil }),
                "promotions": .list(
                    shown.prefix(200).map { promotion in
                        let definition = (promotion.published ?? promotion.latest).definition
                        let words = named(definition, places).sentences { titles[$0] ?? $0 }
                        return [
                            "promotion": .text(promotion.name), "showURL": .url(.promotion(promotion.id, group)),
                            "status": badge(promotion, visit, group), "effect": .text(words[0].text),
                            "subject": .text(short(words[1].text)), "place": .text(words[3].text),
                            "from": .text(words[4].text), "until": .text(words[5].text),
                        ]
                    }),
            ])
    }

    static func show(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let promotion = try promotion(visit)
        let format = PageFormat(group)
        let history = try visit.environment.promotionHistory(promotion.id, by: visit.caller)
        let titles = try titles(of: history.map(\.definition), visit, group)
        let places = try placeTitles(visit, group)
        let shown = promotion.published ?? promotion.latest
        let conflicts = try visit.environment.checkPromotion(
            promotion.latest.definition, id: promotion.id, datasetGroupID: group.id, by: visit.caller)
        let isArchived = promotion.archivedAt != nil
        let model: ViewModel = [
            "promotion": .text(promotion.name), "listURL": .url(.promotions(group)), "status": badge(promotion, visit, group),
            "canChange": .bool(visit.may(.marketers)), "isArchived": .bool(isArchived),
            "isPublished": .bool(promotion.published != nil), "canPublish": .bool(!isArchived && promotion.hasUnpublishedEdit),
            "editURL": .url(.promotion(promotion.id, group, "edit")), "publishURL": .url(.promotion(promotion.id, group, "publish")),
            "unpublishURL": .url(.promotion(promotion.id, group, "unpublish")),
            "archiveURL": .url(.promotion(promotion.id, group, "archive")),
            "restoreURL": .url(.promotion(promotion.id, group, "restore")), "revertURL": .url(.promotion(promotion.id, group, "revert")),
            "publishLabel": .text(promotion.published == nil ? "Publish" : "Publish version \(promotion.latest.version)"),
            "shownVersion": .text("Version \(shown.version)" + (promotion.published == nil ? ", not published" : "")),
            "words": .list(
                named(shown.definition, places).sentences { titles[$0] ?? $0 }.map {
                    ["term": .text($0.field), "text": .text($0.text)] as ViewModel
                }),
            "conflicts": .list(
                conflicts.map { ["kind": .text($0.severity == .error ? "bad" : "warn"), "sentence": .text($0.sentence)] as ViewModel }),
            "hasConflicts": .bool(!conflicts.isEmpty && !isArchived),
            "history": .list(versions(promotion, history, titles, places, format)),
        ]
        return try visit.render(
            "promotions/show",
            model.merging(reportModel(try visit.environment.promotionReport(promotion.id, by: visit.caller), group, format)))
    }

    private static func versions(
        _ promotion: Promotion, _ history: [PromotionVersion], _ titles: [String: String], _ places: [String: String], _ format: PageFormat
    ) -> [ViewModel] {
        history.enumerated().map { index, version in
            let before = index + 1 < history.count ? history[index + 1].definition : nil
            let changes = before.map { named($0, places).changes(to: named(version.definition, places)) { titles[$0] ?? $0 } } ?? []
            return [
                "number": .text(String(version.version)), "author": .text(version.createdBy), "at": format.moment(version.createdAt),
                "note": .text(version.note.isEmpty ? nil : version.note),
                "isCurrent": .bool(version.version == promotion.published?.version),
                "canRevert": .bool(version.version != promotion.published?.version && promotion.archivedAt == nil),
                "isFirst": .bool(before == nil),
                "changes": .list(
                    changes.map {
                        ["field": .text($0.field), "before": .text(short($0.before)), "after": .text(short($0.after))] as ViewModel
                    }),
            ]
        }
    }

    private static func reportModel(_ report: PromotionReport, _ group: DatasetGroup, _ format: PageFormat) -> ViewModel {
        func side(_ name: String, _ totals: OutcomeTotals) -> ViewModel {
            [
                "side": .text(name), "visitors": .text(PageFormat.number(totals.units)), "lists": .text(PageFormat.number(totals.lists)),
                "clicks": .text(PageFormat.number(totals.clicks)), "orders": .text(PageFormat.number(totals.orders)),
                "revenue": .text(format.money(totals.revenue)),
                "perVisitor": .text(totals.value(of: .revenue).map { format.money($0) } ?? "–"),
            ]
        }
        let figure = FigureText(metric: .revenue, currency: group.currency)
        var verdict = "Too early: at least 100 visitors and 10 with an order are needed on each side."
        var chart: ViewValue = false
        if let revenue = report.revenue, !report.isEarly {
            let interval = "between \(figure.difference(revenue.lower)) and \(figure.difference(revenue.upper))"
            if revenue.isClear {
                verdict =
                    "It \(revenue.difference > 0 ? "earned" : "lost") \(figure.size(revenue.difference)) per visitor "
                    + "(\(interval), 95 % interval)."
            } else {
                verdict = "No clear effect on revenue per visitor yet: it lies \(interval) (95 % interval)."
            }
            chart = .html(
                IntervalChart(
                    id: "earned", title: "Revenue per visitor, served minus held out, with its 95 % interval",
                    rows: [
                        .init(label: "Revenue per visitor", estimate: revenue.difference, lower: revenue.lower, upper: revenue.upper)
                    ], format: figure.difference
                ).html)
        }
        return [
            "isReported": .bool(report.since != nil), "verdict": .text(verdict), "chart": chart,
            "sides": .list([side("Got it", report.served), side("Held out", report.heldOut)]),
            "since": format.moment(report.since), "windowDays": .number(report.windowDays),
            "mixed": report.mixedVisitors == 0
                ? false
                : .text("\(PageFormat.count(report.mixedVisitors, "visitor was", "visitors were")) on both sides and count on neither."),
            "foreign": report.served.foreignAmounts + report.heldOut.foreignAmounts == 0
                ? false : .text("Amounts in another currency than \(group.currency) are in no sum."),
        ]
    }

    // MARK: Changes

    static func publish(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let promotion = try promotion(visit)
        return try refusable(visit, group, promotion) { () throws(OperationError) in
            let (published, warnings) = try visit.environment.publishPromotion(promotion.id, by: visit.caller)
            return flash(published, warnings, group)
        }
    }

    /// What the page says after a publishing, with an Undo.
    static func flash(_ promotion: Promotion, _ warnings: [PromotionConflict], _ group: DatasetGroup) -> Flash {
        let undo = URLValue.promotion(promotion.id, group, "undo")
        guard let first = warnings.first else { return .good("\(promotion.name) is published: it acts in the next list.", undo: undo) }
        return Flash(kind: .warn, text: "\(promotion.name) is published. Look: \(first.sentence)", undo: undo)
    }

    static func unpublish(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let promotion = try promotion(visit)
        return try refusable(visit, group, promotion) { () throws(OperationError) in
            _ = try visit.environment.unpublishPromotion(promotion.id, by: visit.caller)
            return .good("\(promotion.name) acts nowhere now.", undo: .promotion(promotion.id, group, "publish"))
        }
    }

    static func undo(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let promotion = try promotion(visit)
        return try refusable(visit, group, promotion) { () throws(OperationError) in
            let back = try visit.environment.undoPublishing(of: promotion.id, by: visit.caller)
            return .good(
                back.published == nil ? "\(promotion.name) acts nowhere again." : "\(promotion.name) says again what it said before.")
        }
    }

    static func revert(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let promotion = try promotion(visit)
        let number = try visit.form().text("version").flatMap { Int32($0) } ?? 0
        return try refusable(visit, group, promotion) { () throws(OperationError) in
            _ = try visit.environment.revertPromotion(promotion.id, to: number, by: visit.caller)
            return .good("Version \(number) is in force again.", undo: .promotion(promotion.id, group, "undo"))
        }
    }

    static func archive(_ visit: Visit, _ group: DatasetGroup) throws -> Response { try setArchived(visit, group, true) }
    static func restore(_ visit: Visit, _ group: DatasetGroup) throws -> Response { try setArchived(visit, group, false) }

    private static func setArchived(_ visit: Visit, _ group: DatasetGroup, _ isArchived: Bool) throws -> Response {
        let promotion = try promotion(visit)
        return try refusable(visit, group, promotion) { () throws(OperationError) in
            _ = try visit.environment.archivePromotion(promotion.id, isArchived: isArchived, by: visit.caller)
            return .good(
                "\(promotion.name) is \(isArchived ? "archived" : "a draft again").",
                undo: .promotion(promotion.id, group, isArchived ? "restore" : "archive"))
        }
    }

    /// Back to the promotion's page, with what was done or why it was not.
    private static func refusable(
        _ visit: Visit, _ group: DatasetGroup, _ promotion: Promotion, _ action: () throws(OperationError) -> Flash
    ) throws -> Response {
        let target = URLValue.promotion(promotion.id, group)
        do throws(OperationError) {
            return visit.redirect(to: target, try action())
        } catch {
            switch error {
            case .inUse(let sentence), .invalidInput(let sentence, _): return visit.redirect(to: target, .bad(sentence))
            default: throw error
            }
        }
    }

    // MARK: Words

    /// Placements by their titles for people.
    private static func placeTitles(_ visit: Visit, _ group: DatasetGroup) throws -> [String: String] {
        let placements = try visit.environment.listPlacements(datasetGroupID: group.id, by: visit.caller)
        return Dictionary(placements.map { ($0.name, $0.title) }) { first, _ in first }
    }

    /// The same words with placements as people know them.
    private static func named(_ definition: PromotionDefinition, _ places: [String: String]) -> PromotionDefinition {
        var named = definition
        named.placements = definition.placements.map { places[$0] ?? $0 }
        return named
    }

    /// Titles of all items that definitions name.
    static func titles(of definitions: [PromotionDefinition], _ visit: Visit, _ group: DatasetGroup) throws -> [String: String] {
        let ids = definitions.flatMap { definition -> [String] in
            if case .items(let items) = definition.selection { items } else { [] }
        }
        let items = try visit.environment.items(Array(Set(ids).prefix(2000)), in: group, by: visit.caller)
        return Dictionary(items.map { ($0.itemID, $0.title) }) { first, _ in first }
    }

    static func badge(_ promotion: Promotion, _ visit: Visit, _ group: DatasetGroup) -> ViewValue {
        let state = promotion.state(at: visit.environment.now(), timeZone: group.zone)
        let kind =
            switch state {
            case .live: "good"
            case .scheduled: "busy"
            case .draft, .ended, .archived: ""
            }
        let edit = promotion.published != nil && promotion.hasUnpublishedEdit ? ", edited since" : ""
        return .object(["kind": .text(kind), "label": .text(state.rawValue + edit)])
    }

    private static func short(_ text: String) -> String {
        text.unicodeScalars.count > 120 ? String(text.prefix(118)) + "…" : text
    }
}
