import JSON
import Postgres
import Support
import Tastemaker
import Testing

struct SolutionTests {
    let fixture: ControlFixture

    init() throws {
        fixture = try ControlFixture()
        try fixture.makeShop()
    }

    @Test func `automatic training is on by default and waits an hour for a version made by hand`() throws {
        let solution = try fixture.makeSolution()
        #expect(solution.performsAutoTraining)
        #expect(solution.nextTrainingAt?.microseconds == fixture.clock.now.microseconds + 3_600_000_000)
        _ = try fixture.makeVersion()
        let later = try fixture.environment.describeSolution(arn: fixture.arn("solution/sol"), by: fixture.caller).solution
        #expect(later.nextTrainingAt?.microseconds == fixture.clock.now.microseconds + 7 * 86_400_000_000)
    }

    @Test(arguments: [
        #"{"algorithmHyperParameters":{"hidden_dimension":"64","training.bptt":"16"}}"#,
        #"{"eventValueThreshold":"3.5","eventsConfig":{"eventParametersList":[{"eventType":"a","weight":0.5},{"eventType":"b","weight":1}]}}"#,
        #"{"autoTrainingConfig":{"schedulingExpression":"rate(1 day)"},"trainingDataConfig":{"excludedDatasetColumns":{"ITEMS":["TEXT"]}}}"#,
        #"{"hpoConfig":{"hpoResourceConfig":{"maxNumberOfTrainingJobs":"40","maxParallelTrainingJobs":"10"},"algorithmHyperParameterRanges":{"integerHyperParameterRanges":[{"name":"training.bptt","minValue":2,"maxValue":22}],"continuousHyperParameterRanges":[],"categoricalHyperParameterRanges":[{"name":"data.recency_mask","values":["true","false"]}]}}}"#,
        "{}",
    ])
    func `a configuration is echoed exactly as given`(config: String) throws {
        let given = try JSONValue(parsing: config)
        _ = try fixture.makeSolution(config: given)
        #expect(try fixture.environment.describeSolution(arn: fixture.arn("solution/sol"), by: fixture.caller).solution.config == given)
    }

    @Test(arguments: [
        #"{"algorithmHyperParameters":{"hidden_dimension":"1000"}}"#, #"{"algorithmHyperParameters":{"nonsense":"1"}}"#,
        #"{"algorithmHyperParameters":{"hidden_dimension":64}}"#, #"{"eventValueThreshold":"high"}"#,
        #"{"eventsConfig":{"eventParametersList":[{"eventType":"a","weight":1.5}]}}"#,
        #"{"autoTrainingConfig":{"schedulingExpression":"rate(31 days)"}}"#,
        #"{"autoTrainingConfig":{"schedulingExpression":"rate(0 days)"}}"#,
        #"{"autoTrainingConfig":{"schedulingExpression":"every day"}}"#, #"{"autoTrainingConfig":{"schedulingExpression":"rate( days)"}}"#,
        #"{"trainingDataConfig":{"excludedDatasetColumns":{"INTERACTIONS":["USER_ID"]}}}"#,
        #"{"trainingDataConfig":{"excludedDatasetColumns":{"ITEMS":["NOPE"]}}}"#,
        #"{"hpoConfig":{"hpoResourceConfig":{"maxNumberOfTrainingJobs":"41"}}}"#,
        #"{"hpoConfig":{"algorithmHyperParameterRanges":{"integerHyperParameterRanges":[]}}}"#,
        #"{"optimizationObjective":{"itemAttribute":"PRICE","objectiveSensitivity":"HIGH"}}"#, "[]",
    ])
    func `a configuration out of its limits is refused`(config: String) throws {
        let given = try JSONValue(parsing: config)
        #expect(Refusal { try fixture.makeSolution(config: given) } == .invalidInput)
    }

