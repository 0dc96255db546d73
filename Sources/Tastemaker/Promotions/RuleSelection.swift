import FilterLanguage
import JSON
import Postgres
import Statistics

/// The promotions that are live for one request, split by what they do. Held-out ones are recorded and do not act.
struct LiveRules: Sendable {
    struct Rule: Sendable {
        let promotion: ServedPromotion
        let rows: RowBitmap
        /// For pins: in the marketer's order.
        let items: [Int32]
    }

    /// Live for this visitor and placement, acting or held out.
    var live: [Int32] = []
    var held: [Int32] = []
    var hides: [Rule] = []
    var pins: [Rule] = []
    /// Boost and bury.
    var factors: [Rule] = []

    var acts: Bool { !hides.isEmpty || !pins.isEmpty || !factors.isEmpty }

    /// Rows that a hide takes out.
    func hide(from allowed: inout RowBitmap) {
        for rule in hides { allowed.andNot(rule.rows) }
    }

    /// The plan for a list: items of factors are those of `candidates`, so that a rule on a whole category costs no more than the list.
    func plan(candidates: [Int32]) -> RulePlan {
        RulePlan(
            pins.map { rule($0, items: $0.items) }
                + factors.map { factor in
                    rule(factor, items: candidates.filter { Int($0) < factor.rows.count && $0 >= 0 && factor.rows[Int($0)] })
                })
    }

    private func rule(_ rule: Rule, items: [Int32]) -> PromotionRule {
        let promotion = rule.promotion
        return PromotionRule(
            id: promotion.id, name: promotion.name, kind: promotion.definition.kind, items: items, position: promotion.definition.position,
            factor: promotion.definition.factor, priority: promotion.definition.priority, publishedOrder: promotion.publishedOrder)
    }

    func promotion(_ id: Int32) -> ServedPromotion? {
        (pins + factors + hides).first { $0.promotion.id == id }?.promotion
    }
}

/// Whom and where a request's promotions are chosen for.
struct RuleContext {
    let placement: String?
    let time: PGTimestamp
    /// The unit of hold-outs; nil: nobody is held out.
    let visitor: String?
    /// The user's record; called only when an audience asks for it.
    let attributes: () -> JSONValue?
    let set: ServedExperiment.PromotionSet
    /// A preview shows what a promotion does, so it holds nobody out.
    let ignoresHoldOut: Bool
}

extension LiveRules {
    init(_ promotions: [ServedPromotion], _ context: RuleContext, _ catalogue: CatalogueSnapshot, _ display: DisplayColumns) {
        for promotion in promotions where Self.applies(promotion, context) {
            live.append(promotion.id)
            if let visitor = context.visitor, !context.ignoresHoldOut,
                Assignment.isHeldOut(groupSeed: promotion.holdOutSeed, unit: visitor, share: promotion.definition.holdOut)
            {
                held.append(promotion.id)
                continue
            }
            let rule = Self.select(promotion, catalogue, display)
            switch promotion.definition.kind {
            case .hide: hides.append(rule)
            case .pin: pins.append(rule)
            case .boost, .bury: factors.append(rule)
            }
        }
    }

    static func applies(_ promotion: ServedPromotion, _ context: RuleContext) -> Bool {
        switch context.set {
        case .placement: break
        case .none: return false
        case .listed(let ids): if !ids.contains(promotion.id) { return false }
        }
        let definition = promotion.definition
        guard promotion.schedule.isLive(at: context.time) else { return false }
        if !definition.placements.isEmpty {
            guard let placement = context.placement, definition.placements.contains(where: { $0.utf8.elementsEqual(placement.utf8) })
            else { return false }
        }
        return isIn(definition.audience, context.attributes)
    }

    private static func isIn(_ audience: PromotionDefinition.Audience, _ attributes: () -> JSONValue?) -> Bool {
        guard case .attribute(let column, let values) = audience else { return true }
        let member = attributes()?.objectValue?.members.first { $0.name.uppercased() == column.uppercased() }
        guard let member, let value = FilterLanguage.ColumnValue(member.value) else { return false }
        switch value {
        case .null: return false
        case .text(let text):
            let parts = text.utf8.split(separator: UInt8(ascii: "|"))
            return values.contains { wanted in parts.contains { $0.elementsEqual(wanted.utf8) } }
        case .number(let number): return values.contains { Double($0) == number }
        }
    }

    private static func select(_ promotion: ServedPromotion, _ catalogue: CatalogueSnapshot, _ display: DisplayColumns) -> Rule {
        switch promotion.definition.selection {
        case .items(let texts):
            let items = texts.compactMap { catalogue.keys.id($0) }
            return Rule(promotion: promotion, rows: RowBitmap(count: catalogue.rowCount, rows: items), items: items)
        case .values(let column, let values):
            let name = column == "category" ? display.category : column == "brand" ? display.brand : column
            let rows = name.map { catalogue.rows(column: $0, values: values) } ?? RowBitmap(count: catalogue.rowCount)
            var items: [Int32] = []
            // A pin of a whole category fills a list at most; the newest lie last, so they come first.
            if promotion.definition.kind == .pin {
                rows.forEach { items.append(Int32($0)) }
                items = Array(items.reversed().prefix(100))
            }
            return Rule(promotion: promotion, rows: rows, items: items)
        }
    }
}
