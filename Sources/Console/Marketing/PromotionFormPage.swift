import Tastemaker
import Web

/// One form for all that a promotion says, with a preview beside it. Its buttons say what is asked: add an item, preview, save, publish.
/// Nobody types an id: items are found by title, and their ids travel in check boxes.
enum PromotionFormPage {
    static func show(_ visit: Visit, _ group: DatasetGroup, _ promotion: Promotion?) throws -> Response {
        var draft = PromotionDraft(promotion)
        if promotion == nil, let id = try visit.request.query("item") { draft.items = [id] }
        return try render(visit, group, promotion, draft)
    }

    static func submit(_ visit: Visit, _ group: DatasetGroup, _ promotion: Promotion?) throws -> Response {
        let form = try visit.form()
        var draft = PromotionDraft(form, promotion)
        try find(&draft, form, visit, group)
        let asked = form["do"] ?? "save"
        do throws(OperationError) {
            switch asked {
            case "preview": draft.preview = try preview(draft, visit, group, promotion)
            case "save", "publish":
                // A title that is still to be decided on comes first.
                if draft.candidates.isEmpty, draft.findProblem == nil {
                    return try save(draft, asked == "publish", visit, group, promotion)
                }
            default: break
            }
        } catch {
            switch error {
            case .invalidInput, .inUse, .limitExceeded, .alreadyExists: draft.error = error
            case .unavailable where asked == "preview": draft.error = error
            default: throw error
            }
        }
        var response = try render(visit, group, promotion, draft)
        if draft.error != nil { response.status = .unprocessableContent }
        return response
    }

    private static func save(
        _ draft: PromotionDraft, _ publishes: Bool, _ visit: Visit, _ group: DatasetGroup, _ old: Promotion?
    ) throws(OperationError) -> Response {
        let definition = try draft.definition()
        let environment = visit.environment
        let stored: Promotion
        if let old {
            stored = try environment.editPromotion(
                old.id, name: draft.name, definition, note: draft.note, basedOn: draft.basedOn, by: visit.caller)
        } else {
            stored = try environment.createPromotion(
                name: draft.name, definition, note: draft.note, datasetGroupID: group.id, by: visit.caller)
        }
        let target = URLValue.promotion(stored.id, group)
        guard publishes else {
            return visit.redirect(
                to: target, .good(old?.published == nil ? "Saved as a draft." : "Saved. What is published goes on until you publish this."))
        }
        do throws(OperationError) {
            let (published, warnings) = try environment.publishPromotion(stored.id, by: visit.caller)
            return visit.redirect(to: target, PromotionPages.flash(published, warnings, group))
        } catch {
            guard case .inUse(let sentence) = error else { throw error }
            return visit.redirect(to: target, .bad("Saved, but not published. \(sentence)"))
        }
    }

    /// Turns typed titles into items: one match is taken, of several the person chooses.
    private static func find(_ draft: inout PromotionDraft, _ form: Form, _ visit: Visit, _ group: DatasetGroup) throws {
        if let id = form.text("findId") {
            draft.items = draft.items.filter { !$0.utf8.elementsEqual(id.utf8) } + [id]
            draft.find = ""
        } else if let text = form.text("find") {
            let found = try visit.environment.searchItems(in: group, text: text, limit: 12, by: visit.caller)
            switch found.count {
            case 0: draft.findProblem = "No item has “\(text)” in its title."
            case 1:
                draft.items.append(found[0].itemID)
                draft.find = ""
            default: draft.candidates = found.filter { candidate in !draft.items.contains { $0.utf8.elementsEqual(candidate.itemID.utf8) } }
            }
        }
        if let id = form.text("previewItemId") {
            draft.previewItem = try visit.environment.items([id], in: group, by: visit.caller).first
        } else if let text = form.text("previewItem") {
            draft.previewItem = try visit.environment.searchItems(in: group, text: text, limit: 1, by: visit.caller).first
        }
    }

    private static func preview(
        _ draft: PromotionDraft, _ visit: Visit, _ group: DatasetGroup, _ promotion: Promotion?
    ) throws(OperationError) -> PromotionPreview {
        var input = PromotionPreviewInput(
            definition: try draft.definition(), promotionID: promotion?.id, placement: draft.previewPlacement, visitor: draft.previewVisitor
        )
        input.name = draft.name
        input.at = draft.previewAt
        input.itemID = draft.previewItem?.itemID
        return try visit.services.previewPromotion(input, datasetGroupID: group.id, by: visit.caller)
    }

    // MARK: The page

