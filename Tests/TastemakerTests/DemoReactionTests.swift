import Postgres
import Support
import Testing

@testable import Tastemaker

extension DemoLoadTests {
    /// A click changes the very next answer: that is what the shop is there to show.
    @Test func `three views in one category raise its share of the personal list`() throws {
        let shop = try Self.shop.get()
        let service = RecommendationService(environment: shop.environment)
        let rise = try Self.rise(in: DemoShop.forYou, shop, service, visitor: "reacting")
        #expect(rise.after >= rise.before + 3, "\(rise)")
    }

    /// The same measure tells a popular list from a personal one: served in its place, the share does not move.
    @Test func `three views leave the popular list as it is`() throws {
        let shop = try Self.shop.get()
        let service = RecommendationService(environment: shop.environment)
        let rise = try Self.rise(in: DemoShop.popular, shop, service, visitor: "unmoved")
        #expect(rise.after == rise.before, "\(rise)")
    }

    @Test func `the list says because of what an item is there`() throws {
        let shop = try Self.shop.get()
        let service = RecommendationService(environment: shop.environment)
        _ = try Self.rise(in: DemoShop.forYou, shop, service, visitor: "curious")
        let answer = try Self.list(DemoShop.forYou, shop, service, visitor: "curious")
        #expect(answer.items.contains { $0.reasons.first?.sentence.hasPrefix("because you viewed") == true })
    }

    /// How many of twelve items are of the category that the visitor then looks at three times, before and after.
    private static func rise(
        in placement: String, _ shop: Shop, _ service: RecommendationService, visitor: String
    ) throws -> (before: Int, after: Int) {
        let catalogue = DemoCatalogue(seed: DemoCatalogue.shipped.seed, count: size.products)
        let category = 6
        func share(_ answer: RecommendationAnswer) -> Int {
            answer.items.count { catalogue[id: $0.itemID]?.category == category }
        }
        let before = share(try list(placement, shop, service, visitor: "stranger to \(visitor)"))
        let seen = catalogue.byCategory[category].filter { catalogue.products[$0].age > 40 }.sorted {
            catalogue.products[$0].quality > catalogue.products[$1].quality
        }
        let events = seen.prefix(3).enumerated().map { index, position in
            var event = NewEvent(
                datasetGroupID: shop.group.id, source: .tracker, userID: visitor, visitorID: visitor, eventType: "View",
                occurredAt: PGTimestamp(microseconds: shop.clock.now.microseconds + Int64(index) * 1_000_000))
            event.itemID = catalogue.products[position].id
            return event
        }
        try shop.environment.prepareInteractionPart(datasetGroupID: shop.group.id)
        _ = try shop.environment.change { try shop.environment.storeEvents(events, $0) }
        return (before, share(try list(placement, shop, service, visitor: visitor)))
    }

    private static func list(
        _ placement: String, _ shop: Shop, _ service: RecommendationService, visitor: String
    ) throws -> RecommendationAnswer {
        var request = RecommendationRequest(target: .placement(name: placement, datasetGroupID: shop.group.id))
        request.anonymousID = visitor
        request.count = 12
        request.explains = true
        return try service.recommend(request, by: .system)
    }
}
