import Foundation
import JSON
import Postgres
import Ranking
import Storage
import Support
import Testing

@testable import Tastemaker

@Suite struct TrainingTests {
    let shop: Shop

    init() throws { shop = try Shop() }

    private func solution(_ name: String = "taste", recipe: String = "aws-user-personalization", eventType: String? = nil) throws
        -> Solution
    {
        var input = CreateSolutionInput(
            name: name, datasetGroupARN: shop.arn(.datasetGroup, "shop"), recipeARN: shop.arn(.recipe, recipe))
        input.eventType = eventType
        return try shop.environment.createSolution(input, by: .system)
    }

    private func train(_ solution: Solution) throws -> SolutionVersion {
        let version = try shop.environment.createSolutionVersion(
            CreateSolutionVersionInput(solutionARN: shop.arn(.solution, solution.name)), by: .system)
        shop.runJobs()
        return try shop.environment.describeSolutionVersion(arn: shop.arn(.solution, version.path), by: .system)
    }

    private func versions(of solution: String) throws -> [SolutionVersion] {
        try shop.environment.listSolutionVersions(solutionARN: shop.arn(.solution, solution), PageRequest(), by: .system).items
    }

    @Test func `a training on planted tastes gives an ACTIVE version whose model knows them`() throws {
        try shop.importText(Shop.tastes())
        let version = try train(solution())
        try #require(version.status == .active, "\(version.failureReason ?? "")")
        #expect(version.interactionCount == 1800)
        #expect(version.metrics.contains { $0.name == "coverage" })
        #expect(version.samplingErrors["precision_at_10"]?.userCount == version.samplingErrors["hit@10"]?.userCount)
        #expect((version.samplingErrors["precision_at_10"]?.userCount ?? 0) > 1)
        #expect(version.trainingHours != nil)
        #expect(version.report?["seed"]?.intValue == 1)
        #expect((version.report?["log"]?.arrayValue ?? []).isEmpty == false)
        let key = try #require(version.modelKey)
        let sha = try shop.environment.read { connection in
            try connection.query("SELECT model_sha256 FROM solution_version WHERE id = \(version.id)").first?.bytes(0) ?? []
        }
        let model = try ModelStore(environment: shop.environment).model(key: key, sha256: sha).model
        let items = try shop.rows("SELECT external_id FROM item_key ORDER BY id")
        let even = Int32(items.firstIndex(of: "i2") ?? 0)
        var scratch = RankingScratch()
        let ranked = model.rank(
            RankingRequest(history: [HistoryEvent(item: even, timestamp: 1_700_100_000)], count: 5), scratch: &scratch)
        let parities = ranked.items.map { Int(items[Int($0.item)].dropFirst()).map { $0 % 2 } }
        #expect(parities == Array(repeating: 0, count: 5))
    }

