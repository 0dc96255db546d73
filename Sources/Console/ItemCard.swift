public import Tastemaker
public import Web

/// An item as lists show it.
public enum ItemCard {
    /// `title`, `imageURL`, `price`, `category`, `linkURL`; what the catalogue lacks is false.
    public static func model(_ item: CatalogueItem, _ format: PageFormat) -> ViewModel {
        model(itemID: item.itemID, item.display, format)
    }

    /// The same with `score` and `reasons` of an answer.
    public static func model(_ item: RecommendedItem, titles: [String: String] = [:], _ format: PageFormat) -> ViewModel {
        var card = model(itemID: item.itemID, item.display, format)
        card["score"] = .text(item.score.map { PageFormat.decimal($0, places: 4) })
        card["reasons"] = .list(item.reasons.map { ["text": .text(ReasonText.sentence($0, titles: titles))] as ViewModel })
        card["isPromoted"] = .bool(item.reasons.contains { if case .promotion = $0 { true } else { false } })
        return card
    }

    private static func model(itemID: String, _ display: ItemDisplay, _ format: PageFormat) -> ViewModel {
        [
            "itemID": .text(itemID), "title": .text(display.title ?? itemID), "imageURL": url(display.image), "linkURL": url(display.link),
            "price": .text(display.price.map { price($0, format) }), "category": .text(display.category),
        ]
    }

    /// Only http, https and paths: a catalogue is foreign text.
    private static func url(_ text: String?) -> ViewValue {
        guard let text, !text.isEmpty, let url = URLValue(text) else { return false }
        return .url(url)
    }

    private static func price(_ text: String, _ format: PageFormat) -> String {
        Double(text).map { format.money($0) } ?? text
    }
}

/// Why an item stands where it stands, as a sentence.
public enum ReasonText {
    /// `titles`: of items by id, where a reason knows only the id.
    public static func sentence(_ reason: RecommendedItem.Reason, titles: [String: String] = [:]) -> String {
        switch reason {
        case .history(let itemID, let title, let eventType, let share):
            "because of “\(title ?? titles[itemID] ?? itemID)” (\(deed(eventType)), \(PageFormat.percent(share, places: 0)) of the score)"
        case .related(let itemID): "goes with “\(titles[itemID] ?? itemID)”"
        case .popular: "popular"
        case .trending: "trending now"
        case .newest: "new in the catalogue"
        case .exploration: "new, shown to learn about it"
        case .promotion(_, let name, let kind): "\(deed(ofPromotion: kind)) by “\(name)”"
        case .fill: "fills the list"
        case .reranked(let place): "re-ranked from place \(place)"
        }
    }

    /// An event type as something done: `Purchase` is `bought`.
    static func deed(_ eventType: String) -> String {
        switch eventType.lowercased() {
        case "view": "viewed"
        case "click": "clicked"
        case "addtocart": "put into the cart"
        case "removefromcart": "taken out of the cart"
        case "purchase": "bought"
        case "watch": "watched"
        case "listen": "listened to"
        case "rating", "rate": "rated"
        default: eventType
        }
    }

    private static func deed(ofPromotion kind: String) -> String {
        switch kind {
        case "pin": "pinned"
        case "boost": "boosted"
        case "bury": "moved down"
        default: "promoted"
        }
    }
}
