import Postgres
import Support
import Testing

@testable import Tastemaker

/// Placements: the ladder, promotions and experiments on them.
struct PlacementAnswerTests {
    func service(_ shop: ServedShop) -> RecommendationService {
        RecommendationService(environment: shop.environment, historyMilliseconds: 2000)
    }

    func ask(
        _ service: RecommendationService, _ shop: ServedShop, _ placement: String, visitor: String? = nil, item: String? = nil,
        _ change: (inout RecommendationRequest) -> Void = { _ in }
    ) throws -> RecommendationAnswer {
        var request = RecommendationRequest(target: .placement(name: placement, datasetGroupID: shop.groupID))
        request.anonymousID = visitor
        request.itemID = item
        change(&request)
        return try service.recommend(request, by: .system)
    }

    @Test func `without events the newest items answer, with few the popular ones, and the note counts`() throws {
        let shop = try ServedShop(items: 12, events: false)
        let service = service(shop)
        try shop.placement("home")
        try shop.putItems([("fresh", "red")], ageDays: 1)
        let newest = try ask(service, shop, "home")
        #expect(newest.rung == .newest)
        #expect(newest.items.first?.itemID == "fresh")
        #expect(newest.items.count == 5)
        let writer = EventWriter(environment: shop.environment)
        _ = try writer.append([shop.event("a", "i3"), shop.event("b", "i3"), shop.event("a", "i4")])
        shop.clock.advance(seconds: 10)
        let popular = try ask(service, shop, "home")
        #expect(popular.rung == .popular)
        #expect(popular.items.prefix(2).map(\.itemID) == ["i3", "i4"])
        #expect(popular.items.count == 5)
        #expect(popular.notes.contains { $0.contains("3 of 1,000 interactions") })
    }

    @Test func `a placement without fallback and model is empty and says so`() throws {
        let shop = try ServedShop(items: 6, events: false)
        try shop.placement("home", fallback: "none")
        let answer = try ask(service(shop), shop, "home")
        #expect(answer.rung == .empty)
        #expect(answer.items.isEmpty)
        #expect(!answer.notes.isEmpty)
    }

