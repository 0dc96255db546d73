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

    @Test func `a burst leads the answer of a model that was trained before, and says so`() throws {
        try shop.deploy("aws-trending-now", campaign: "trend")
        let service = RecommendationService(environment: shop.environment, historyMilliseconds: 2000)
        let now = shop.clock.now.seconds
        let steady = (1...4).flatMap { window in
            (0..<30).map { shop.event("u\($0)", "i\(20 + $0 % 5)", at: now - Double(window) * 10_800 - 60) }
        }
        try shop.put(steady + (0..<30).map { shop.event("u\($0)", "i7", at: now - Double($0)) })
        var request = RecommendationRequest(target: .campaign(name: "trend"))
        request.count = 12
        let answer = try service.recommend(request, by: .system)
        #expect(answer.rung == .model && !answer.hasScores && answer.items.count == 12)
        #expect(answer.items.first?.itemID == "i7")
        #expect(answer.items.map(\.reasons).prefix(2) == [[.trending], [.popular]])
        #expect(Set(answer.items.prefix(6).map(\.itemID)) == ["i7", "i20", "i21", "i22", "i23", "i24"])
    }

    @Test func `while the database does not answer, what was counted last stands`() throws {
        try shop.deploy("aws-trending-now", campaign: "trend")
        let loader = GroupLoader(environment: shop.environment, models: ModelStore(environment: shop.environment))
        let group = try #require(try loader.resources(shop.groupID, previous: nil))
        let model = try #require(group.campaign(named: "trend")?.model)
        let cache = TrendCache()
        #expect(try cache.items(model, group, shop.environment, isReachable: false) == nil)
        try shop.put([shop.event("a", "i1")])
        let counted = try cache.items(model, group, shop.environment, isReachable: true)
        #expect(counted?.isEmpty == false)
        shop.clock.advance(seconds: 86_400)
        try shop.put([shop.event("a", "i1")])
        #expect(try cache.items(model, group, shop.environment, isReachable: false) == counted)
        #expect(try cache.items(model, group, shop.environment, isReachable: true) != counted)
    }
}