    private static func render(_ visit: Visit, _ group: DatasetGroup, _ promotion: Promotion?, _ draft: PromotionDraft) throws -> Response {
        let choices = try visit.environment.promotionChoices(datasetGroupID: group.id, by: visit.caller)
        let placements = try visit.environment.listPlacements(datasetGroupID: group.id, by: visit.caller)
        let chosen = try visit.environment.items(draft.items, in: group, by: visit.caller)
        let model: ViewModel = [
            "heading": .text(promotion.map { "Edit \($0.name)" } ?? "New promotion"), "listURL": .url(.promotions(group)),
            "actionURL": .url(promotion.map { .promotion($0.id, group, "edit") } ?? .page(group, "new-promotion")),
            "basedOn": .text(draft.basedOn.map { String($0) } ?? ""), "problem": .text(draft.error?.message), "label": .text(draft.name),
            "note": .text(draft.note), "kinds": options(draft.kind.rawValue, kinds), "position": .text(draft.position),
            "factor": .text(draft.factor),
            "modes": options(
                draft.mode, [("items", "items one by one"), ("category", "all of a category"), ("brand", "all of a brand")]),
            "find": .text(draft.find), "findProblem": .text(draft.findProblem), "itemsURL": .url(.items(group)),
            "chosen": .list(
                draft.items.map { id in
                    [
                        "value": .text(id),
                        "label": .text(chosen.first { $0.itemID.utf8.elementsEqual(id.utf8) }?.title ?? "an item that is gone"),
                    ]
                        as ViewModel
                }), "hasChosen": .bool(!draft.items.isEmpty),
            "candidates": .list(
                draft.candidates.map {
                    ["value": .text($0.itemID), "label": .text($0.title), "detail": .text($0.display.category ?? "")] as ViewModel
                }), "hasCandidates": .bool(!draft.candidates.isEmpty),
            "categories": values(choices.categories, draft.values, draft.mode == "category"),
            "hasCategories": .bool(!choices.categories.isEmpty),
            "brands": values(choices.brands, draft.values, draft.mode == "brand"), "hasBrands": .bool(!choices.brands.isEmpty),
            "places": .list(
                placements.map { place in
                    [
                        "value": .text(place.name), "label": .text(place.title),
                        "isSelected": .bool(draft.placements.contains { $0.utf8.elementsEqual(place.name.utf8) }),
                    ] as ViewModel
                }),
            "segments": options(
                draft.segment,
                [("", "everybody")]
                    + choices.segments.flatMap { segment in segment.values.map { ("\(segment.column)=\($0)", "\(segment.column): \($0)") } }
            ),
            "startsAt": .text(draft.startsAt), "endsAt": .text(draft.endsAt), "localZone": .text(group.timeZone),
            "priority": .text(draft.priority), "holdOut": .text(draft.holdOut),
        ]
        return try visit.render("promotions/form", model.merging(previewModel(visit, group, placements, draft)))
    }

    private static let kinds = [
        ("pin", "pin: put at a position"), ("boost", "boost: show more"), ("bury", "bury: show less"), ("hide", "hide: never show"),
    ]

    private static func options(_ chosen: String, _ choices: [(String, String)]) -> ViewValue {
        FormState().options("", choices.map { (value: $0.0, label: $0.1) }, default: chosen)
    }

    private static func values(_ values: [PromotionChoices.Value], _ chosen: [String], _ isMode: Bool) -> ViewValue {
        .list(
            values.map { value in
                [
                    "value": .text(value.text), "label": .text("\(value.text) (\(PageFormat.number(value.items)))"),
                    "isSelected": .bool(isMode && chosen.contains { $0.utf8.elementsEqual(value.text.utf8) }),
                ] as ViewModel
            })
    }

    private static func previewModel(_ visit: Visit, _ group: DatasetGroup, _ placements: [Placement], _ draft: PromotionDraft) -> ViewModel
    {
        let format = PageFormat(group)
        var model: ViewModel = [
            "previewPlacements": options(draft.previewPlacement, placements.map { ($0.name, $0.title) }),
            "hasPlacements": .bool(!placements.isEmpty), "previewVisitor": .text(draft.previewVisitor ?? ""),
            "previewAt": .text(draft.previewAt ?? ""), "previewItem": .text(draft.previewItem?.title ?? ""),
            "previewItemId": .text(draft.previewItem?.itemID ?? ""), "visitorsURL": .url(.page(group, "visitor-ids")),
            "isPreviewed": .bool(draft.preview != nil), "previewMoment": format.moment(draft.preview?.at), "previewChange": "",
            "before": [], "after": [], "notes": [],
        ]
        guard let preview = draft.preview else { return model }
        let before = preview.before.items.map(\.itemID)
        let after = preview.after.items.map(\.itemID)
        let entered = after.count { id in !before.contains { $0.utf8.elementsEqual(id.utf8) } }
        let moved = zip(before, after).count { !$0.utf8.elementsEqual($1.utf8) }
        model["previewChange"] = .text(
            moved == 0 && before.count == after.count
                ? "Nothing changes here for this visitor."
                : "\(moved) places change; \(PageFormat.count(entered, "item is", "items are")) new in the list.")
        model["before"] = .list(preview.before.items.map { ItemCard.model($0, format) })
        model["after"] = .list(preview.after.items.map { ItemCard.model($0, format) })
        model["notes"] = .list(preview.after.notes.map { ["note": .text($0)] as ViewModel })
        return model
    }
}
