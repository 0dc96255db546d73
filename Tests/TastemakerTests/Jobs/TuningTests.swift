import Foundation
import JSON
import Postgres
import Ranking
import Storage
import Support
import Testing

@testable import Tastemaker

/// Searches for hyperparameters, updates, the choice of a recipe, and imported vectors, on a real database.
@Suite struct TuningTests {
    let shop: Shop

    init() throws { shop = try Shop() }

    private func make(
        recipe: String? = "aws-user-personalization", config: String? = nil, _ change: (inout CreateSolutionInput) -> Void = { _ in }
    ) throws -> Solution {
        var input = CreateSolutionInput(
            name: "taste", datasetGroupARN: shop.arn(.datasetGroup, "shop"), recipeARN: recipe.map { shop.arn(.recipe, $0) },
            config: try config.map { try JSONValue(parsing: $0) })
        change(&input)
        return try shop.environment.createSolution(input, by: .system)
    }

    private func start(mode: String? = nil) throws -> SolutionVersion {
        try shop.environment.createSolutionVersion(
            CreateSolutionVersionInput(solutionARN: shop.arn(.solution, "taste"), trainingMode: mode), by: .system)
    }

    private func described(_ version: SolutionVersion) throws -> SolutionVersion {
        try shop.environment.describeSolutionVersion(arn: shop.arn(.solution, version.path), by: .system)
    }

    private func train(mode: String? = nil) throws -> SolutionVersion {
        let version = try start(mode: mode)
        shop.runJobs()
        let trained = try described(version)
        try #require(trained.status == .active, "\(trained.failureReason ?? "")")
        return trained
    }

    private func log(_ version: SolutionVersion) -> [String] { (version.report?["log"]?.arrayValue ?? []).compactMap(\.stringValue) }

