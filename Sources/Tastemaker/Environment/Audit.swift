public import JSON
public import Postgres

/// One entry of the audit log: a change, or a call that was denied.
public struct AuditEntry: Sendable {
    public let id: Int64
    public let at: PGTimestamp
    public let requestID: String?
    public let actorKind: String
    public let actor: String
    public let action: String
    public let resource: String?
    public let datasetGroupID: Int32?
    public let parameters: JSONValue
    public let errorCode: String?
}

extension Caller {
    var auditKind: String {
        switch actor {
        case .account: "account"
        case .accessKey: "access-key"
        case .apiKey: "api-key"
        case .tracker: "tracker"
        case .system: "system"
        case .command: "command"
        }
    }

    /// How people name the actor: a login, a key id.
    public var auditName: String {
        switch actor {
        case .account(let login, _): login
        case .accessKey(let id): id
        case .apiKey(_, let name): name
        case .tracker(let trackingID): trackingID
        case .system: "tastemaker"
        case .command: "command line"
        }
    }
}

extension Environment {
    /// Writes an entry in the transaction of the change. Parameters hold no secret and no personal id.
    public func audit(
        _ connection: Connection, _ caller: Caller, _ action: String, resource: String?, datasetGroupID: Int32? = nil,
        parameters: JSONValue = .object(JSONObject()), errorCode: String? = nil
    ) throws {
        try connection.execute(
            """
            INSERT INTO audit (at, request_id, actor_kind, actor, action, resource, dataset_group_id, parameters, error_code)
            VALUES (\(now()), \(caller.requestID), \(caller.auditKind), \(caller.auditName), \(action), \(resource), \(datasetGroupID),
                    \(json: parameters.serialized()), \(errorCode))
            """)
    }

    /// Records a refused call on its own: there is no change whose transaction it could share.
    public func auditDenied(_ caller: Caller, _ action: String, resource: String?, datasetGroupID: Int32? = nil, errorCode: String)
        throws(OperationError)
    {
        try change { try audit($0, caller, action, resource: resource, datasetGroupID: datasetGroupID, errorCode: errorCode) }
    }

    /// Newest first; `before` is the id where the last page ended.
    public func listAudit(datasetGroupID: Int32?, resource: String? = nil, before: Int64? = nil, limit: Int = 100) throws(OperationError)
        -> [AuditEntry]
    {
        try read { connection in
            try connection.query(
                """
                SELECT id, at, request_id, actor_kind, actor, action, resource, dataset_group_id, parameters, error_code
                FROM audit
                WHERE (\(datasetGroupID)::int IS NULL OR dataset_group_id = \(datasetGroupID))
                  AND (\(resource)::text IS NULL OR resource = \(resource))
                  AND (\(before)::bigint IS NULL OR id < \(before))
                ORDER BY id DESC LIMIT \(Int32(min(limit, 1000)))
                """
            ).map { row in
                AuditEntry(
                    id: try row.int64(0), at: try row.timestamp(1), requestID: try row.optionalString(2), actorKind: try row.string(3),
                    actor: try row.string(4), action: try row.string(5), resource: try row.optionalString(6),
                    datasetGroupID: try row.optionalInt32(7), parameters: (try? JSONValue(parsing: row.json(8))) ?? .null,
                    errorCode: try row.optionalString(9))
            }
        }
    }
}
