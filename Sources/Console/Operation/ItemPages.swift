import JSON
import Tastemaker
import Web

extension ConsoleRoutes {
    static let items: [ConsoleRoute] = [
        .group(.get, "/items", .signedIn, ItemPages.search),
        .group(.get, "/visitor-ids", .tryCampaigns, ItemPages.visitors),
    ]
}

/// Items by title: a page for people, JSON for the fields that complete a title.
enum ItemPages {
    static func search(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let text = try visit.request.queryItems().text("q") ?? ""
        let wantsJSON = visit.request.header("Accept")?.contains("application/json") ?? false
        let items = try visit.environment.searchItems(in: group, text: text, limit: wantsJSON ? 12 : 60, by: visit.caller)
        if wantsJSON { return visit.json(json(items, group)) }
        let format = PageFormat(group)
        return try visit.render(
            "operation/items",
            [
                "text": .text(text), "isEmpty": .bool(items.isEmpty), "isSearch": .bool(!text.isEmpty), "actionURL": .url(.items(group)),
                "uploadURL": .url(.upload(group)), "canChange": .bool(visit.may(.operators)),
                "hasTitles": .bool(group.displayColumns.title != nil), "dataURL": .url(.data(group)),
                "cards": .list(items.map { ItemCard.model($0, format) }),
                "summary": .text(items.count >= 60 ? "The first 60 matches" : PageFormat.count(items.count, "item", "items")),
            ])
    }

    static func visitors(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let text = try visit.request.queryItems().text("q") ?? ""
        let ids = try visit.environment.searchUsers(in: group, text: text, limit: 12, by: visit.caller)
        return visit.json(json(ids.map { CatalogueItem(itemID: $0, display: ItemDisplay(title: $0), brand: nil) }, group))
    }

    private static func json(_ items: [CatalogueItem], _ group: DatasetGroup) -> [UInt8] {
        let format = PageFormat(group)
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        for item in items {
            writer.beginObject()
            writer.key("itemId")
            writer.string(item.itemID)
            writer.key("title")
            writer.string(item.title)
            if let image = item.display.image.flatMap({ URLValue($0) }) {
                writer.key("image")
                writer.string(image.text)
            }
            if let price = item.display.price {
                writer.key("price")
                writer.string(Double(price).map { format.money($0) } ?? price)
            }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }
}
