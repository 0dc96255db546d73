/// One promotion as it meets one request: live, in this placement, for this visitor. Its items are interned and in the marketer's order.
public struct PromotionRule: Sendable, Equatable {
    public let id: Int32
    public let name: String
    public let kind: PromotionDefinition.Kind
    public let items: [Int32]
    /// For pins: the first position, from 1.
    public let position: Int
    /// For boost and bury.
    public let factor: Double
    /// Lower is stronger.
    public let priority: Int
    /// Higher is newer; breaks ties of priority.
    public let publishedOrder: Int64
    /// The visitor is in the hold-out: recorded, not applied.
    public let isHeldOut: Bool

    public init(
        id: Int32, name: String, kind: PromotionDefinition.Kind, items: [Int32], position: Int = 1, factor: Double = 1, priority: Int = 100,
        publishedOrder: Int64 = 0, isHeldOut: Bool = false
    ) {
        self.id = id
        self.name = name
        self.kind = kind
        self.items = items
        self.position = position
        self.factor = factor
        self.priority = priority
        self.publishedOrder = publishedOrder
        self.isHeldOut = isHeldOut
    }
}

/// What the rules of a request do, in the order: eligibility (before, by the caller) → hide → pin → boost and bury → fill.
/// Hide beats pin. Of several rules on one item the one of the lower priority number wins, ties by the newest.
public struct RulePlan: Sendable {
    /// Item -> the promotion that hides it.
    public let hidden: [Int32: Int32]
    /// Item -> factor of its score and the promotion that gives it.
    public let factors: [Int32: (factor: Double, promotion: Int32)]
    private let pinRules: [PromotionRule]

    public init(_ rules: [PromotionRule]) {
        let acting = rules.filter { !$0.isHeldOut }.sorted {
            $0.priority != $1.priority ? $0.priority < $1.priority : $0.publishedOrder > $1.publishedOrder
        }
        var hidden: [Int32: Int32] = [:]
        var factors: [Int32: (factor: Double, promotion: Int32)] = [:]
        for rule in acting {
            switch rule.kind {
            case .hide: for item in rule.items where hidden[item] == nil { hidden[item] = rule.id }
            case .boost, .bury: for item in rule.items where factors[item] == nil { factors[item] = (rule.factor, rule.id) }
            case .pin: break
            }
        }
        self.hidden = hidden
        self.factors = factors
        pinRules = acting.filter { $0.kind == .pin }
    }

    /// Whether the answer is the same with and without the rules.
    public var isEmpty: Bool { hidden.isEmpty && factors.isEmpty && pinRules.isEmpty }

    /// Items that the ranker must score even if they are outside its top: the pinned and the boosted.
    public var wanted: [Int32] { pinRules.flatMap(\.items) + factors.keys }

    /// Places pins, moves boosted and buried items, fills up in order of score.
    /// - Parameters:
    ///   - scored: candidates with positive scores, best first, at least `count` plus the buried where there are so many.
    ///   - isEligible: whether filters let an item through; a pin does not override them.
    public func place(_ scored: [(item: Int32, score: Double)], count: Int, isEligible: (Int32) -> Bool) -> [PlacedItem] {
        let pins = pinnedPositions(count: count, isEligible: isEligible)
        let pinnedItems = Set(pins.values.map(\.item))
        var rest = scored.filter { hidden[$0.item] == nil && !pinnedItems.contains($0.item) }.map { candidate in
            let factor = factors[candidate.item]
            return PlacedItem(item: candidate.item, score: candidate.score * (factor?.factor ?? 1), promotion: factor?.promotion)
        }
        rest = rest.enumerated().sorted { ($1.element.score ?? 0, $0.offset) < ($0.element.score ?? 0, $1.offset) }.map(\.element)
        let scores = Dictionary(scored.map { ($0.item, $0.score) }) { first, _ in first }
        var placed: [PlacedItem] = []
        var next = rest.makeIterator()
        for position in 1...max(1, count) where placed.count < count {
            if let pin = pins[position] {
                placed.append(PlacedItem(item: pin.item, score: scores[pin.item], promotion: pin.promotion))
            } else if let item = next.next() {
                placed.append(item)
            }
        }
        return placed
    }

    /// Position from 1 -> item. A pin whose place is taken goes to the next free one; beyond the list it is dropped.
    private func pinnedPositions(count: Int, isEligible: (Int32) -> Bool) -> [Int: (item: Int32, promotion: Int32)] {
        var positions: [Int: (item: Int32, promotion: Int32)] = [:]
        var pinned: Set<Int32> = []
        for rule in pinRules {
            var position = max(1, rule.position)
            for item in rule.items where hidden[item] == nil && isEligible(item) && !pinned.contains(item) {
                while positions[position] != nil { position += 1 }
                guard position <= count else { break }
                positions[position] = (item, rule.id)
                pinned.insert(item)
            }
        }
        return positions
    }
}

/// An item at its place, and the promotion that placed or moved it.
public struct PlacedItem: Sendable, Equatable {
    public let item: Int32
    /// Nil: pinned and not scored.
    public let score: Double?
    public let promotion: Int32?

    public init(item: Int32, score: Double?, promotion: Int32? = nil) {
        self.item = item
        self.score = score
        self.promotion = promotion
    }
}
