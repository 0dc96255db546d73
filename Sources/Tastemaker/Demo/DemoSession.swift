import Postgres

/// What one simulated visit sends, as the tracker would.
struct DemoSession {
    let visitor: DemoVisitor
    private let visit: DemoVisit
    private let groupID: Int32
    private let start: PGTimestamp
    private(set) var events: [NewEvent] = []
    private var latest = 0

    init(visitor: DemoVisitor, visit: DemoVisit, group: Int32, start: PGTimestamp) {
        self.visitor = visitor
        self.visit = visit
        groupID = group
        self.start = start
    }

    mutating func click(_ product: DemoProduct, recommendationID: String) {
        var event = event("Click", product, at: latest + 3)
        event.recommendationID = recommendationID
        events.append(event)
    }

    mutating func add(_ action: DemoAction, _ product: DemoProduct) {
        var event = event(action.kind.rawValue, product, at: action.seconds)
        if action.kind != .view { event.value = Float(product.cents) / 100 }
        if action.kind == .purchase {
            event.orderID = "demo-\(visitor.id)-\(visit.ordinal)"
            event.amount = product.price
        }
        events.append(event)
    }

    /// Buys what lies in the cart, or the first product of the list when there is none.
    mutating func order(_ cart: [Int], elseOneOf list: RecommendationAnswer, _ catalogue: DemoCatalogue) {
        let bought = cart.isEmpty ? list.items.prefix(1).compactMap { catalogue.position(of: $0.itemID) } : Array(Set(cart)).sorted()
        let seconds = latest + 45
        for position in bought {
            add(DemoAction(kind: .purchase, product: position, seconds: seconds), catalogue.products[position])
        }
    }

    private mutating func event(_ type: String, _ product: DemoProduct, at seconds: Int) -> NewEvent {
        latest = max(latest, seconds)
        var event = NewEvent(
            datasetGroupID: groupID, source: .putEvents, userID: visitor.id, visitorID: visitor.id, eventType: type,
            occurredAt: PGTimestamp(microseconds: start.microseconds + Int64(seconds) * 1_000_000))
        event.itemID = product.id
        event.clientID = "demo-\(visitor.id)-\(visit.ordinal)-\(events.count)"
        return event
    }
}
