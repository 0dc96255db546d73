import Feeds
import JSON
public import Postgres

/// The contract's dataset types in the spelling of answers.
public enum DatasetType: String, Sendable, CaseIterable {
    case interactions = "INTERACTIONS"
    case items = "ITEMS"
    case users = "USERS"
    case actions = "ACTIONS"
    case actionInteractions = "ACTION_INTERACTIONS"

    /// Reads a type in any case.
    public init?(reading text: String) {
        self.init(rawValue: text.uppercased())
    }

    /// The record name that a schema of this type carries.
    var kind: DatasetKind {
        switch self {
        case .interactions: .interactions
        case .items: .items
        case .users: .users
        case .actions: .actions
        case .actionInteractions: .actionInteractions
        }
    }
}

/// The data of one type in a dataset group.
public struct Dataset: Sendable, Equatable {
    public let id: Int32
    public let datasetGroupID: Int32
    public let datasetGroupName: String
    public let type: DatasetType
    public let name: String
    public let schemaID: Int32
    public let schemaName: String
    /// Only of action interactions.
    public let trackingID: String?
    public let status: ResourceStatus
    public let failureReason: String?
    /// The last change of schema; nil before the first.
    public let latestUpdate: DatasetUpdate?
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp

    /// What follows `dataset/` in its ARN.
    public var path: String { "\(datasetGroupName)/\(type.rawValue)" }
}

/// A change of a dataset's schema.
public struct DatasetUpdate: Sendable, Equatable {
    public let schemaName: String
    public let status: String
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp

    init(schemaName: String, status: String, at time: PGTimestamp) {
        self.schemaName = schemaName
        self.status = status
        createdAt = time
        updatedAt = time
    }

    init?(json: JSONValue?) {
        guard let name = json?["schemaName"]?.stringValue, let status = json?["status"]?.stringValue,
            let created = json?["createdAt"]?.intValue, let updated = json?["updatedAt"]?.intValue
        else { return nil }
        schemaName = name
        self.status = status
        createdAt = PGTimestamp(microseconds: created)
        updatedAt = PGTimestamp(microseconds: updated)
    }

    var json: JSONValue {
        [
            "schemaName": .string(schemaName), "status": .string(status), "createdAt": .integer(createdAt.microseconds),
            "updatedAt": .integer(updatedAt.microseconds),
        ]
    }
}

public struct CreateDatasetInput: Sendable {
    public var name: String
    public var schemaARN: String
    public var datasetGroupARN: String
    /// In any case.
    public var datasetType: String
    public var tags: [Tag]

    public init(name: String, schemaARN: String, datasetGroupARN: String, datasetType: String, tags: [Tag] = []) {
        self.name = name
        self.schemaARN = schemaARN
        self.datasetGroupARN = datasetGroupARN
        self.datasetType = datasetType
        self.tags = tags
    }
}
