import Feeds
public import JSON
public import Postgres
public import Ranking

/// A use case of a domain, trained and served as one resource: a solution and a campaign of its own, which no list shows.
public struct Recommender: Sendable {
    public let id: Int32
    public let datasetGroupID: Int32
    public let datasetGroupName: String
    public let name: String
    public let recipe: RecipeName
    /// The contract's `recommenderConfig` in force, exactly as it was given; nil when none was.
    public let config: JSONValue?
    public let latestUpdate: RecommenderUpdate?
    public let status: ResourceStatus
    public let failureReason: String?
    /// Of the version that serves, by the contract's names; empty before there is one.
    public let metrics: [(name: String, value: Double)]
    public let solutionID: Int32
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp
}

/// The last change of a recommender. One that needs a training is in progress until that ends; the old configuration serves meanwhile.
public struct RecommenderUpdate: Sendable {
    public let config: JSONValue?
    public let status: ResourceStatus
    public let failureReason: String?
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp
    /// The first version with the configuration; nil when the change needs no training.
    let versionID: Int32?
}

public struct CreateRecommenderInput: Sendable {
    public var name: String
    public var datasetGroupARN: String
    public var recipeARN: String
    public var config: JSONValue?
    public var tags: [Tag]

    public init(name: String, datasetGroupARN: String, recipeARN: String, config: JSONValue? = nil, tags: [Tag] = []) {
        self.name = name
        self.datasetGroupARN = datasetGroupARN
        self.recipeARN = recipeARN
        self.config = config
        self.tags = tags
    }
}

/// What the contract's `recommenderConfig` says, as what the solution and the campaign behind a recommender are told.
struct RecommenderConfig {
    /// Of the solution.
    let solution: JSONValue
    /// Of the campaign.
    let campaign: JSONValue
    /// What a training depends on.
    let trainingData: JSONValue?

    private static let path = "recommenderConfig"
    /// Each recommender is trained again so many days after its creation, and so on.
    private static let schedule: JSONValue = ["schedulingExpression": "rate(7 days)"]

    /// Reads and checks. The parts are checked where they are used elsewhere too, so that one rule holds for both.
    init(_ json: JSONValue?, recipe: RecipeName, schemas: [DatasetType: AvroSchema]) throws(OperationError) {
        var members = InputMembers(JSONObject(), path: Self.path)
        if let json, !json.isNull {
            guard let object = json.objectValue else { throw .invalidInput("\(Self.path) must be an object.", field: Self.path) }
            members = InputMembers(object, path: Self.path)
        }
        if let rate = try members.int("minRecommendationRequestsPerSecond") {
            try Check.range(rate, 1...Int(Int32.max), field: members.fullName("minRecommendationRequestsPerSecond"))
        }
        trainingData = members.value("trainingDataConfig")
        var solution: JSONObject = ["autoTrainingConfig": Self.schedule]
        if let trainingData { solution["trainingDataConfig"] = trainingData }
        var campaign: JSONObject = [:]
        for name in ["itemExplorationConfig", "enableMetadataWithRecommendations"] { campaign[name] = members.value(name) }
        (self.solution, self.campaign) = (.object(solution), .object(campaign))
        do throws(OperationError) {
            _ = try SolutionConfig(self.solution, recipe: recipe, schemas: schemas)
            let served = try CampaignConfig(self.campaign)
            if let days = served.explorationItemAgeCutOff {
                try Check.range(days, 1...36_500, field: "campaignConfig.itemExplorationConfig.explorationItemAgeCutOff")
            }
        } catch {
            throw error.renamed()
        }
    }
}

extension OperationError {
    /// With the member's name as the caller of a recommender knows it.
    fileprivate func renamed() -> OperationError {
        guard case .invalidInput(let text, let field) = self else { return self }
        func renamed(_ text: String) -> String {
            ["solutionConfig", "campaignConfig"].reduce(text) { $0.replacing($1, with: "recommenderConfig") }
        }
        return .invalidInput(renamed(text), field: field.map(renamed))
    }
}
