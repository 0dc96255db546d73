import Foundation
import JSON
import Postgres
import Ranking
import Storage
import Support
import Testing

@testable import Tastemaker

/// Answers against a real database and a model fitted on planted data.
struct RecommendationServiceTests {
    let shop: ServedShop
    let service: RecommendationService

    init() throws {
        shop = try ServedShop()
        service = RecommendationService(environment: shop.environment, historyMilliseconds: 2000)
    }

    func ask(
        _ campaign: String, user: String? = nil, item: String? = nil, on service: RecommendationService? = nil,
        _ change: (inout RecommendationRequest) -> Void = { _ in }
    ) throws -> RecommendationAnswer {
        var request = RecommendationRequest(target: .campaign(name: campaign))
        request.userID = user
        request.itemID = item
        request.count = 8
        change(&request)
        return try (service ?? self.service).recommend(request, by: .system)
    }

    func share(_ category: String, _ answer: RecommendationAnswer) -> Double {
        let place = ServedShop.categories.firstIndex(of: category) ?? 0
        let hits = answer.items.filter { (Int($0.itemID.dropFirst()) ?? -1) % 3 == place }
        return answer.items.isEmpty ? 0 : Double(hits.count) / Double(answer.items.count)
    }

    @Test func `a user gets the category that was planted, with scores of at most 1 in all`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        let answer = try ask("personal", user: "u1")
        #expect(answer.rung == .model)
        #expect(answer.items.count == 8)
        #expect(share("green", answer) > 0.6)
        let scores = answer.items.compactMap(\.score)
        #expect(scores.count == 8)
        #expect(scores == scores.sorted(by: >))
        #expect(scores.reduce(0, +) <= 1.0001)
    }

    @Test func `an event in one process changes the next answer of another`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        let other = RecommendationService(environment: shop.environment, historyMilliseconds: 2000)
        let before = try ask("personal", user: "fresh", on: other)
        try shop.put([shop.event("fresh", "i2"), shop.event("fresh", "i5"), shop.event("fresh", "i8")])
        let after = try ask("personal", user: "fresh", on: other)
        #expect(share("blue", after) > share("blue", before))
        #expect(share("blue", after) > 0.7)
    }

    @Test func `an unknown user gets popular items, not an error`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        let answer = try ask("personal", user: "nobody knows me")
        #expect(answer.items.count == 8)
        #expect(answer.items.allSatisfy { $0.reasons.first == .popular })
    }

    @Test func `a filter acts before the best are taken, in the answer after it was made`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        _ = try ask("personal", user: "u0")
        try shop.createFilter("only-blue", "INCLUDE ItemID WHERE Items.CATEGORY IN ($C)")
        let answer = try ask("personal", user: "u0") { $0.filter = .init(name: "only-blue", values: ["C": "\"blue\""]) }
        #expect(answer.items.count == 8)
        #expect(share("blue", answer) == 1)
    }

    @Test func `a campaign is tried out for somebody new, whom a request would have to name`() throws {
        try shop.deploy("aws-user-personalization", campaign: "c")
        var request = RecommendationRequest(target: .campaign(name: "c"))
        #expect(throws: OperationError.invalidInput("A userId is required for the recipe aws-user-personalization.", field: "userId")) {
            try service.recommend(request, by: .system)
        }
        request.previewAt = shop.clock.now
        #expect(try service.recommend(request, by: .system).items.count == 25)
    }

    @Test func `an explained answer names model, filter and reasons`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        try shop.createFilter("blue", "INCLUDE ItemID WHERE Items.CATEGORY IN (\"blue\")")
        let answer = try ask("personal", user: "u0") { request in
            request.explains = true
            request.filter = .init(name: "blue")
        }
        #expect(answer.notes.contains("The filter 'blue' applies."))
        #expect(answer.notes.contains("20 of 60 items may be shown."))
        #expect(answer.notes.contains { $0.contains("10 of 10 events of the history") })
        #expect(answer.items.first?.display.category == "blue")
    }

    @Test func `a filter on events knows the event of a moment ago`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        try shop.createFilter("unseen", "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (\"Purchase\")")
        let use = RecommendationRequest.FilterUse(name: "unseen")
        let first = try #require(try ask("personal", user: "u0") { $0.filter = use }.items.first?.itemID)
        try shop.put([shop.event("u0", first, "Purchase")])
        let after = try ask("personal", user: "u0") { $0.filter = use }
        #expect(!after.items.contains { $0.itemID == first })
        #expect(after.items.count == 8)
    }

    @Test func `a filter without the values that it needs is refused`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        try shop.createFilter("only", "INCLUDE ItemID WHERE Items.CATEGORY IN ($C)")
        #expect(throws: OperationError.self) { try ask("personal", user: "u0") { $0.filter = .init(name: "only") } }
    }

    @Test func `a changed item acts in the filter of the next answer`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        try shop.createFilter("only-gold", "INCLUDE ItemID WHERE Items.CATEGORY IN (\"gold\")")
        let use = RecommendationRequest.FilterUse(name: "only-gold")
        #expect(try ask("personal", user: "u0") { $0.filter = use }.items.isEmpty)
        try shop.putItems([("i7", "gold")])
        #expect(try ask("personal", user: "u0") { $0.filter = use }.items.map(\.itemID) == ["i7"])
    }

    @Test func `a user's record acts in a filter on the current user`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        try shop.createFilter(
            "kids", "EXCLUDE ItemID WHERE Items.CATEGORY IN (\"red\") IF CurrentUser.TIER IN (\"child\")")
        let use = RecommendationRequest.FilterUse(name: "kids")
        #expect(share("red", try ask("personal", user: "u0") { $0.filter = use }) > 0.5)
        try shop.putUser("u0", tier: "child")
        #expect(share("red", try ask("personal", user: "u0") { $0.filter = use }) == 0)
    }

    @Test func `a ranked list comes back whole, unknown items last and without score`() throws {
        try shop.deploy("aws-personalized-ranking", campaign: "ranking")
        try shop.putItems([("brand-new", "red")])
        let answer = try ask("ranking", user: "u2") { request in
            request.count = nil
            request.inputList = ["brand-new", "i0", "i1", "i2", "i0"]
        }
        #expect(Set(answer.items.map(\.itemID)) == ["brand-new", "i0", "i1", "i2"])
        #expect(answer.items.first?.itemID == "i2")
        #expect(answer.items.last?.itemID == "brand-new")
        #expect(answer.items.last?.score == nil)
        #expect(abs(answer.items.compactMap(\.score).reduce(0, +) - 1) < 0.001)
    }

    @Test func `promotions act on a ranked list: hide drops, pin places, boost lifts, and only items of the list`() throws {
        try shop.deploy("aws-personalized-ranking", campaign: "ranking")
        let inputs = ["i0", "i1", "i2", "i3", "i4", "i5"]
        func ranked(_ visitor: String = "u2") throws -> RecommendationAnswer {
            try ask("ranking", user: visitor) { request in
                request.count = nil
                request.inputList = inputs
            }
        }
        let plain = try ranked().items.map(\.itemID)
        #expect(Set(plain) == Set(inputs))
        let (hidden, pinned, boosted) = (plain[0], plain[5], plain[4])
        try shop.promotion("Hide", PromotionDefinition(kind: .hide, selection: .items([hidden]), holdOut: 0))
        try shop.promotion("Pin", PromotionDefinition(kind: .pin, selection: .items([pinned, "i40"]), position: 2, holdOut: 0))
        try shop.promotion("Boost", PromotionDefinition(kind: .boost, selection: .items([boosted, "i41"]), factor: 10_000, holdOut: 0))
        let answer = try ranked()
        #expect(answer.items.map(\.itemID) == [boosted, pinned, plain[1], plain[2], plain[3]])
        #expect(answer.items[0].reasons.contains { if case .promotion(_, "Boost", "boost") = $0 { true } else { false } })
        #expect(answer.items[1].reasons.contains { if case .promotion(_, "Pin", "pin") = $0 { true } else { false } })
    }

    @Test func `a visitor in the hold-out gets a ranked list as it was`() throws {
        try shop.deploy("aws-personalized-ranking", campaign: "ranking")
        try shop.promotion("Hide", PromotionDefinition(kind: .hide, selection: .items(["i0"]), holdOut: 0.5))
        let sizes = try (0..<30).map { number in
            try ask("ranking", user: "guest-\(number)") { request in
                request.count = nil
                request.inputList = ["i0", "i1", "i2"]
            }.items.count
        }
        #expect(Set(sizes) == [2, 3])
    }

    @Test func `related items are of the same kind, without the item and without scores`() throws {
        try shop.deploy("aws-sims", campaign: "related")
        let answer = try ask("related", item: "i4")
        #expect(share("green", answer) > 0.6)
        #expect(!answer.items.contains { $0.itemID == "i4" })
        #expect(answer.items.allSatisfy { $0.score == nil })
    }

    @Test func `requests that do not suit the recipe are refused`() throws {
        try shop.deploy("aws-sims", campaign: "related")
        try shop.deploy("aws-user-personalization", campaign: "personal")
        #expect(throws: OperationError.self) { try ask("related", user: "u1") }
        #expect(throws: OperationError.self) { try ask("personal", item: "i1") }
        #expect(throws: OperationError.self) { try ask("personal", user: "u1") { $0.inputList = ["i1"] } }
        #expect(throws: OperationError.self) { try ask("personal", user: "u1") { $0.count = 501 } }
        #expect(throws: OperationError.self) { try ask("nowhere", user: "u1") }
    }

    @Test func `a campaign of another group is as unknown as none`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        var request = RecommendationRequest(target: .campaign(name: "personal"))
        request.userID = "u1"
        let stranger = Caller(.accessKey(id: "other"), datasetGroupID: shop.groupID + 1)
        #expect(throws: OperationError.notFound("Resource \(shop.arn("campaign/personal")) not found.")) {
            try service.recommend(request, by: stranger)
        }
    }

    @Test func `the request's promotion takes its share of places and keeps its order`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        try shop.createFilter("blue", "INCLUDE ItemID WHERE Items.CATEGORY IN (\"blue\")")
        let answer = try ask("personal", user: "u0") { request in
            request.count = 10
            request.promotion = .init(name: "blue-week", percent: 25, filter: .init(name: "blue"))
        }
        let promoted = answer.items.filter { $0.promotionName == "blue-week" }
        #expect(promoted.count == 3)
        #expect(answer.items.count == 10)
        #expect(Set(answer.items.map(\.itemID)).count == 10)
        #expect(promoted.compactMap(\.score) == promoted.compactMap(\.score).sorted(by: >))
    }

    @Test func `metadata comes with lower-case names where the campaign allows it`() throws {
        try shop.deploy("aws-user-personalization-v2", campaign: "second")
        try shop.deploy("aws-user-personalization", campaign: "first")
        let answer = try ask("second", user: "u0") { $0.metadataColumns = ["PRICE", "category"] }
        #expect(answer.items.first?.metadata.map(\.column) == ["price", "category"])
        #expect(answer.items.first?.metadata.map(\.value).first == "9.5")
        #expect(throws: OperationError.self) { try ask("first", user: "u0") { $0.metadataColumns = ["PRICE"] } }
    }

    @Test func `a damaged model leaves the last good one at work and says so`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        #expect(share("green", try ask("personal", user: "u1")) > 0.6)
        let (arn, key) = try shop.train(.userPersonalization, solution: "personal")
        try shop.environment.artifacts.delete(key)
        try shop.environment.artifacts.put(key, .bytes(Array("not a model".utf8)), ifAbsent: true)
        _ = try shop.environment.updateCampaign(
            UpdateCampaignInput(campaignARN: shop.arn("campaign/personal"), solutionVersionARN: arn), by: .system)
        for service in [service, RecommendationService(environment: shop.environment, historyMilliseconds: 2000)] {
            let answer = try ask("personal", user: "u1", on: service)
            #expect(share("green", answer) > 0.6)
            #expect(answer.rung == .model)
            #expect(answer.isDegraded)
            #expect(answer.notes.contains { $0.contains("the last good one answers") })
        }
    }

    @Test func `a slow database costs the history, not the answer`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        let hasty = RecommendationService(environment: shop.environment, historyMilliseconds: 150)
        _ = try ask("personal", user: "u1", on: hasty)
        let blocker = try shop.database.connect()
        defer { blocker.close() }
        try blocker.executeScript("BEGIN; LOCK TABLE history IN ACCESS EXCLUSIVE MODE")
        let started = ContinuousClock.now
        let answer = try ask("personal", user: "u1", on: hasty)
        #expect(ContinuousClock.now - started < .seconds(2))
        #expect(answer.isDegraded)
        #expect(answer.items.count == 8)
        try blocker.executeScript("ROLLBACK")
    }

    @Test func `what was shown is logged with its recommendation id`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        let answer = try ask("personal", user: "u1")
        service.close()
        let id = try #require(
            RecommendationID(verifying: answer.recommendationID, key: shop.environment.sealer.derivedKey("recommendation-id")))
        let rows = try shop.environment.read { connection in
            try connection.query(
                """
                SELECT s.items, k.external_id, s.rung, (SELECT sum(requests)::bigint FROM request_metric WHERE target = 'personal')
                FROM shown s JOIN user_key k ON k.dataset_group_id = s.dataset_group_id AND k.id = s.visitor_id WHERE s.key = \(id.key)
                """)
        }
        let row = try #require(rows.first)
        #expect(try row.int32s(0).count == 8)
        #expect(try row.string(1) == "u1")
        #expect(try row.string(2) == "model")
        #expect(try row.int(3) == 1)
    }
}
