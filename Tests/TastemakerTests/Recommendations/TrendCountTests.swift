import JSON
import Postgres
import Ranking
import Support
import Testing

@testable import Tastemaker

/// What is counted in the database for the trends of now.
struct TrendCountTests {
    let shop: ServedShop

    init() throws { shop = try ServedShop() }

    private func trends(until: Int64 = 0, threshold: Double? = nil) throws -> [TrendingItem]? {
        try shop.environment.change { connection in
            let dataset = try #require(try EventQueries.interactionsDataset(shop.groupID, connection))
            let types = try GroupSnapshotQueries.eventTypes(shop.groupID, connection).indices.map { Int32($0) }
            return try TrendQueries.items(
                dataset: dataset, eventTypes: types, TrendRule(window: 3600, until: until, valueThreshold: threshold),
                at: shop.clock.now, connection)
        }
    }

    private func recent(_ item: String) throws -> Double? {
        let ids = try shop.environment.change { try $0.query("SELECT intern_items(\(shop.groupID), \([item]))")[0].int32s(0) }
        return try trends()?.first { $0.item == ids[0] }?.recent
    }

    @Test func `a user counts once an interval, and an interval ends with its last second`() throws {
        let now = shop.clock.now.seconds
        try shop.put([shop.event("a", "i1", at: now), shop.event("a", "i1", at: now - 5), shop.event("b", "i1", at: now - 3599)])
        #expect(try recent("i1") == 2)
        // The interval before weighs 1, the one before that a half, the ninth 1/128, and nothing beyond counts.
        try shop.put([shop.event("a", "i1", at: now - 3600)])
        #expect(try recent("i1") == 3)
        try shop.put([shop.event("a", "i1", at: now - 7200), shop.event("c", "i1", at: now - 9 * 3600 + 1)])
        #expect(try recent("i1") == 3.5 + 1.0 / 128)
        try shop.put([shop.event("d", "i1", at: now - 9 * 3600), shop.event("e", "i1", at: now + 60)])
        #expect(try recent("i1") == 3.5 + 1.0 / 128)
    }

    @Test func `after a quiet interval the newest interactions count, unless the model knows them`() throws {
        // What was planted lies a day back.
        let planted = Int64(shop.clock.now.seconds) - 86_400
        #expect(try #require(try trends(until: planted - 1)).isEmpty == false)
        #expect(try trends(until: planted + 86_400) == nil)
    }

    @Test func `events below the value of the model do not count`() throws {
        var event = shop.event("a", "i1")
        event.value = 3
        try shop.put([event])
        #expect(try trends(threshold: 3)?.count == 1)
        #expect(try trends(until: .max / 2, threshold: 4) == nil)
    }
}
