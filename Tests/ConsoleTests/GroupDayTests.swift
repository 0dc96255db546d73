import JSON
import Postgres
import Support
import Testing
import Web

@testable import Console
@testable import Tastemaker

/// What the first page says of placements, what the jobs page offers, and what making a tracker makes.
struct GroupDayTests {
    @Test func `Today names the rung and what is missing in the words of the answer`() throws {
        let shop = try MarketingSite()
        let request = RecommendationRequest(target: .placement(name: "home-for-you", datasetGroupID: shop.group.id))
        let answer = try shop.site.services.recommendations.recommend(request, by: shop.caller)
        let missing = try #require(answer.notes.first)
        #expect(missing.contains("of 1,000 interactions"))
        try shop.marketer.get("/console/groups/shop")
        #expect(shop.marketer.lastPage.contains(">\(RungText.label(answer.rung))</span><br><small>\(missing)</small>"))
        try shop.marketer.get("/console/groups/shop/placements/home-for-you")
        #expect(shop.marketer.lastPage.contains(missing))
    }

    @Test(arguments: [
        ("train-solution-version", "available", 1, true), ("train-solution-version", "available", 0, false),
        ("train-solution-version", "discarded", 3, false), ("advance-group", "discarded", 3, true),
    ])
    func `a job that waits for another try, or upkeep that failed, is begun at once`(
        kind: String, state: String, attempt: Int16, isOffered: Bool
    ) throws {
        let shop = try MarketingSite()
        let group = shop.group.id
        let later = shop.site.clock.now.adding(seconds: 3600)
        let id = try shop.site.environment.change { connection in
            try connection.query(
                """
                INSERT INTO job (kind, dataset_group_id, payload, state, attempt, max_attempts, run_at, error, created_at)
                VALUES (\(kind), \(group), '{}', \(state), \(attempt), 3, \(later), 'The disk is full.', \(later)) RETURNING id
                """
            ).first?.int64(0)
        }
        let operations = try shop.site.browser(.operator)
        try operations.get("/console/groups/shop/jobs")
        #expect(operations.lastPage.contains("Try job \(try #require(id)) again") == isOffered)
        guard isOffered, let id else { return }
        try operations.follow(try operations.post("/console/groups/shop/jobs/\(id)/retry"))
        #expect(operations.lastPage.contains("The job waits for another try."))
        let job = try shop.site.environment.describeJob(id: id, by: .system)
        #expect(job.state == .available && job.error == nil)
        try shop.marketer.get("/console/groups/shop/jobs")
        #expect(!shop.marketer.lastPage.contains("Try job"))
    }

    @Test func `making a tracker gives a catalogue a dataset for its events`() throws {
        let shop = try MarketingSite()
        let operations = try shop.site.browser(.operator)
        try operations.get("/console/groups/shop/tracker")
        try operations.follow(try operations.post("/console/groups/shop/tracker"))
        #expect(operations.lastPage.contains("The tracker is there."))
        let tracker = try #require(try shop.site.environment.eventTracker(ofGroup: shop.group.id, by: .system))
        #expect(try shop.site.environment.openEventDoor(trackingID: "\(tracker.trackingID)")?.isOpen == true)
    }
}
