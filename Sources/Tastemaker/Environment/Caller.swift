/// Who asks, for authorisation and the audit.
public struct Caller: Sendable {
    public enum Actor: Sendable, Equatable {
        case account(login: String, role: Role)
        case accessKey(id: String)
        case apiKey(id: Int, name: String)
        case tracker(trackingID: String)
        /// Scheduled work of the product itself.
        case system
        /// A person at the command line of the server.
        case command
    }

    public let actor: Actor
    /// The dataset group that an AWS or API key is bound to; nil for the whole account.
    public let datasetGroupID: Int32?
    /// Region of the signature's scope, printed in the ARNs of the answer.
    public let region: String
    public let requestID: String?

    public init(_ actor: Actor, datasetGroupID: Int32? = nil, region: String = Caller.defaultRegion, requestID: String? = nil) {
        self.actor = actor
        self.datasetGroupID = datasetGroupID
        self.region = region
        self.requestID = requestID
    }

    public static let defaultRegion = "us-east-1"
    public static let system = Caller(.system)

    /// Refuses a group that the caller's key is not bound to, as if it did not exist.
    func require(datasetGroup id: Int32, resource: String) throws(OperationError) {
        if let bound = datasetGroupID, bound != id { throw .notFound("Resource \(resource) not found.") }
    }

    /// Refuses keys that are bound to one dataset group.
    func requireWholeAccount() throws(OperationError) {
        if datasetGroupID != nil { throw .accessDenied("This key is limited to one dataset group.") }
    }
}

/// Roles of console accounts. What each may do stands in the route table of the console.
public enum Role: String, Sendable, CaseIterable {
    case admin, marketer, analyst, `operator`
    case readOnly = "read-only"
}