    private static let search = #"""
        {"hpoConfig":{"hpoResourceConfig":{"maxNumberOfTrainingJobs":"3","maxParallelTrainingJobs":"2"},"algorithmHyperParameterRanges":
        {"integerHyperParameterRanges":[{"name":"min_cointeraction_count","minValue":1,"maxValue":3}],
        "continuousHyperParameterRanges":[{"name":"training.popularity_discount_factor","minValue":0.2,"maxValue":0.8}],
        "categoricalHyperParameterRanges":[]}}}
        """#

    @Test func `a search keeps its trials and its winner, and automatic trainings use it again for 90 days`() throws {
        try shop.importText(Shop.tastes())
        _ = try make(recipe: "aws-sims", config: Self.search) { $0.performsHPO = true }
        let version = try train()
        #expect(Set(version.tunedParameters.keys) == ["min_cointeraction_count", "popularity_discount_factor"])
        #expect((0.2...0.8).contains(Double(version.tunedParameters["popularity_discount_factor"] ?? "") ?? 0))
        #expect(try shop.count("SELECT count(*) FROM tuning_trial WHERE quality IS NOT NULL") == 3)
        #expect(log(version).contains { $0.hasPrefix("Tuned: ") })
        func automatic(afterDays days: Double) throws -> SolutionVersion {
            try shop.importText(Shop.header + "a,x\(days),1,View,\n", mode: .incremental)
            shop.clock.advance(seconds: days * 86_400)
            try shop.environment.scheduleDueWork()
            shop.runJobs()
            let newest = try shop.environment.listSolutionVersions(
                solutionARN: shop.arn(.solution, "taste"), PageRequest(), by: .system
            ).items.first
            return try #require(newest)
        }
        let again = try automatic(afterDays: 8)
        #expect(again.trainingMode == "AUTOTRAIN" && again.trainingType == .automatic && again.status == .active)
        #expect(again.tunedParameters == version.tunedParameters)
        #expect(try shop.count("SELECT count(*) FROM tuning_trial") == 3)
        _ = try automatic(afterDays: 91)
        #expect(try shop.count("SELECT count(*) FROM tuning_trial") == 6)
    }

    @Test func `a worker that takes a search over goes on after the finished trials`() throws {
        try shop.importText(Shop.tastes())
        _ = try make(recipe: "aws-sims", config: Self.search) { $0.performsHPO = true }
        let version = try start()
        // As an attempt that died had left it: a trial that no fit would have judged so.
        try shop.execute(
            """
            INSERT INTO tuning_trial (solution_version_id, rung, number, parameters, quality, seconds, finished_at)
            VALUES (\(version.id), 0, 2, '{}', 7, 1, now())
            """)
        shop.runJobs()
        let trained = try described(version)
        #expect(trained.status == .active, "\(trained.failureReason ?? "")")
        #expect(log(trained).contains("1 trials of an earlier attempt count."))
        #expect(log(trained).contains { $0.hasPrefix("Tuned: ") && $0.contains("NDCG@25 7.0000") })
        #expect(try shop.count("SELECT count(*) FROM tuning_trial WHERE quality < 1") == 2)
    }

    @Test func `an update brings new items in a version of its own and leaves the schedule alone`() throws {
        try shop.importText(Shop.tastes())
        let solution = try make()
        #expect(throws: OperationError.self) { try start(mode: "UPDATE") }
        #expect(throws: OperationError.self) { try start(mode: "AUTOTRAIN") }
        let full = try train()
        let due = try shop.environment.describeSolution(arn: shop.arn(.solution, solution.name), by: .system).solution.nextTrainingAt
        try shop.importText(Shop.header + (0..<30).map { "u\($0 * 2),novel,1800000000,View,\n" }.joined(), mode: .incremental)
        shop.clock.advance(seconds: 60)
        let update = try train(mode: "UPDATE")
        #expect(update.trainingMode == "UPDATE" && update.modelKey != full.modelKey)
        #expect(update.metrics.map(\.value) == full.metrics.map(\.value))
        #expect(update.samplingErrors == full.samplingErrors && !full.samplingErrors.isEmpty)
        #expect(log(update).contains { $0.hasPrefix("Added 1 items") })
        #expect(
            try shop.environment.describeSolution(arn: shop.arn(.solution, solution.name), by: .system).solution.nextTrainingAt == due)
        let model = try ModelStore(environment: shop.environment).model(key: #require(update.modelKey), sha256: update.modelSHA256).model
        let items = try shop.rows("SELECT external_id FROM item_key ORDER BY id")
        let novel = Int32(try #require(items.firstIndex(of: "novel")))
        var scratch = RankingScratch()
        func place(of item: String) throws -> Int {
            let known = Int32(try #require(items.firstIndex(of: item)))
            let request = RankingRequest(history: [HistoryEvent(item: known)], candidates: Array(0..<Int32(items.count)))
            return try #require(model.rank(request, scratch: &scratch).items.firstIndex { $0.item == novel })
        }
        // Users of even taste alone met it.
        #expect(try place(of: "i2") < place(of: "i3"))
    }

    @Test func `an update is for aws-user-personalization and its legacy names`() throws {
        try shop.importText(Shop.tastes())
        _ = try make(recipe: "aws-user-personalization-v2")
        _ = try train()
        #expect(throws: OperationError.self) { try start(mode: "UPDATE") }
    }

    @Test func `a recipe left to us is chosen by the first training and then told`() throws {
        try shop.importText(Shop.tastes())
        let solution = try make(
            recipe: nil,
            config:
                #"{"autoMLConfig":{"metricName":"precision_at_5","recipeList":["arn:aws:personalize:::recipe/aws-user-personalization-v2","arn:aws:personalize:::recipe/aws-user-personalization"]}}"#
        ) { $0.performsAutoML = true }
        #expect(!solution.isRecipeChosen)
        let version = try train()
        let chosen = try shop.environment.describeSolution(arn: shop.arn(.solution, "taste"), by: .system).solution
        #expect(chosen.isRecipeChosen)
        #expect(log(version).contains("Chosen: \(chosen.recipe.rawValue)."))
        #expect(version.solution.recipe == chosen.recipe)
    }

    @Test(arguments: [
        #"{"autoMLConfig":{"recipeList":["arn:aws:personalize:::recipe/aws-sims"]}}"#, #"{"autoMLConfig":{"metricName":"beauty"}}"#,
    ])
    func `a choice among unfit recipes is refused`(config: String) throws {
        #expect(throws: OperationError.self) { try make(recipe: nil, config: config) { $0.performsAutoML = true } }
    }

    @Test(arguments: [
        #"{"integerHyperParameterRanges":[{"name":"hidden_dimension","minValue":8,"maxValue":64}],"continuousHyperParameterRanges":[],"categoricalHyperParameterRanges":[]}"#,
        #"{"integerHyperParameterRanges":[{"name":"hidden_dimension","minValue":64,"maxValue":32}],"continuousHyperParameterRanges":[],"categoricalHyperParameterRanges":[]}"#,
        #"{"integerHyperParameterRanges":[],"continuousHyperParameterRanges":[{"name":"hidden_dimension","minValue":32,"maxValue":64}],"categoricalHyperParameterRanges":[]}"#,
        #"{"integerHyperParameterRanges":[],"continuousHyperParameterRanges":[],"categoricalHyperParameterRanges":[{"name":"recency_mask","values":["maybe"]}]}"#,
        #"{"integerHyperParameterRanges":[],"continuousHyperParameterRanges":[],"categoricalHyperParameterRanges":[{"name":"recency_mask","values":[]}]}"#,
        #"{"integerHyperParameterRanges":[],"continuousHyperParameterRanges":[],"categoricalHyperParameterRanges":[{"name":"factors","values":["16"]}]}"#,
        #"{"integerHyperParameterRanges":[{"name":"bptt","minValue":2,"maxValue":4},{"name":"training.bptt","minValue":2,"maxValue":4}],"continuousHyperParameterRanges":[],"categoricalHyperParameterRanges":[]}"#,
        #"{"integerHyperParameterRanges":[],"continuousHyperParameterRanges":[]}"#,
    ])
    func `a range outside the recipe's is refused`(ranges: String) throws {
        #expect(throws: OperationError.self) { try make(config: #"{"hpoConfig":{"algorithmHyperParameterRanges":\#(ranges)}}"#) }
    }

    @Test func `imported vectors are served by a campaign and never trained`() throws {
        _ = try make(recipe: "tastemaker-vectors")
        let solution = try shop.environment.describeSolution(arn: shop.arn(.solution, "taste"), by: .system).solution
        #expect(!solution.performsAutoTraining && solution.nextTrainingAt == nil)
        #expect(throws: OperationError.self) { try start() }
        var input = ImportVectorsInput(
            solutionARN: shop.arn(.solution, "taste"), metric: .innerProduct,
            items: VectorTable(ids: ["near", "far", "middle"], dimensions: 2, values: [1, 0, -1, 0, 0.5, 0.5]),
            users: VectorTable(ids: ["ann"], dimensions: 2, values: [1, 0.1]))
        let version = try shop.environment.importVectors(input, by: .system)
        #expect(version.status == .active)
        _ = try shop.environment.createCampaign(
            CreateCampaignInput(name: "home", solutionVersionARN: shop.arn(.solution, version.path)), by: .system)
        let service = RecommendationService(environment: shop.environment, historyMilliseconds: 2000)
        var request = RecommendationRequest(target: .campaign(name: "home"))
        request.userID = "ann"
        let answer = try service.recommend(request, by: .system)
        #expect(answer.items.map(\.itemID) == ["near", "middle", "far"])
        input.users = VectorTable(ids: ["ann"], dimensions: 3, values: [1, 2, 3])
        #expect(throws: OperationError.self) { try shop.environment.importVectors(input, by: .system) }
        #expect(try shop.environment.artifacts.list(prefix: "models/").count == 1)
    }
}
