import Feeds
import FilterLanguage
import JSON
public import Postgres

/// A named expression that decides which items may be recommended.
public struct Filter: Sendable, Equatable {
    public let id: Int32
    public let datasetGroupID: Int32
    public let datasetGroupName: String
    public let name: String
    /// As it was given.
    public let expression: String
    public let status: ResourceStatus
    public let failureReason: String?
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp

    /// Filters of one dataset group.
    static let groupLimit = 30
    /// Distinct fields in all filters of one dataset group.
    static let groupFieldLimit = 20
}

public struct CreateFilterInput: Sendable {
    public var name: String
    public var datasetGroupARN: String
    public var expression: String
    public var tags: [Tag]

    public init(name: String, datasetGroupARN: String, expression: String, tags: [Tag] = []) {
        self.name = name
        self.datasetGroupARN = datasetGroupARN
        self.expression = expression
        self.tags = tags
    }
}

extension FilterUser {
    /// What the IF of a filter knows of a user by the stored record; nil without one.
    init?(record: JSONValue?) {
        guard let members = record?.objectValue?.members else { return nil }
        var values: [String: FilterLanguage.ColumnValue] = [:]
        for member in members { values[member.name] = FilterLanguage.ColumnValue(member.value) ?? .null }
        self.init(values)
    }
}

extension FilterSchema {
    /// The columns of a group's datasets as the filter language sees them.
    init(schemas: [DatasetType: AvroSchema]) {
        var columns: [FilterDataset: [Column]] = [:]
        for (type, schema) in schemas {
            columns[type.filterDataset] = schema.columns.map {
                Column($0.name, $0.type.filterType, isTextual: $0.isTextual, isCategorical: $0.isCategorical)
            }
        }
        self.init(columns)
    }
}

extension DatasetType {
    fileprivate var filterDataset: FilterDataset {
        switch self {
        case .interactions: .interactions
        case .items: .items
        case .users: .users
        case .actions: .actions
        case .actionInteractions: .actionInteractions
        }
    }
}

extension ColumnType {
    fileprivate var filterType: FilterSchema.ColumnType {
        switch self {
        case .string: .string
        case .int, .long, .float, .double: .number
        case .boolean: .boolean
        }
    }
}
