import Tastemaker
import Web

/// A promotion's form as it stands, whatever was typed.
struct PromotionDraft {
    var name = ""
    var note = ""
    var kind = PromotionDefinition.Kind.pin
    /// `items`, `category` or `brand`.
    var mode = "items"
    /// Ids in the order of choosing.
    var items: [String] = []
    var values: [String] = []
    var placements: [String] = []
    var position = "1"
    var factor = ""
    var priority = "100"
    /// Per cent.
    var holdOut = "10"
    var startsAt = ""
    var endsAt = ""
    /// `COLUMN=value`; empty: everybody.
    var segment = ""
    var basedOn: Int32?

    var find = ""
    var candidates: [CatalogueItem] = []
    var findProblem: String?
    var error: OperationError?

    var previewPlacement = "home-for-you"
    var previewVisitor: String?
    var previewAt: String?
    var previewItem: CatalogueItem?
    var preview: PromotionPreview?

    init(_ promotion: Promotion?) {
        guard let promotion else { return }
        let definition = promotion.latest.definition
        name = promotion.name
        basedOn = promotion.latest.version
        kind = definition.kind
        switch definition.selection {
        case .items(let ids): items = ids
        case .values(let column, let chosen): (mode, values) = (column, chosen)
        }
        placements = definition.placements
        position = String(definition.position)
        factor = kind == .boost || kind == .bury ? "\(definition.factor)" : ""
        priority = String(definition.priority)
        holdOut = PageFormat.decimal(definition.holdOut * 100, places: 0)
        startsAt = definition.startsAt ?? ""
        endsAt = definition.endsAt ?? ""
        if case .attribute(let column, let chosen) = definition.audience { segment = "\(column)=\(chosen.first ?? "")" }
        if let first = definition.placements.first { previewPlacement = first }
    }

    init(_ form: Form, _ promotion: Promotion?) {
        name = form.text("name") ?? ""
        note = form.text("note") ?? ""
        kind = PromotionDefinition.Kind(rawValue: form["kind"] ?? "") ?? .pin
        mode = form["mode"] ?? "items"
        items = form.values("item")
        values = form.values(mode)
        placements = form.values("place")
        position = form.text("position") ?? "1"
        factor = form.text("factor") ?? ""
        priority = form.text("priority") ?? "100"
        holdOut = form.text("holdOut") ?? ""
        startsAt = form.text("startsAt") ?? ""
        endsAt = form.text("endsAt") ?? ""
        segment = form["segment"] ?? ""
        basedOn = form.text("basedOn").flatMap { Int32($0) }
        find = form.text("find") ?? ""
        previewPlacement = form.text("previewPlacement") ?? "home-for-you"
        previewVisitor = form.text("previewVisitorId") ?? form.text("previewVisitor")
        previewAt = form.text("previewAt")
    }

    /// What the form says, in the words of the operations.
    func definition() throws(OperationError) -> PromotionDefinition {
        guard let place = Int(position) else { throw .invalidInput("'\(position)' is not a position.", field: "position") }
        guard let rank = Int(priority) else { throw .invalidInput("'\(priority)' is not a priority.", field: "priority") }
        guard let share = Double(holdOut) else { throw .invalidInput("'\(holdOut)' is not a share in per cent.", field: "holdOut") }
        let usual = kind == .bury ? 0.5 : 2
        let strength = factor.isEmpty ? usual : Double(factor)
        guard let strength else { throw .invalidInput("'\(factor)' is not a factor.", field: "factor") }
        var audience = PromotionDefinition.Audience.all
        if let equals = segment.firstIndex(of: "=") {
            audience = .attribute(column: String(segment[..<equals]), values: [String(segment[segment.index(after: equals)...])])
        }
        return PromotionDefinition(
            kind: kind, selection: mode == "items" ? .items(items) : .values(column: mode, values), placements: placements,
            position: place, factor: strength, priority: rank, startsAt: startsAt.isEmpty ? nil : startsAt,
            endsAt: endsAt.isEmpty ? nil : endsAt, audience: audience, holdOut: share / 100)
    }
}
