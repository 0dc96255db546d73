import Foundation
import JSON
import Postgres
import Support
import Testing

@testable import Tastemaker

/// What was shown, on its way into a training: by import, with put events, and by the log of lists.
@Suite struct ShownTrainingTests {
    private func log(of shop: Shop) throws -> [String] {
        _ = try shop.environment.createSolution(
            CreateSolutionInput(
                name: "all", datasetGroupARN: shop.arn(.datasetGroup, "shop"), recipeARN: shop.arn(.recipe, "aws-user-personalization-v2")),
            by: .system)
        let version = try shop.environment.createSolutionVersion(
            CreateSolutionVersionInput(solutionARN: shop.arn(.solution, "all")), by: .system)
        shop.runJobs()
        let trained = try shop.environment.describeSolutionVersion(arn: shop.arn(.solution, version.path), by: .system)
        try #require(trained.status == .active, "\(trained.failureReason ?? "")")
        return trained.report?["log"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    private func store(_ events: [NewEvent], in shop: Shop) throws {
        try shop.environment.prepareInteractionPart(datasetGroupID: shop.group.id)
        _ = try shop.environment.change { try shop.environment.storeEvents(events, $0) }
    }

    private func event(_ user: Int, _ item: Int, in shop: Shop, _ change: (inout NewEvent) -> Void) -> NewEvent {
        var event = NewEvent(
            datasetGroupID: shop.group.id, source: .putEvents, userID: "u\(user)", visitorID: "u\(user)", eventType: "View",
            occurredAt: shop.clock.now)
        event.itemID = "i\(item)"
        event.clientID = "\(user)-\(item)"
        change(&event)
        return event
    }

    @Test func `put events and logged lists tell what was shown, the event's own list first`() throws {
        let shop = try Shop()
        try shop.importText(Shop.tastes())
        let recommendation = RecommendationID(at: shop.clock.now, random: 77)
        try shop.execute(
            """
            INSERT INTO shown (key, dataset_group_id, shown_at, visitor_id, rung, items)
            SELECT \(recommendation.key), \(shop.group.id), \(shop.clock.now), -1, 'model', array_agg(id) FROM item_key WHERE dataset_group_id = \(shop.group.id)
            """)
        let sealed = recommendation.text(key: shop.environment.sealer.derivedKey("recommendation-id"))
        try store(
            (0..<30).map { number in
                event(number, number, in: shop) { event in
                    if number < 20 { event.impression = ["i1", "i2", "unheard-of"] }
                    if number >= 10 { event.recommendationID = sealed }
                }
            }, in: shop)
        let shown = try shop.rows("SELECT properties->>'IMPRESSION' FROM interaction WHERE properties->>'IMPRESSION' IS NOT NULL")
        #expect(shown == [String](repeating: "i1|i2|unheard-of", count: 20))
        #expect(try log(of: shop).contains("30 of them tell what else was shown."))
    }

    @Test func `an import's column of impressions is read`() throws {
        let shop = try Shop()
        var text = ""
        for (number, line) in Shop.tastes().split(separator: "\n").enumerated() {
            text += line + (number == 0 ? ",IMPRESSION\n" : number % 2 == 0 ? ",i1|i2|i3\n" : ",\n")
        }
        try shop.execute(
            """
            UPDATE schema SET body = replace(body, '{"name":"EVENT_VALUE"', '{"name":"IMPRESSION","type":["null","string"]},{"name":"EVENT_VALUE"')
            WHERE name = 'schema-Interactions'
            """)
        try shop.importText(text)
        #expect(try log(of: shop).contains { $0.hasSuffix(" of them tell what else was shown.") && !$0.hasPrefix("0 ") })
    }

    @Test func `without any lists nothing is said of them`() throws {
        let shop = try Shop()
        try shop.importText(Shop.tastes())
        #expect(try !log(of: shop).contains { $0.contains("what else was shown") })
    }
}
