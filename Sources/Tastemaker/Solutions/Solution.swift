public import JSON
public import Postgres
public import Ranking

/// How models of a dataset group are made: a recipe and its configuration.
public struct Solution: Sendable, Equatable {
    public let id: Int32
    public let datasetGroupID: Int32
    public let datasetGroupName: String
    public let name: String
    /// Of a solution that leaves the choice to us, what is trained until it is made.
    public let recipe: RecipeName
    public let performsHPO: Bool
    /// The recipe is chosen by us, at the first training.
    public let performsAutoML: Bool
    public let performsAutoTraining: Bool
    public let performsIncrementalUpdate: Bool
    public let eventType: String?
    /// Exactly as it was given; nil when none was.
    public let config: JSONValue?
    public let latestUpdate: SolutionUpdate?
    public let status: ResourceStatus
    public let failureReason: String?
    /// Nil: no automatic training.
    public let nextTrainingAt: PGTimestamp?
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp
    /// We have chosen the recipe.
    public let isRecipeChosen: Bool
}

/// The last change of a solution.
public struct SolutionUpdate: Sendable, Equatable {
    /// The contract's `solutionUpdateConfig`, as given.
    public let config: JSONValue?
    public let performsAutoTraining: Bool?
    public let performsIncrementalUpdate: Bool?
    public let status: String
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp
}

extension SolutionUpdate {
    init?(json: JSONValue?) {
        guard let json, let status = json["status"]?.stringValue, let created = json["createdAt"]?.intValue,
            let updated = json["updatedAt"]?.intValue
        else { return nil }
        config = json["config"]
        performsAutoTraining = json["performAutoTraining"]?.boolValue
        performsIncrementalUpdate = json["performIncrementalUpdate"]?.boolValue
        self.status = status
        createdAt = PGTimestamp(microseconds: created)
        updatedAt = PGTimestamp(microseconds: updated)
    }

    var json: JSONValue {
        var object: JSONObject = [
            "status": .string(status), "createdAt": .integer(createdAt.microseconds), "updatedAt": .integer(updatedAt.microseconds),
        ]
        if let config { object["config"] = config }
        if let performsAutoTraining { object["performAutoTraining"] = .bool(performsAutoTraining) }
        if let performsIncrementalUpdate { object["performIncrementalUpdate"] = .bool(performsIncrementalUpdate) }
        return .object(object)
    }
}

public struct CreateSolutionInput: Sendable {
    public var name: String
    public var datasetGroupARN: String
    /// Required unless `performsAutoML`.
    public var recipeARN: String?
    public var performsHPO: Bool?
    public var performsAutoML: Bool?
    /// Nil: true.
    public var performsAutoTraining: Bool?
    public var performsIncrementalUpdate: Bool?
    public var eventType: String?
    /// The contract's `solutionConfig`.
    public var config: JSONValue?
    public var tags: [Tag]

    public init(name: String, datasetGroupARN: String, recipeARN: String?, config: JSONValue? = nil, tags: [Tag] = []) {
        self.name = name
        self.datasetGroupARN = datasetGroupARN
        self.recipeARN = recipeARN
        self.config = config
        self.tags = tags
    }
}

public struct UpdateSolutionInput: Sendable {
    public var solutionARN: String
    public var performsAutoTraining: Bool?
    public var performsIncrementalUpdate: Bool?
    /// The contract's `solutionUpdateConfig`.
    public var config: JSONValue?

    public init(solutionARN: String, performsAutoTraining: Bool? = nil, performsIncrementalUpdate: Bool? = nil, config: JSONValue? = nil) {
        self.solutionARN = solutionARN
        self.performsAutoTraining = performsAutoTraining
        self.performsIncrementalUpdate = performsIncrementalUpdate
        self.config = config
    }
}
