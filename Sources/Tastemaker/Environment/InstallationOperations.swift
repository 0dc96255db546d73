import Crypto
public import Postgres

/// Why an installation's identity cannot be used.
public enum InstallationError: Error, Sendable, Equatable {
    /// The key does not belong to this database.
    case wrongKey

    public var message: String {
        switch self {
        case .wrongKey:
            "secret.key does not belong to this database: put back the copy that was saved with it; without it the stored keys cannot be read."
        }
    }
}

extension Installation {
    private static let keyCheck = Array("tastemaker".utf8)
    private static let keyCheckPurpose = "installation-key-check"

    /// The stored identity; nil before the first start. Refuses a key of another installation.
    public static func load(_ connection: Connection, sealer: Sealer) throws -> Installation? {
        guard let row = try connection.query("SELECT account_id, region, key_check FROM installation").first else { return nil }
        guard let opened = try? sealer.open(try row.bytes(2), purpose: keyCheckPurpose), opened == keyCheck else {
            throw InstallationError.wrongKey
        }
        return Installation(accountID: try row.string(0), region: try row.string(1))
    }

    /// Makes the identity at the first start; the stored one if another process was faster.
    public static func create(_ connection: Connection, sealer: Sealer, region: String = Caller.defaultRegion) throws -> Installation {
        let digits = SecureRandom.bytes(12).map { String($0 % 10) }.joined()
        try connection.execute(
            """
            INSERT INTO installation (account_id, region, key_check)
            VALUES (\(digits), \(region), \(try sealer.seal(keyCheck, purpose: keyCheckPurpose)))
            ON CONFLICT DO NOTHING
            """)
        guard let stored = try load(connection, sealer: sealer) else {
            throw OperationError.unavailable("The installation was not stored.")
        }
        return stored
    }
}
