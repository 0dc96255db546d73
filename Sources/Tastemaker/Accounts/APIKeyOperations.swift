import Crypto
import JSON
import Postgres

extension Environment {
    /// Makes a bearer key with the given scopes, bound to one dataset group or reaching the whole account.
    public func createAPIKey(
        name: String, scopes: [String], datasetGroupID: Int32? = nil, by caller: Caller
    ) throws(OperationError) -> NewAPIKey {
        try Check.length(name, 1...100, field: "name")
        guard !scopes.isEmpty else { throw .invalidInput("Choose at least one scope.", field: "scopes") }
        for scope in scopes { try Check.oneOf(scope, APIKey.allScopes, field: "scopes") }
        try caller.requireWholeAccount()
        return try change { connection in
            if let datasetGroupID { _ = try lockedDatasetGroup(id: datasetGroupID, connection) }
            let secret = "tmk_" + SecureRandom.token(.base64URL, length: 40)
            let key = try APIKeyQueries.insert(
                .init(
                    name: name, hash: apiKeyHash(secret), scopes: scopes, datasetGroupID: datasetGroupID, createdBy: caller.auditName),
                at: now(), connection)
            try audit(
                connection, caller, "CreateAPIKey", resource: "api-key/\(key.id)", datasetGroupID: datasetGroupID,
                parameters: ["name": .string(name), "scopes": .array(scopes.map { .string($0) })])
            return NewAPIKey(key: key, secret: secret)
        }
    }

    public func listAPIKeys(by caller: Caller) throws(OperationError) -> [APIKey] {
        try caller.requireWholeAccount()
        return try read { try APIKeyQueries.list($0) }
    }

    public func disableAPIKey(id: Int32, by caller: Caller) throws(OperationError) {
        try caller.requireWholeAccount()
        try change { connection in
            guard let key = try APIKeyQueries.find(id: id, connection) else { throw ResourceARN.notFound("api-key/\(id)") }
            try APIKeyQueries.disable(id, at: now(), connection)
            try audit(connection, caller, "DisableAPIKey", resource: "api-key/\(id)", datasetGroupID: key.datasetGroupID)
        }
    }

    /// The key that a bearer sent; nil for one that is unknown or disabled.
    /// - Parameter waitMilliseconds: how long to wait for a connection; nil: as usual.
    public func openAPIKey(_ secret: String, waitMilliseconds: Int? = nil) throws(OperationError) -> APIKey? {
        guard APIKey.hasForm(secret) else { return nil }
        return try read(waitMilliseconds: waitMilliseconds) { try APIKeyQueries.findActive(hash: apiKeyHash(secret), $0) }
    }

    /// Notes that a key is in use. Called now and then, not for every request.
    public func touchAPIKey(id: Int32) throws(OperationError) {
        try read { try APIKeyQueries.touch(id, at: now(), $0) }
    }

    /// Keyed, so that a stolen table does not tell keys.
    private func apiKeyHash(_ secret: String) -> [UInt8] {
        HMACSHA256.authenticate(secret, key: sealer.derivedKey("api-key"))
    }
}
