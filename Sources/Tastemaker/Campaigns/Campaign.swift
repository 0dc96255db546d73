public import JSON
import Ranking
public import Postgres

/// A deployed solution version under a name that programs ask for.
public struct Campaign: Sendable, Equatable {
    public let id: Int32
    public let datasetGroupID: Int32
    public let datasetGroupName: String
    public let name: String
    public let solutionID: Int32
    public let solutionVersionID: Int32
    /// What follows `solution/` in the ARN of the version in use.
    public let versionPath: String
    /// Kept and shown; never a limit here.
    public let minProvisionedTPS: Int32
    /// The contract's `campaignConfig`, exactly as it was given; nil when none was.
    public let config: JSONValue?
    public let options: CampaignOptions
    public let latestUpdate: CampaignUpdate?
    public let status: ResourceStatus
    public let failureReason: String?
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp
}

/// The last change of a campaign.
public struct CampaignUpdate: Sendable, Equatable {
    public let versionPath: String
    public let minProvisionedTPS: Int32
    public let config: JSONValue?
    public let status: String
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp
}

extension CampaignUpdate {
    init?(json: JSONValue?) {
        guard let json, let path = json["versionPath"]?.stringValue, let tps = json["minProvisionedTPS"]?.intValue,
            let status = json["status"]?.stringValue, let created = json["createdAt"]?.intValue, let updated = json["updatedAt"]?.intValue
        else { return nil }
        versionPath = path
        minProvisionedTPS = Int32(clamping: tps)
        config = json["config"]
        self.status = status
        createdAt = PGTimestamp(microseconds: created)
        updatedAt = PGTimestamp(microseconds: updated)
    }

    var json: JSONValue {
        var object: JSONObject = [
            "versionPath": .string(versionPath), "minProvisionedTPS": .integer(Int64(minProvisionedTPS)), "status": .string(status),
            "createdAt": .integer(createdAt.microseconds), "updatedAt": .integer(updatedAt.microseconds),
        ]
        if let config { object["config"] = config }
        return .object(object)
    }
}

public struct CreateCampaignInput: Sendable {
    public var name: String
    /// A version, `<solution ARN>/$LATEST`, or the solution.
    public var solutionVersionARN: String
    public var minProvisionedTPS: Int?
    public var config: JSONValue?
    public var tags: [Tag]

    public init(name: String, solutionVersionARN: String, minProvisionedTPS: Int? = nil, config: JSONValue? = nil, tags: [Tag] = []) {
        self.name = name
        self.solutionVersionARN = solutionVersionARN
        self.minProvisionedTPS = minProvisionedTPS
        self.config = config
        self.tags = tags
    }
}

/// Members that are nil stay as they are.
public struct UpdateCampaignInput: Sendable {
    public var campaignARN: String
    public var solutionVersionARN: String?
    public var minProvisionedTPS: Int?
    public var config: JSONValue?

    public init(campaignARN: String, solutionVersionARN: String? = nil, minProvisionedTPS: Int? = nil, config: JSONValue? = nil) {
        self.campaignARN = campaignARN
        self.solutionVersionARN = solutionVersionARN
        self.minProvisionedTPS = minProvisionedTPS
        self.config = config
    }
}

/// What the contract's `campaignConfig` says, read and checked.
public struct CampaignConfig: Sendable, Equatable {
    /// 0 to 1; nil: the recipe's default.
    public var explorationWeight: Double?
    /// Days before the newest interaction; nil: the recipe's default.
    public var explorationItemAgeCutOff: Double?
    public var enablesMetadata = false
    /// Nil where it is not given.
    public var rankingInfluence: RankingInfluence?
    /// The campaign moves to each new version when it becomes ACTIVE.
    public var followsLatestVersion = false

    /// What holds without a configuration.
    static let standard = CampaignConfig()

    private init() {}

    public init(_ json: JSONValue?) throws(OperationError) {
        guard let json, !json.isNull else { return }
        guard let object = json.objectValue else { throw .invalidInput("campaignConfig must be an object.", field: "campaignConfig") }
        let members = InputMembers(object, path: "campaignConfig")
        enablesMetadata = try members.bool("enableMetadataWithRecommendations") ?? false
        followsLatestVersion = try members.bool("syncWithLatestSolutionVersion") ?? false
        if let influence = try members.members("rankingInfluence"), !influence.object.isEmpty {
            rankingInfluence = try RankingInfluence(influence)
        }
        for (name, value) in try members.map("itemExplorationConfig") ?? [:] {
            try read(name, value, field: "campaignConfig.itemExplorationConfig.\(name)")
        }
    }

    /// Only campaigns of one recipe have all settings.
    func requireFit(_ recipe: RecipeName) throws(OperationError) {
        guard rankingInfluence != nil, recipe != .semanticSimilarity else { return }
        throw .invalidInput(
            "rankingInfluence is only for campaigns of aws-semantic-similarity.", field: "campaignConfig.rankingInfluence")
    }

    private mutating func read(_ name: String, _ value: String, field: String) throws(OperationError) {
        guard let number = Double(value), number.isFinite else {
            throw .invalidInput("'\(value)' at '\(field)' is not a number.", field: field)
        }
        switch name {
        case "explorationWeight":
            try Check.range(number, 0...1, field: field)
            explorationWeight = number
        case "explorationItemAgeCutOff":
            try Check.range(number, 0...36_500, field: field)
            explorationItemAgeCutOff = number
        default:
            throw .invalidInput(
                "'\(name)' is not one of explorationWeight, explorationItemAgeCutOff.", field: "campaignConfig.itemExplorationConfig")
        }
    }
}