    @Test func `nulls in a configuration mean absent`() throws {
        _ = try fixture.makeSolution(config: JSONValue(parsing: #"{"eventsConfig":null,"eventValueThreshold":"1"}"#))
        let solution = try fixture.environment.describeSolution(arn: fixture.arn("solution/sol"), by: fixture.caller).solution
        #expect(try solution.config == JSONValue(parsing: #"{"eventValueThreshold":"1"}"#))
    }

    @Test func `an unknown recipe is not found and a missing one is invalid`() throws {
        #expect(Refusal { try fixture.makeSolution(recipe: "aws-crystal-ball") } == .notFound)
        let input = CreateSolutionInput(name: "sol", datasetGroupARN: fixture.arn("dataset-group/shop"), recipeARN: nil)
        #expect(Refusal { try fixture.environment.createSolution(input, by: fixture.caller) } == .invalidInput)
    }

    @Test func `a version waits with its job, has the contract's name and hides behind no other name`() throws {
        _ = try fixture.makeSolution()
        let version = try fixture.makeVersion()
        #expect(version.status == .createPending)
        #expect(version.name == "sol/\(version.suffix)")
        #expect(version.suffix.utf8.count == 8)
        #expect(
            try fixture.count(
                "SELECT count(*) FROM job WHERE kind = 'train-solution-version' AND payload = jsonb_build_object('solutionVersionID', \(version.id))"
            ) == 1)
        _ = try fixture.makeVersion(name: "mine")
        #expect(Refusal { try fixture.makeVersion(name: "mine") } == .alreadyExists)
    }

    @Test func `updates need a full training and the right recipe, and callers never ask for AUTOTRAIN`() throws {
        _ = try fixture.makeSolution()
        _ = try fixture.makeSolution("sims", recipe: "aws-sims")
        #expect(Refusal { try fixture.makeVersion(mode: "AUTOTRAIN") } == .invalidInput)
        #expect(Refusal { try fixture.makeVersion(mode: "UPDATE") } == .invalidInput)
        _ = try fixture.makeActiveVersion()
        #expect(Refusal { try fixture.makeVersion(mode: "UPDATE") } == .none)
        _ = try fixture.makeActiveVersion(of: "sims")
        #expect(Refusal { try fixture.makeVersion(of: "sims", mode: "UPDATE") } == .invalidInput)
    }

    @Test func `the twenty-first unfinished version is refused`() throws {
        _ = try fixture.makeSolution()
        for _ in 1...20 { _ = try fixture.makeVersion() }
        #expect(Refusal { try fixture.makeVersion() } == .limitExceeded)
    }

    @Test func `a group without interactions cannot train`() throws {
        _ = try fixture.makeSolution()
        try fixture.environment.deleteDataset(arn: fixture.arn("dataset/shop/INTERACTIONS"), by: fixture.caller)
        #expect(Refusal { try fixture.makeVersion() } == .invalidInput)
    }

    @Test func `stopping a waiting version stops it at once and cancels its job`() throws {
        _ = try fixture.makeSolution()
        let version = try fixture.makeVersion()
        let stop = { try fixture.environment.stopSolutionVersionCreation(arn: fixture.arn("solution/\(version.path)"), by: fixture.caller) }
        try stop()
        #expect(
            try fixture.environment.describeSolutionVersion(arn: fixture.arn("solution/\(version.path)"), by: fixture.caller).status
                == .createStopped)
        #expect(try fixture.count("SELECT count(*) FROM job WHERE state = 'cancelled'") == 1)
        #expect(Refusal { try stop() } == .inUse)
    }

    @Test func `stopping a running version asks its worker to end`() throws {
        _ = try fixture.makeSolution()
        let version = try fixture.makeVersion()
        try fixture.settle(version, "CREATE IN_PROGRESS")
        try fixture.environment.stopSolutionVersionCreation(arn: fixture.arn("solution/\(version.path)"), by: fixture.caller)
        #expect(
            try fixture.environment.describeSolutionVersion(arn: fixture.arn("solution/\(version.path)"), by: fixture.caller).status
                == .createStopping)
    }

    @Test func `metrics are there once a version is active`() throws {
        _ = try fixture.makeSolution()
        let version = try fixture.makeVersion()
        let metrics = { try fixture.environment.solutionMetrics(arn: fixture.arn("solution/\(version.path)"), by: fixture.caller).metrics }
        #expect(Refusal { try metrics() } == .inUse)
        try fixture.settle(version)
        #expect(try metrics().map(\.name) == ["coverage", "precision_at_5"])
    }

    @Test func `a solution with a campaign or a waiting version is not deleted; afterwards its versions go with it`() throws {
        _ = try fixture.makeSolution()
        let delete = { try fixture.environment.deleteSolution(arn: fixture.arn("solution/sol"), by: fixture.caller) }
        let version = try fixture.makeVersion()
        #expect(Refusal { try delete() } == .inUse)
        try fixture.settle(version)
        _ = try fixture.makeCampaign(version: version.path)
        #expect(Refusal { try delete() } == .inUse)
        try fixture.environment.deleteCampaign(arn: fixture.arn("campaign/camp"), by: fixture.caller)
        _ = try fixture.environment.change { try $0.execute("UPDATE solution_version SET model_key = 'models/x.tmm'") }
        try delete()
        #expect(try fixture.count("SELECT count(*) FROM solution_version") == 0)
        #expect(try fixture.count("SELECT count(*) FROM job WHERE kind = 'clean' AND payload -> 'artifacts' ->> 0 = 'models/x.tmm'") == 1)
    }

    @Test func `an update changes the schedule and the weights and nothing else`() throws {
        _ = try fixture.makeSolution(config: JSONValue(parsing: #"{"algorithmHyperParameters":{"bptt":"16"}}"#))
        let change = try JSONValue(parsing: #"{"autoTrainingConfig":{"schedulingExpression":"rate(3 days)"}}"#)
        let solution = try fixture.environment.updateSolution(
            UpdateSolutionInput(solutionARN: fixture.arn("solution/sol"), performsAutoTraining: false, config: change), by: fixture.caller)
        #expect(solution.performsAutoTraining == false)
        #expect(solution.nextTrainingAt == nil)
        #expect(solution.latestUpdate?.config == change)
        #expect(
            try solution.config
                == JSONValue(
                    parsing: #"{"algorithmHyperParameters":{"bptt":"16"},"autoTrainingConfig":{"schedulingExpression":"rate(3 days)"}}"#))
    }
}
