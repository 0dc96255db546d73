public import Postgres

/// An AWS key pair: signs requests of SDKs. The secret is shown once, when it is made.
public struct AccessKey: Sendable, Equatable {
    public let id: String
    public let name: String
    /// The one group that the key reaches; nil: the whole account.
    public let datasetGroupID: Int32?
    public let createdBy: String
    public let createdAt: PGTimestamp
    public let lastUsedAt: PGTimestamp?
    public let disabledAt: PGTimestamp?

    public var isActive: Bool { disabledAt == nil }
}

/// A key pair as a signature is checked with it. The secret never leaves the process.
public struct AccessKeyWithSecret: Sendable {
    public let key: AccessKey
    public let secret: [UInt8]
}

/// A key pair at its making, the only time that the secret is shown.
public struct NewAccessKey: Sendable {
    public let key: AccessKey
    public let secret: String
}
