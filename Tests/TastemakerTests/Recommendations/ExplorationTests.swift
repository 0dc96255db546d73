import Foundation
import JSON
import Postgres
import Statistics
import Support
import Testing

@testable import Tastemaker

/// New items in the answers of a real campaign, and what the log keeps of chance.
struct ExplorationTests {
    let shop: ServedShop
    let service: RecommendationService

    init() throws {
        shop = try ServedShop()
        service = RecommendationService(environment: shop.environment, historyMilliseconds: 2000)
        try shop.putItems([("new-1", "red"), ("new-2", "green")], ageDays: 2)
        try shop.putItems([("old-1", "red")], ageDays: 90)
    }

    private func ask(_ campaign: String, count: Int = 20) throws -> RecommendationAnswer {
        var request = RecommendationRequest(target: .campaign(name: campaign))
        request.userID = "u0"
        request.count = count
        return try service.recommend(request, by: .system)
    }

    /// Answers until new items are counted, which happens beside the requests.
    private func warmUp(_ campaign: String) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline, !(try ask(campaign).items.contains { $0.reasons.contains(.exploration) }) {
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    private func config(weight: String) -> JSONValue {
        ["itemExplorationConfig": ["explorationWeight": .string(weight), "explorationItemAgeCutOff": "30"]]
    }

    @Test func `new items, and only they, are explored in the lower half of the list`() throws {
        try shop.deploy("aws-user-personalization", campaign: "curious", config: config(weight: "1"))
        try warmUp("curious")
        var seen: [String: Int] = [:]
        for _ in 0..<100 {
            let answer = try ask("curious")
            #expect(answer.items.count == 20)
            #expect(Set(answer.items.map(\.itemID)).count == 20)
            for (place, item) in answer.items.enumerated() where item.reasons.contains(.exploration) {
                seen[item.itemID, default: 0] += 1
                #expect(place >= 10)
            }
        }
        #expect(Set(seen.keys) == ["new-1", "new-2"])
        // Each proposes in a sixth of ten places: it is in five of six lists.
        #expect(seen.values.allSatisfy { (60...99).contains($0) }, "\(seen)")
    }

    @Test func `the log holds the probability of every place, and nothing where chance had no part`() throws {
        try shop.deploy("aws-user-personalization", campaign: "curious", config: config(weight: "1"))
        try shop.deploy("aws-user-personalization", campaign: "sober", config: config(weight: "0"))
        try warmUp("curious")
        for _ in 0..<20 {
            _ = try ask("curious")
            _ = try ask("sober")
        }
        service.close()
        let rows = try shop.environment.read { connection in
            try connection.query(
                """
                SELECT c.name, s.propensities, s.items, array(SELECT id FROM item_key WHERE external_id LIKE 'new-%' ORDER BY id)
                FROM shown s JOIN campaign c ON c.id = s.campaign_id WHERE s.propensities IS NOT NULL
                """)
        }
        #expect(rows.count >= 20)
        for row in rows {
            #expect(try row.string(0) == "curious")
            let propensities = try row.floats(1)
            let new = try row.int32s(3)
            #expect(propensities.prefix(10).allSatisfy { $0 == 1 })
            for (item, propensity) in zip(try row.int32s(2), propensities).dropFirst(10) {
                #expect(new.contains(item) ? propensity < 0.34 : (0.66..<1).contains(propensity))
            }
        }
    }

    @Test func `what was seen often without a click is explored less`() throws {
        try shop.deploy("aws-user-personalization", campaign: "curious", config: config(weight: "1"))
        _ = try shop.environment.change { connection in
            try connection.execute(
                """
                INSERT INTO impression (dataset_group_id, received_at, visitor_id, item_id, position)
                SELECT \(shop.groupID), \(shop.clock.now), 1, k.id, 0
                FROM item_key k, generate_series(1, 2000) WHERE k.dataset_group_id = \(shop.groupID) AND k.external_id = 'new-1'
                """)
        }
        try warmUp("curious")
        var seen: [String: Int] = [:]
        for _ in 0..<100 {
            for item in try ask("curious").items where item.reasons.contains(.exploration) { seen[item.itemID, default: 0] += 1 }
        }
        // In 41 and 96 of a hundred lists, with a standard deviation of 5.
        #expect(seen["new-1", default: 0] + 25 < seen["new-2", default: 0], "\(seen)")
    }

    @Test func `what imported events say was shown counts as seen`() throws {
        let counts = try shop.environment.change { connection -> NewItemCounts? in
            let dataset = try EventQueries.interactionsDataset(shop.groupID, connection) ?? 0
            try EventQueries.addPart(dataset: dataset, part: 1, connection)
            try connection.execute(
                """
                INSERT INTO interaction (dataset_id, part, user_id, item_id, event_type, occurred_at, ordinal, properties)
                SELECT \(dataset), 1, 0, 0, 0, \(shop.clock.now), n, '{"IMPRESSION": "new-1|unheard-of|old-1"}' FROM generate_series(1, 7) AS n
                """)
            let schema = CatalogueSchema(try shop.environment.schemas(ofGroup: shop.groupID, connection)[.items])
            let catalogue = try CatalogueSnapshot.load(shop.groupID, schema: schema, revision: 0, connection)
            return try NewItemQueries.count(dataset: dataset, groupID: shop.groupID, catalogue, ageDays: 30, connection)
        }
        let item = try shop.environment.read { connection in
            try connection.query("SELECT id FROM item_key WHERE dataset_group_id = \(shop.groupID) AND external_id = 'new-1'").first?.int32(
                0)
        }
        #expect(counts?.impressions == [try #require(item): 7])
    }

    @Test func `a second version explores by itself and seldom`() throws {
        try shop.deploy("aws-user-personalization-v2", campaign: "second")
        let deadline = ContinuousClock.now + .seconds(30)
        var least: Float?
        var answers: [RecommendationAnswer] = []
        while ContinuousClock.now < deadline, least == nil {
            answers.append(try ask("second"))
            least = try shop.environment.read { connection in
                try connection.query("SELECT min(p) FROM shown s CROSS JOIN unnest(s.propensities) AS p WHERE p > 0.5").first?
                    .optionalFloat(0)
            }
        }
        #expect(try #require(least) >= 0.998)
        let explored = answers.flatMap(\.items).count { $0.reasons.contains(.exploration) }
        #expect(explored <= answers.count / 5 + 1)
    }

    @Test func `the report tells what new items got and what the lists would be without them`() throws {
        try shop.deploy("aws-user-personalization", campaign: "curious", config: config(weight: "1"))
        try warmUp("curious")
        var (events, met, shown) = ([NewEvent](), [true: 0, false: 0], [true: 0, false: 0])
        for number in 0..<30 {
            let answer = try ask("curious")
            for item in answer.items.dropFirst(10) { shown[item.reasons.contains(.exploration), default: 0] += 1 }
            // Somebody clicks on the place 12 of every second list.
            guard number % 2 == 0 else { continue }
            let clicked = answer.items[12]
            met[clicked.reasons.contains(.exploration), default: 0] += 1
            var event = shop.event("u0", clicked.itemID, "click")
            event.recommendationID = answer.recommendationID
            events.append(event)
        }
        service.close()
        try shop.put(events)
        let report = try shop.environment.explorationReport(campaignARN: shop.arn("campaign/curious"), by: .system)
        #expect(report.explored.met == met[true] && report.own.met == met[false])
        // The lists of the warming up are in it too.
        #expect(report.explored.shown >= shown[true, default: 0] && report.own.shown >= shown[false, default: 0])
        let mean = try #require(report.withoutExploration.mean)
        #expect(abs(mean - (report.own.share ?? 0)) < 0.01)
        #expect(try #require(report.withoutExploration.standardError) > 0)
        #expect(report.days == 28)
        // Where there are too many lists, those of the newest days are counted.
        let newest = try shop.environment.change { connection -> ExplorationReport in
            _ = try connection.execute(
                """
                UPDATE shown SET shown_at = shown_at - interval '10 days'
                WHERE key NOT IN (SELECT key FROM shown ORDER BY shown_at DESC, key LIMIT 3)
                """)
            let campaign = try shop.environment.campaign(arn: shop.arn("campaign/curious"), by: .system, connection)
            return try ExplorationReportQueries.report(campaign, listLimit: 5, now: shop.environment.now(), connection)
        }
        #expect(newest.days == 7)
        #expect(newest.explored.shown + newest.own.shown > 0)
        #expect(newest.explored.shown + newest.own.shown < report.explored.shown + report.own.shown)
    }
}