    @Test func `a model answers with titles, prices and what the visitor viewed`() throws {
        let shop = try ServedShop()
        try shop.deploy("aws-user-personalization", campaign: "personal")
        try shop.placement("home", campaign: "personal")
        try shop.put([shop.event("anonymous:v", "i1"), shop.event("anonymous:v", "i4")])
        let answer = try ask(service(shop), shop, "home", visitor: "anonymous:v")
        let first = try #require(answer.items.first)
        #expect(answer.rung == .model)
        #expect(first.display.title == "Item \(first.itemID)")
        #expect(first.display.price == "9.50")
        guard case .history(let item, let title, let type, let share) = try #require(first.reasons.first) else {
            Issue.record("no reason from the history")
            return
        }
        #expect(["i1", "i4"].contains(item))
        #expect(title == "Item \(item)")
        #expect(type == "View")
        #expect(share > 0)
        #expect(first.reasons.first?.sentence == "because you viewed Item \(item)")
    }

    @Test func `a similar placement leaves the item itself out on every rung`() throws {
        let shop = try ServedShop(items: 12)
        try shop.placement("product", purpose: "similar", count: 12)
        let answer = try ask(service(shop), shop, "product", item: "i3")
        #expect(answer.rung == .popular)
        #expect(answer.items.count == 11)
        #expect(!answer.items.contains { $0.itemID == "i3" })
    }

    @Test func `promotions act on popular items too: pin, hide, boost, with their reasons`() throws {
        let shop = try ServedShop(items: 30)
        let service = service(shop)
        try shop.placement("home", count: 6)
        let plain = try ask(service, shop, "home").items.map(\.itemID)
        let pinned = "i29"
        try shop.promotion("Pin", PromotionDefinition(kind: .pin, selection: .items([pinned]), position: 2, holdOut: 0))
        try shop.promotion("Hide", PromotionDefinition(kind: .hide, selection: .items([plain[0]]), holdOut: 0))
        let answer = try ask(service, shop, "home")
        #expect(answer.items[1].itemID == pinned)
        #expect(answer.items[1].reasons.contains { if case .promotion(_, "Pin", "pin") = $0 { true } else { false } })
        #expect(!answer.items.contains { $0.itemID == plain[0] })
        #expect(answer.items.count == 6)
    }

    @Test func `a boosted category rises in a model's answer`() throws {
        let shop = try ServedShop()
        try shop.deploy("aws-user-personalization", campaign: "personal")
        try shop.placement("home", campaign: "personal", count: 6)
        let service = service(shop)
        let before = try ask(service, shop, "home") { $0.userID = "u1" }
        #expect(before.items.filter { $0.display.category == "blue" }.count <= 1)
        try shop.promotion(
            "Blue", PromotionDefinition(kind: .boost, selection: .values(column: "category", ["blue"]), factor: 10_000, holdOut: 0))
        let after = try ask(service, shop, "home") { $0.userID = "u1" }
        #expect(after.items.filter { $0.display.category == "blue" }.count >= 4)
    }

    @Test func `a promotion acts in its time, at its placement and for its audience`() throws {
        let shop = try ServedShop(items: 30)
        let service = service(shop)
        try shop.placement("home")
        try shop.placement("cart")
        try shop.putUser("gold-user", tier: "gold")
        try shop.promotion(
            "Gold",
            PromotionDefinition(
                kind: .pin, selection: .items(["i29"]), placements: ["home"], startsAt: "2030-01-01T00:00",
                audience: .attribute(column: "TIER", values: ["gold"]), holdOut: 0))
        let live = PGTimestamp(seconds: 1_900_000_000)
        func first(_ placement: String, _ user: String, at time: PGTimestamp) throws -> String? {
            try ask(service, shop, placement) { request in
                request.userID = user
                request.previewAt = time
            }.items.first?.itemID
        }
        #expect(try first("home", "gold-user", at: live) == "i29")
        #expect(try first("home", "gold-user", at: shop.clock.now) != "i29")
        #expect(try first("cart", "gold-user", at: live) != "i29")
        #expect(try first("home", "plain-user", at: live) != "i29")
    }

    @Test func `a held-out visitor sees the list without the promotion, and the log says so`() throws {
        let shop = try ServedShop(items: 30)
        let service = service(shop)
        try shop.placement("home")
        let id = try shop.promotion("Pin", PromotionDefinition(kind: .pin, selection: .items(["i29"]), holdOut: 0.5))
        var seen: [Bool: Int] = [:]
        for visitor in 0..<40 {
            let answer = try ask(service, shop, "home", visitor: "anonymous:\(visitor)")
            seen[answer.items.first?.itemID == "i29", default: 0] += 1
        }
        service.close()
        let rows = try shop.environment.read { connection in
            try connection.query(
                """
                SELECT count(*) FILTER (WHERE \(id) = ANY (held_promotions)), count(*) FILTER (WHERE \(id) = ANY (promotions)),
                    count(*) FILTER (WHERE \(id) = ANY (live_promotions)) FROM shown
                """)
        }
        #expect(try rows[0].int(0) == seen[false] && (seen[false] ?? 0) > 5)
        #expect(try rows[0].int(1) == seen[true] && (seen[true] ?? 0) > 5)
        #expect(try rows[0].int(2) == 40)
    }

    @Test func `a preview shows a draft and records nothing`() throws {
        let shop = try ServedShop(items: 30)
        let service = service(shop)
        try shop.placement("home")
        let answer = try ask(service, shop, "home", visitor: "anonymous:1") { request in
            request.previewAt = shop.clock.now
            request.previewPromotions = [
                77: .init(name: "Lamps first", PromotionDefinition(kind: .pin, selection: .items(["i29"]), holdOut: 0.5))
            ]
        }
        #expect(answer.items.first?.itemID == "i29")
        service.close()
        #expect(try shop.environment.read { try $0.query("SELECT 1 FROM shown").count } == 0)
    }

    @Test func `an experiment gives each visitor one arm, and stores the exposure once`() throws {
        let shop = try ServedShop()
        try shop.deploy("aws-user-personalization", campaign: "personal")
        try shop.promotion("Pin", PromotionDefinition(kind: .pin, selection: .items(["i59"]), holdOut: 0))
        let placement = try shop.placement("home", campaign: "personal")
        let (experiment, arms) = try shop.experiment(
            "pins", on: placement, arms: [("control", nil, "none"), ("treatment", nil, "placement")])
        let services = [service(shop), service(shop)]
        for visitor in 0..<30 {
            let answers = try services.map { try ask($0, shop, "home", visitor: "anonymous:\(visitor)") }
            #expect(answers[0].assignment == answers[1].assignment)
            let isTreated = answers[0].assignment?.arm == "treatment"
            #expect((answers[0].items.first?.itemID == "i59") == isTreated)
        }
        for service in services { service.close() }
        let rows = try shop.environment.read { connection in
            try connection.query(
                "SELECT arm_id, count(*) FROM exposure WHERE experiment_id = \(experiment) GROUP BY arm_id ORDER BY arm_id")
        }
        #expect(try rows.map { try $0.int32(0) } == arms.sorted())
        #expect(try rows.map { try $0.int(1) }.reduce(0, +) == 30)
    }

    @Test func `a request that names nobody takes part in no experiment`() throws {
        let shop = try ServedShop(items: 12)
        let placement = try shop.placement("home")
        _ = try shop.experiment("e", on: placement, arms: [("control", nil, "none"), ("treatment", nil, "placement")])
        #expect(try ask(service(shop), shop, "home").assignment == nil)
    }
}
