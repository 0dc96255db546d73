import JSON
import Postgres
import Support
import Testing

@testable import Tastemaker

struct RecommenderTests {
    let fixture: ControlFixture
    private static let day = 86_400.0

    init() throws {
        fixture = try ControlFixture()
        _ = try fixture.makeGroup(domain: "ECOMMERCE")
        try fixture.makeSchema("interactions", domain: "ECOMMERCE")
        try fixture.makeDataset()
    }

    private var arn: String { fixture.arn("recommender/rec") }

    @discardableResult
    private func make(_ config: JSONValue? = nil, recipe: String = "aws-ecomm-recommended-for-you") throws -> Recommender {
        try fixture.environment.createRecommender(
            CreateRecommenderInput(
                name: "rec", datasetGroupARN: fixture.arn("dataset-group/shop"), recipeARN: "arn:aws:personalize:::recipe/\(recipe)",
                config: config), by: fixture.caller)
    }

    private func found() throws -> Recommender { try fixture.environment.describeRecommender(arn: arn, by: fixture.caller) }

    private func update(_ config: JSONValue) throws -> Recommender {
        try fixture.environment.updateRecommender(arn: arn, config: config, by: fixture.caller)
    }

    private func versions() throws -> [SolutionVersion] {
        try fixture.environment.read { connection in
            try connection.query("SELECT id FROM solution_version ORDER BY id").compactMap { row in
                try SolutionVersionQueries.find(id: row.int32(0), connection)
            }
        }
    }

    /// What the newest training would do at its end.
    private func publish() throws {
        let version = try #require(try versions().last)
        try fixture.settle(version)
        try fixture.environment.change { try fixture.environment.advanceRecommender(to: version, $0) }
    }

    @Test func `a recommender is active with its metrics when its training has ended`() throws {
        #expect(try make().status == .createPending)
        #expect(try found().metrics.isEmpty)
        try publish()
        #expect(try found().status == .active)
        #expect(try found().metrics.map(\.name).sorted() == ["coverage", "precision_at_5"])
        #expect(
            try fixture.environment.listRecommenders(datasetGroupARN: nil, PageRequest(), by: fixture.caller).items.map(\.name) == ["rec"])
    }

    @Test func `what is behind it has no names of its own`() throws {
        try make()
        try publish()
        let environment = fixture.environment
        #expect(try environment.listSolutions(datasetGroupARN: nil, PageRequest(), by: fixture.caller).items.isEmpty)
        #expect(try environment.listCampaigns(solutionARN: nil, PageRequest(), by: fixture.caller).items.isEmpty)
        #expect(try environment.listSolutionVersions(solutionARN: nil, PageRequest(), by: fixture.caller).items.isEmpty)
        #expect(Refusal { try environment.describeSolution(arn: fixture.arn("solution/recommender/rec"), by: fixture.caller) } == .notFound)
        #expect(Refusal { try environment.describeCampaign(arn: fixture.arn("campaign/recommender/rec"), by: fixture.caller) } == .notFound)
    }

    @Test func `a failed training is told with its reason, and another configuration tries again`() throws {
        try make()
        try fixture.environment.change { connection in
            _ = try connection.execute("UPDATE solution_version SET status = 'CREATE FAILED', failure_reason = 'Too little.'")
        }
        #expect(try found().status == .createFailed)
        #expect(try found().failureReason == "Too little.")
        _ = try update(["minRecommendationRequestsPerSecond": 2])
        #expect(try found().status == .createPending)
        try publish()
        #expect(try found().status == .active)
        #expect(try found().config == ["minRecommendationRequestsPerSecond": 2])
    }

    @Test func `other training data is trained before it counts`() throws {
        let excluded: JSONValue = ["trainingDataConfig": ["excludedDatasetColumns": ["INTERACTIONS": ["EVENT_TYPE"]]]]
        try make(["minRecommendationRequestsPerSecond": 1])
        #expect(Refusal { try update(excluded) } == .inUse)
        try publish()
        #expect(try update(excluded).status == .active)
        #expect(try found().config == ["minRecommendationRequestsPerSecond": 1])
        #expect(try found().latestUpdate?.status == .createPending)
        #expect(Refusal { try update([:]) } == .inUse)
        try publish()
        #expect(try found().config == excluded)
        #expect(try found().latestUpdate?.status == .active)
        #expect(try versions().last?.config?["trainingDataConfig"] == excluded["trainingDataConfig"])
    }

    @Test func `it is trained again seven days after its creation`() throws {
        try make()
        try publish()
        func start() throws {
            try fixture.environment.change { connection in
                for id in try TrainingQueries.dueSolutions(at: fixture.clock.now, connection) {
                    _ = try fixture.environment.startTraining(
                        of: fixture.environment.solution(id: id, connection), mode: "FULL", type: .automatic, connection)
                }
            }
        }
        fixture.clock.advance(seconds: 7 * Self.day - 1)
        try start()
        #expect(try versions().count == 1)
        fixture.clock.advance(seconds: 1)
        try start()
        #expect(try versions().count == 2)
    }

    @Test func `a stopped one neither trains nor serves, and a start makes up for what was missed`() throws {
        try make()
        #expect(Refusal { try fixture.environment.stopRecommender(arn: arn, by: fixture.caller) } == .inUse)
        try publish()
        #expect(Refusal { try fixture.environment.startRecommender(arn: arn, by: fixture.caller) } == .inUse)
        #expect(try fixture.environment.stopRecommender(arn: arn, by: fixture.caller).status == .inactive)
        #expect(try fixture.count("SELECT count(*) FROM solution WHERE next_training_at IS NOT NULL") == 0)
        fixture.clock.advance(seconds: 10 * Self.day)
        #expect(try fixture.environment.startRecommender(arn: arn, by: fixture.caller).status == .active)
        #expect(try fixture.count("SELECT count(*) FROM solution WHERE next_training_at <= \(fixture.clock.now)") == 1)
    }

    @Test func `deleting it takes everything along and ends its training`() throws {
        try make()
        #expect(Refusal { try fixture.environment.deleteRecommender(arn: arn, by: fixture.caller) } == .inUse)
        try publish()
        _ = try update(["trainingDataConfig": ["excludedDatasetColumns": ["INTERACTIONS": ["EVENT_TYPE"]]]])
        try fixture.environment.deleteRecommender(arn: arn, by: fixture.caller)
        #expect(Refusal { try found() } == .notFound)
        #expect(
            try fixture.count(
                """
                SELECT (SELECT count(*) FROM recommender) + (SELECT count(*) FROM solution) + (SELECT count(*) FROM solution_version)
                    + (SELECT count(*) FROM campaign)
                """) == 0)
        #expect(try fixture.count("SELECT count(*) FROM job WHERE kind = 'train-solution-version' AND state = 'cancelled'") == 1)
        #expect(
            try fixture.count("SELECT count(*) FROM audit WHERE resource = 'recommender/rec'") == 4)
    }

    @Test func `recipes, domains and datasets have to fit`() throws {
        #expect(Refusal { try make(recipe: "aws-sims") } == .invalidInput)
        #expect(Refusal { try make(recipe: "aws-vod-top-picks") } == .invalidInput)
        #expect(Refusal { try make(recipe: "aws-ecomm-nothing") } == .notFound)
        try make()
        #expect(Refusal { try make() } == .alreadyExists)
        #expect(
            Refusal { try fixture.environment.deleteDatasetGroup(arn: fixture.arn("dataset-group/shop"), by: fixture.caller) } == .inUse)
    }
}
