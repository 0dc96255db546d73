import Foundation
import JSON
import Postgres
import Support
import Testing

@testable import Tastemaker

/// A campaign's own options in its answers: variety, caps and value, after promotions and before chance.
struct RerankedListTests {
    let shop: ServedShop
    let service: RecommendationService

    init() throws {
        shop = try ServedShop()
        service = RecommendationService(environment: shop.environment, historyMilliseconds: 2000)
        try shop.deploy(
            "aws-user-personalization", campaign: "personal", config: ["itemExplorationConfig": ["explorationWeight": "0"]])
    }

    private func ask(_ change: (inout RecommendationRequest) -> Void = { _ in }) throws -> RecommendationAnswer {
        var request = RecommendationRequest(target: .campaign(name: "personal"))
        request.userID = "u0"
        request.count = 9
        request.explains = true
        change(&request)
        return try service.recommend(request, by: .system)
    }

    private func set(_ json: JSONValue) throws {
        _ = try shop.environment.updateCampaignOptions(arn: shop.arn("campaign/personal"), CampaignOptions(json), by: .system)
    }

    private func categories(_ answer: RecommendationAnswer) -> [String] { answer.items.compactMap(\.display.category) }

    @Test func `a cap acts in the next answer, says what it moved, and keeps the count`() throws {
        let before = try ask()
        #expect(categories(before).count { $0 == "red" } > 3)
        try set(["caps": [["column": "category", "most": 3]]])
        let after = try ask()
        #expect(after.items.count == 9)
        for color in ServedShop.categories { #expect(categories(after).count { $0 == color } == 3) }
        #expect(after.items.first?.itemID == before.items.first?.itemID)
        #expect(after.notes.contains { $0.hasPrefix("Re-ranking (at most 3 of one CATEGORY) changed") })
        #expect(after.items.contains { $0.reasons.contains { if case .reranked = $0 { true } else { false } } })
        #expect(after.items.contains { $0.reasons.contains { if case .history = $0 { true } else { false } } })
    }

    @Test func `a cap that cannot be kept yields and says so`() throws {
        try set(["caps": [["column": "CATEGORY", "most": 2]]])
        let answer = try ask()
        #expect(answer.items.count == 9)
        #expect(answer.notes.contains("3 places go beyond a limit of the re-ranking, because no other item was left for them."))
    }

    @Test func `variety mixes categories, by the column and by the model's vectors`() throws {
        let plain = Set(categories(try ask { $0.count = 5 }))
        try set(["diversity": ["lambda": 0.2, "column": "CATEGORY"]])
        #expect(Set(categories(try ask { $0.count = 5 })).count == 3)
        #expect(plain.count < 3)
        try set(["diversity": ["lambda": 0.1]])
        #expect(try Set(categories(ask { $0.count = 5 })).count > plain.count)
    }

    @Test func `a high price lifts and a low one sinks`() throws {
        let last = try #require(try ask { $0.count = 30 }.items.last?.itemID)
        let properties = "{\"title\":\"Dear\",\"category\":\"red\",\"price\":9000,\"creationTimestamp\":1600000000}"
        let members = InputMembers([
            "datasetArn": .string(shop.arn("dataset/shop/ITEMS")),
            "items": [["itemId": .string(last), "properties": .string(properties)]],
        ])
        try shop.environment.putItems(members, by: .system)
        try set(["value": ["column": "PRICE", "weight": 0.9]])
        #expect(try ask().items.first?.itemID == last)
        try set(["value": ["column": "PRICE", "weight": -0.9]])
        #expect(try ask { $0.count = 60 }.items.last?.itemID == last)
    }

    @Test func `pins hold their places and count for the caps`() throws {
        try shop.promotion("Pin", PromotionDefinition(kind: .pin, selection: .items(["i3", "i6"]), position: 2, holdOut: 0))
        try set(["caps": [["column": "CATEGORY", "most": 3]]])
        let answer = try ask()
        #expect(answer.items[1].itemID == "i3" && answer.items[2].itemID == "i6")
        #expect(categories(answer).count { $0 == "red" } == 3)
    }

    @Test func `options can be tried out without being stored, and an empty document ends them`() throws {
        let plain = try ask().items.map(\.itemID)
        var tried = CampaignOptions()
        tried.caps = [.init(column: "CATEGORY", most: 3)]
        let changed = try ask { request in
            request.previewOptions = tried
            request.previewAt = shop.clock.now
        }
        #expect(changed.items.map(\.itemID) != plain)
        #expect(try ask().items.map(\.itemID) == plain)
        try set(["caps": [["column": "CATEGORY", "most": 3]]])
        try set([:])
        #expect(try ask().items.map(\.itemID) == plain)
    }

    @Test(arguments: [
        (#"{"diversity":{"lambda":1.5}}"#, "diversity.lambda"), (#"{"diversity":{}}"#, "diversity.lambda"),
        (#"{"diversity":{"lambda":0.5,"column":"PRICE"}}"#, "diversity.column"),
        (#"{"caps":[{"column":"NOPE","most":2}]}"#, "caps.0.column"),
        (#"{"caps":[{"column":"CATEGORY","most":0}]}"#, "caps.0.most"), (#"{"value":{"column":"CATEGORY","weight":1}}"#, "value.column"),
        (#"{"value":{"column":"PRICE","weight":-1.1}}"#, "value.weight"), (#"{"variety":1}"#, "variety"),
    ]) func `options that cannot be are refused by the name of their member`(body: String, field: String) throws {
        do {
            try set(JSONValue(parsing: body))
            Issue.record("\(body) was taken")
        } catch OperationError.invalidInput(_, let named) {
            #expect(named == field)
        }
    }

    @Test func `a ranked list is mixed too, and keeps all its items`() throws {
        try shop.deploy("aws-personalized-ranking", campaign: "ranking")
        func rank() throws -> [String] {
            var request = RecommendationRequest(target: .campaign(name: "ranking"))
            request.userID = "u0"
            request.inputList = ["i0", "i3", "i6", "i1", "i2"]
            return try service.recommend(request, by: .system).items.map(\.itemID)
        }
        let plain = try rank()
        _ = try shop.environment.updateCampaignOptions(
            arn: shop.arn("campaign/ranking"), CampaignOptions(["caps": [["column": "CATEGORY", "most": 1]]]), by: .system)
        let mixed = try rank()
        #expect(mixed.sorted() == plain.sorted())
        #expect(Set(mixed.prefix(3).map { (Int($0.dropFirst()) ?? 0) % 3 }).count == 3)
    }
}
