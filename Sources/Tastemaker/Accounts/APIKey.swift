public import Postgres

/// A bearer key of our own JSON API. Only its hash is kept.
public struct APIKey: Sendable, Equatable {
    public let id: Int32
    public let name: String
    public let scopes: [String]
    /// The one group that the key reaches; nil: the whole account.
    public let datasetGroupID: Int32?
    public let createdBy: String
    public let createdAt: PGTimestamp
    public let lastUsedAt: PGTimestamp?
    public let disabledAt: PGTimestamp?

    /// What a key can be allowed.
    public static let allScopes = ["recommend", "catalogue", "users", "metrics", "events", "campaigns"]

    /// Whether a text can be a key of ours at all.
    public static func hasForm(_ secret: String) -> Bool { secret.utf8.starts(with: "tmk_".utf8) && secret.utf8.count <= 100 }
}

/// A key at its making, the only time that it is shown.
public struct NewAPIKey: Sendable {
    public let key: APIKey
    public let secret: String
}
