/// `arn:aws:personalize:<region>:<account>:<kind>/<path>`. Look-ups ignore region and account partition: names are unique per kind.
public struct ResourceARN: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case datasetGroup = "dataset-group"
        case schema
        case dataset
        case datasetImportJob = "dataset-import-job"
        case batchSegmentJob = "batch-segment-job"
        case solution
        case campaign
        case recommender
        case eventTracker = "event-tracker"
        case filter
        case recipe
        case algorithm
        case featureTransformation = "feature-transformation"
    }

    public let kind: Kind
    /// What follows the kind: a name, `group/TYPE` for datasets, `name/8 hex digits` for solution versions.
    public let path: String

    public init(kind: Kind, path: String) {
        self.kind = kind
        self.path = path
    }

    /// `kind/path`, the key under which tags and the audit know the resource.
    public var resource: String { "\(kind.rawValue)/\(path)" }

    public func text(region: String, account: String) -> String {
        switch kind {
        case .recipe, .algorithm, .featureTransformation: "arn:aws:personalize:::\(resource)"
        default: "arn:aws:personalize:\(region):\(account):\(resource)"
        }
    }

    /// Reads any ARN of the service. A malformed one is invalid input at `field`; one of an unknown kind names nothing.
    public init(parsing text: String, field: String) throws(OperationError) {
        try Check.length(text, 1...256, field: field)
        let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[2] == "personalize", !parts[1].isEmpty, !parts[5].isEmpty else {
            throw Check.pattern(text, "arn:([a-z\\d-]+):personalize:.*:.*:.+", field: field)
        }
        let resource = parts[5]
        guard let slash = resource.firstIndex(of: "/"), let kind = Kind(rawValue: String(resource[..<slash])) else {
            throw .notFound("Resource \(text) not found.")
        }
        self.kind = kind
        path = String(resource[resource.index(after: slash)...])
    }

    /// The same, of one kind only: another kind does not name a resource here.
    public init(parsing text: String, _ kind: Kind, field: String) throws(OperationError) {
        try self.init(parsing: text, field: field)
        guard self.kind == kind else { throw .notFound("Resource \(text) not found.") }
    }

    static func notFound(_ text: String) -> OperationError { .notFound("Resource \(text) not found.") }
}
