extension RecommendedItem.Reason {
    /// The reason as people read it under an item.
    public var sentence: String {
        switch self {
        case .history(let itemID, let title, let eventType, _): "because you \(Self.verb(eventType)) \(title ?? itemID)"
        case .related: "goes with this item"
        case .popular, .fill: "popular now"
        case .trending: "trending now"
        case .newest: "new"
        case .exploration: "new, to find out who likes it"
        case .reranked(let place): "from place \(place), for a better mix"
        case .promotion(_, let name, _): name.isEmpty ? "promoted" : "promoted: \(name)"
        }
    }

    /// What a visitor did, by the usual names of events in any case.
    private static func verb(_ eventType: String) -> String {
        switch eventType.lowercased() {
        case "view", "detail-page-view", "product viewed": "viewed"
        case "click", "product clicked": "clicked on"
        case "addtocart", "add-to-cart", "product added": "put into the cart"
        case "purchase", "order completed": "bought"
        case "watch", "play": "watched"
        case "read": "read"
        case "listen": "listened to"
        case "like", "rating": "liked"
        default: "chose"
        }
    }
}
