import Crypto
public import Postgres
public import Storage

/// What makes an installation itself, stored at the first start.
public struct Installation: Sendable, Equatable {
    /// Twelve digits, in every ARN.
    public let accountID: String
    /// Region of ARNs where no signature names another.
    public let region: String

    public init(accountID: String, region: String) {
        self.accountID = accountID
        self.region = region
    }
}

/// Everything an operation needs from outside. A test replaces time, keys and stores by value.
public struct Environment: Sendable {
    public let database: Pool
    public let installation: Installation
    /// Seals what must be recoverable: AWS secrets, tracker secrets.
    public let sealer: Sealer
    /// Model files and uploads.
    public let artifacts: any ArtifactStore
    public let settings: Settings
    public var now: @Sendable () -> PGTimestamp

    public init(
        database: Pool, installation: Installation, sealer: Sealer, artifacts: any ArtifactStore, settings: Settings,
        now: @escaping @Sendable () -> PGTimestamp = { .now }
    ) {
        self.database = database
        self.installation = installation
        self.sealer = sealer
        self.artifacts = artifacts
        self.settings = settings
        self.now = now
    }

    /// Reads on one connection, outside a transaction.
    /// - Parameter waitMilliseconds: how long to wait for a connection; nil: as long as the pool says.
    public func read<T>(waitMilliseconds: Int? = nil, _ body: (Connection) throws -> T) throws(OperationError) -> T {
        do { return try database.withConnection(timeoutMilliseconds: waitMilliseconds, body) } catch { throw OperationError(error) }
    }

    /// Changes in one transaction, the audit entry among them: all of it is stored or nothing.
    public func change<T>(_ body: (Connection) throws -> T) throws(OperationError) -> T {
        do {
            return try database.withConnection { connection in
                try connection.transaction { try body($0) }
            }
        } catch { throw OperationError(error) }
    }

    /// The ARN of a resource of ours, in the region that the caller signed for.
    public func arn(_ kind: ResourceARN.Kind, _ path: String, for caller: Caller) -> String {
        ResourceARN(kind: kind, path: path).text(region: caller.region, account: installation.accountID)
    }
}

/// AES-GCM under the server's key, which lies beside the data folder and never in the database.
public struct Sealer: Sendable {
    private let key: [UInt8]

    /// `key`: 32 bytes.
    public init(key: [UInt8]) {
        self.key = key
    }

    /// `purpose` is authenticated, so that a sealed value cannot be moved to another column.
    public func seal(_ secret: [UInt8], purpose: String) throws -> [UInt8] {
        try AESGCM.seal(secret, key: key, associatedData: Array(purpose.utf8))
    }

    public func open(_ sealed: [UInt8], purpose: String) throws -> [UInt8] {
        try AESGCM.open(sealed, key: key, associatedData: Array(purpose.utf8))
    }

    /// A key of its own for a purpose (recommendation ids, CSRF, look-up hashes), derived so that no two purposes share one.
    public func derivedKey(_ purpose: String) -> [UInt8] {
        HMACSHA256.authenticate(Array("tastemaker:\(purpose)".utf8), key: key)
    }
}
