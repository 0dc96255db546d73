import Foundation
import Postgres
import Storage
import Support
import Testing

@testable import Tastemaker

/// The demo shop as it ships, loaded once for the tests that only read it.
@Suite(.serialized) struct DemoLoadTests {
    static let size = DemoSize.shipped
    static let shop = Result {
        let database = try TestDatabase.make()
        let clock = TestClock()
        let environment = try Environment.test(database, clock: clock, connections: 8)
        let group = try environment.loadDemo(size, runsJobs: true) { _ in }
        return Shop(database: database, clock: clock, environment: environment, group: group)
    }

    struct Shop: Sendable {
        let database: TestDatabase
        let clock: TestClock
        let environment: Environment
        let group: DatasetGroup
    }

    @Test func `the shop is a simulated group with models on its placements`() throws {
        let shop = try Self.shop.get()
        #expect(shop.group.isSimulated && shop.group.currency == "EUR")
        #expect(try shop.environment.demoGroup() == shop.group)
        let placements = try shop.environment.listPlacements(datasetGroupID: shop.group.id, by: .system)
        for name in [DemoShop.forYou, DemoShop.popular, DemoShop.similar] {
            #expect(placements.first { $0.name == name }?.campaignName != nil, "\(name)")
        }
    }

    @Test func `it is loaded once`() throws {
        let shop = try Self.shop.get()
        #expect(throws: OperationError.self) { try shop.environment.loadDemo(Self.size) { _ in } }
        #expect(try shop.environment.demoGroup() == shop.group)
    }

    @Test func `events end now, and none lies in the future`() throws {
        let shop = try Self.shop.get()
        let row = try shop.environment.read { connection in
            try connection.query(
                "SELECT max(occurred_at), min(occurred_at), count(*) FILTER (WHERE visitor_id IS NOT NULL) FROM interaction"
            ).first
        }
        let found = try #require(row)
        let latest = try found.timestamp(0)
        let now = shop.clock.now
        #expect(latest.microseconds < now.microseconds + 3600_000_000 && latest.microseconds > now.microseconds - 86_400_000_000)
        #expect(try found.timestamp(1).microseconds > now.microseconds - 29 * 86_400_000_000)
        #expect(try found.int64(2) > 500)
    }

    @Test func `the finished experiment is read, and its interval covers the planted truth`() throws {
        let report = try report(DemoCampaigns.Name.finished)
        #expect(report.reading == .open && report.verdict != nil)
        let effect = try #require(report.comparisons.first { $0.isPrimary }?.effect)
        let truth = DemoCampaigns.conversion * DemoCampaigns.lift
        #expect(effect.lower <= truth && truth <= effect.upper, "\(effect)")
        // A result worth showing: the treatment is clearly better.
        #expect(effect.lower > 0, "\(effect)")
    }

    @Test func `the broken split raises the alarm and hides the verdict`() throws {
        let report = try report(DemoCampaigns.Name.broken)
        #expect(report.reading == .sampleRatioAlarm && report.verdict == nil && report.comparisons.isEmpty)
        #expect(!report.split.isEmpty)
    }

    @Test func `the A/A comparison finds no clear difference`() throws {
        let report = try report(DemoCampaigns.Name.same)
        #expect(report.reading == .open)
        let effect = try #require(report.comparisons.first { $0.isPrimary }?.effect)
        #expect(effect.lower <= 0 && effect.upper >= 0)
    }

    @Test func `one promotion is live and one waits`() throws {
        let shop = try Self.shop.get()
        let promotions = try shop.environment.listPromotions(datasetGroupID: shop.group.id, by: .system)
        #expect(promotions.count == 2 && promotions.allSatisfy { $0.published != nil })
        var request = RecommendationRequest(target: .placement(name: DemoShop.popular, datasetGroupID: shop.group.id))
        request.anonymousID = "somebody"
        request.previewAt = shop.clock.now
        let answer = try RecommendationService(environment: shop.environment).recommend(request, by: .system)
        #expect(answer.items.contains { item in item.reasons.contains { if case .promotion = $0 { true } else { false } } })
    }

    private func report(_ name: String) throws -> ExperimentReport {
        let shop = try Self.shop.get()
        let experiments = try shop.environment.listExperiments(datasetGroupID: shop.group.id, by: .system)
        let experiment = try #require(experiments.first { $0.name == name })
        return try shop.environment.experimentReport(experiment.id, by: .system)
    }
}