    @Test func `too little data fails in the contract's words`() throws {
        try shop.importText(Shop.header + "a,x,1,View,\n")
        let version = try train(solution())
        #expect(version.status == .createFailed)
        #expect(
            version.failureReason
                == "Dataset has fewer than 1000 unique interactions after filtering: 1. Dataset has fewer than 25 users with at least 2 interactions each. Dataset has fewer than 1% of users with at least 2 interactions each."
        )
    }

    @Test func `event types match without regard to case`() throws {
        try shop.importText(Shop.tastes())
        let version = try train(solution(eventType: "VIEW"))
        #expect(version.status == .active, "\(version.failureReason ?? "")")
        #expect(version.report?["interactions"]?.intValue == 1620)
    }

    @Test func `an aliased user's interactions count as the canonical user's`() throws {
        try shop.importText(Shop.tastes())
        try shop.execute(
            """
            INSERT INTO user_alias (dataset_group_id, user_id, canonical_id, created_at)
            SELECT dataset_group_id, id, (SELECT id FROM user_key WHERE external_id = 'u0'), now() FROM user_key WHERE external_id = 'u2'
            """)
        #expect(try train(solution()).report?["users"]?.intValue == 59)
    }

    @Test func `a stopped training ends STOPPED`() throws {
        try shop.importText(Shop.tastes())
        let solution = try solution()
        let version = try shop.environment.createSolutionVersion(
            CreateSolutionVersionInput(solutionARN: shop.arn(.solution, solution.name)), by: .system)
        try shop.execute("UPDATE solution_version SET status = 'CREATE STOPPING'")
        shop.runJobs()
        #expect(try shop.environment.describeSolutionVersion(arn: shop.arn(.solution, version.path), by: .system).status == .createStopped)
        #expect(try shop.environment.artifacts.list(prefix: "models/").isEmpty)
    }

    @Test func `a late twin's model is not published`() throws {
        try shop.importText(Shop.tastes())
        let solution = try solution()
        let version = try shop.environment.createSolutionVersion(
            CreateSolutionVersionInput(solutionARN: shop.arn(.solution, solution.name)), by: .system)
        let twin = JobContext(try #require(JobWorker(shop.environment).claim([.trainSolutionVersion])))
        try shop.execute("UPDATE job SET lease_until = clock_timestamp() - interval '1 second' WHERE state = 'running'")
        try JobWorker(shop.environment).rescue()
        shop.runJobs()
        let trained = try shop.environment.describeSolutionVersion(arn: shop.arn(.solution, version.path), by: .system)
        #expect(trained.status == .active)
        #expect(trained.modelKey?.hasSuffix("-2.tmm") == true)
        #expect(throws: (any Error).self) {
            try TrainingRun(environment: shop.environment, context: twin, version: version).run()
        }
        #expect(try shop.environment.artifacts.list(prefix: "models/").map(\.key) == [try #require(trained.modelKey)])
    }

    @Test func `a campaign that follows its solution moves to the new version`() throws {
        try shop.importText(Shop.tastes())
        let solution = try solution()
        let first = try train(solution)
        _ = try shop.environment.createCampaign(
            CreateCampaignInput(
                name: "home", solutionVersionARN: shop.arn(.solution, "taste/$LATEST"), config: ["syncWithLatestSolutionVersion": true]),
            by: .system)
        let second = try train(solution)
        #expect(first.id != second.id)
        #expect(try shop.environment.describeCampaign(arn: shop.arn(.campaign, "home"), by: .system).solutionVersionID == second.id)
    }

    @Test func `automatic training runs on its schedule, and only when something is new`() throws {
        try shop.importText(Shop.tastes())
        _ = try solution()
        func pass(_ seconds: Double) throws -> Int {
            shop.clock.advance(seconds: seconds)
            try shop.environment.scheduleDueWork()
            shop.runJobs()
            return try versions(of: "taste").count
        }
        #expect(try pass(3000) == 0)
        #expect(try pass(700) == 1)
        #expect(try versions(of: "taste").first?.trainingType == .automatic)
        #expect(try versions(of: "taste").first?.status == .active)
        #expect(try pass(7 * 86_400 + 1) == 1)
        #expect(
            try shop.environment.listAudit(datasetGroupID: shop.group.id).contains {
                $0.action == "SkipAutomaticTraining"
                    && $0.parameters["reason"]?.stringValue == "No interactions are new since the last training."
            })
        try shop.importText(Shop.header + "a,x,1,View,\n", mode: .incremental)
        #expect(try pass(7 * 86_400 + 1) == 2)
    }

    @Test func `automatic placements climb to a model of their own when the data suffices`() throws {
        for (name, purpose) in [("home", "for-you"), ("detail", "similar"), ("basket", "bought-together")] {
            try shop.execute(
                """
                INSERT INTO placement (dataset_group_id, name, title, purpose) VALUES (\(shop.group.id), \(name), \(name), \(purpose))
                """)
        }
        func deployed() throws -> [String] {
            try shop.rows(
                "SELECT p.name || ' ' || s.recipe FROM placement p JOIN campaign c ON c.id = p.campaign_id JOIN solution s ON s.id = c.solution_id ORDER BY 1"
            )
        }
        try shop.importText(Shop.header + "a,x,1,View,\n")
        let progress = try shop.environment.ladderProgress(datasetGroupID: shop.group.id, by: .system)
        #expect(progress.missing == "1 of 1000 interactions")
        #expect(try deployed() == [])
        try shop.importText(Shop.tastes())
        #expect(try deployed() == ["detail aws-sims", "home aws-user-personalization"])
        // Purchases are still too few for the basket.
        #expect(
            try shop.environment.ladderProgress(datasetGroupID: shop.group.id, eventType: "purchase", by: .system).missing
                == "180 of 1000 interactions")
        // Nothing new: the daily training is skipped; something new: it is not, and the campaigns move on.
        shop.clock.advance(seconds: 86_401)
        try shop.environment.scheduleDueWork()
        shop.runJobs()
        #expect(try shop.count("SELECT count(*) FROM solution_version") == 2)
        try shop.importText(Shop.header + "a,x,1,View,\n", mode: .incremental)
        shop.clock.advance(seconds: 86_401)
        try shop.environment.scheduleDueWork()
        shop.runJobs()
        #expect(try shop.count("SELECT count(*) FROM solution_version WHERE status = 'ACTIVE'") == 4)
        #expect(
            try shop.count(
                "SELECT count(DISTINCT solution_version_id) FROM campaign WHERE solution_version_id IN (SELECT max(id) FROM solution_version GROUP BY solution_id)"
            ) == 2)
    }
}
