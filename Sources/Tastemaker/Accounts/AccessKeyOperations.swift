import Crypto
import JSON
import Postgres

extension Environment {
    static let accessKeyPurpose = "access-key"
    private static let accessKeyLimit = 1000

    /// Makes a key pair for SDKs, bound to one dataset group or reaching the whole account.
    public func createAccessKey(name: String, datasetGroupID: Int32? = nil, by caller: Caller) throws(OperationError) -> NewAccessKey {
        try Check.length(name, 1...100, field: "name")
        try caller.requireWholeAccount()
        return try change { connection in
            if let datasetGroupID { _ = try lockedDatasetGroup(id: datasetGroupID, connection) }
            guard try AccessKeyQueries.count(connection) < Environment.accessKeyLimit else {
                throw OperationError.limitExceeded("There are already \(Environment.accessKeyLimit) access keys.")
            }
            let key = AccessKey(
                id: "TMAK" + Base32.encode(SecureRandom.bytes(10)).uppercased(), name: name, datasetGroupID: datasetGroupID,
                createdBy: caller.auditName, createdAt: now(), lastUsedAt: nil, disabledAt: nil)
            let secret = SecureRandom.token(.base64URL, length: 40)
            let sealed = try sealer.seal(Array(secret.utf8), purpose: Environment.accessKeyPurpose)
            try AccessKeyQueries.insert(key, secretSealed: sealed, connection)
            try audit(
                connection, caller, "CreateAccessKey", resource: "access-key/\(key.id)", datasetGroupID: datasetGroupID,
                parameters: ["name": .string(name)])
            return NewAccessKey(key: key, secret: secret)
        }
    }

    /// Newest first, disabled ones too.
    public func listAccessKeys(by caller: Caller) throws(OperationError) -> [AccessKey] {
        try caller.requireWholeAccount()
        return try read { try AccessKeyQueries.list($0) }
    }

    /// Ends a key for good. Workers stop accepting it within the life of their cached keys, a few seconds.
    public func disableAccessKey(id: String, by caller: Caller) throws(OperationError) {
        try caller.requireWholeAccount()
        try change { connection in
            guard let found = try AccessKeyQueries.find(id: id, connection) else { throw ResourceARN.notFound("access-key/\(id)") }
            guard try AccessKeyQueries.disable(id, at: now(), connection) else { return }
            try audit(
                connection, caller, "DisableAccessKey", resource: "access-key/\(id)", datasetGroupID: found.key.datasetGroupID,
                parameters: ["name": .string(found.key.name)])
        }
    }

    /// The key with its secret, for checking a signature; nil for one that is unknown or disabled.
    /// - Parameter waitMilliseconds: how long to wait for a connection; nil: as usual.
    public func openAccessKey(id: String, waitMilliseconds: Int? = nil) throws(OperationError) -> AccessKeyWithSecret? {
        try read(waitMilliseconds: waitMilliseconds) { connection in
            guard let found = try AccessKeyQueries.find(id: id, connection), found.key.isActive else { return nil }
            return AccessKeyWithSecret(key: found.key, secret: try sealer.open(found.secretSealed, purpose: Environment.accessKeyPurpose))
        }
    }

    /// Notes that a key is in use. Called now and then, not for every request.
    public func touchAccessKey(id: String) throws(OperationError) {
        try read { try AccessKeyQueries.touch(id, at: now(), $0) }
    }
}
