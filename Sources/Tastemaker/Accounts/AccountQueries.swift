import Postgres

enum AccountQueries {
    static let columns: SQL =
        """
        a.id, a.login, a.role, a.created_at, a.updated_at, a.disabled_at, a.one_time_expires_at, a.password_hash IS NOT NULL
        """

    static func decode(_ row: Row) throws -> Account {
        Account(
            id: try row.int32(0), login: try row.string(1), role: Role(rawValue: try row.string(2)) ?? .readOnly,
            createdAt: try row.timestamp(3), updatedAt: try row.timestamp(4), disabledAt: try row.optionalTimestamp(5),
            oneTimeExpiresAt: try row.optionalTimestamp(6), hasPassword: try row.bool(7))
    }

    /// What a sign-in is checked against.
    struct Credentials {
        let account: Account
        let passwordHash: String?
        let oneTimeHash: [UInt8]?
    }

    static func insert(login: String, role: Role, at now: PGTimestamp, _ connection: Connection) throws -> Account? {
        try connection.query(
            """
            INSERT INTO account AS a (login, role, created_at, updated_at) VALUES (\(login), \(role.rawValue), \(now), \(now))
            ON CONFLICT (login) DO NOTHING RETURNING \(part: columns)
            """
        ).first.map(decode)
    }

    static func find(id: Int32, _ connection: Connection) throws -> Account? {
        try connection.query("SELECT \(part: columns) FROM account a WHERE a.id = \(id)").first.map(decode)
    }

    static func find(login: String, _ connection: Connection) throws -> Account? {
        try connection.query("SELECT \(part: columns) FROM account a WHERE a.login = \(login)").first.map(decode)
    }

    static func list(_ connection: Connection) throws -> [Account] {
        try connection.query("SELECT \(part: columns) FROM account a ORDER BY a.disabled_at IS NOT NULL, a.login LIMIT 1000").map(decode)
    }

    static func credentials(login: String, _ connection: Connection) throws -> Credentials? {
        try connection.query("SELECT \(part: columns), a.password_hash, a.one_time_hash FROM account a WHERE a.login = \(login)").first.map(
            credentials)
    }

    static func credentials(oneTimeHash: [UInt8], _ connection: Connection) throws -> Credentials? {
        try connection.query(
            "SELECT \(part: columns), a.password_hash, a.one_time_hash FROM account a WHERE a.one_time_hash = \(oneTimeHash)"
        )
        .first.map(credentials)
    }

    static func credentials(id: Int32, _ connection: Connection) throws -> Credentials? {
        try connection.query("SELECT \(part: columns), a.password_hash, a.one_time_hash FROM account a WHERE a.id = \(id)").first.map(
            credentials)
    }

    private static func credentials(_ row: Row) throws -> Credentials {
        Credentials(account: try decode(row), passwordHash: try row.optionalString(8), oneTimeHash: try row.optionalBytes(9))
    }

    /// A new one-time secret ends the password.
    static func setOneTimeHash(_ hash: [UInt8], until: PGTimestamp, of id: Int32, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE account SET one_time_hash = \(hash), one_time_expires_at = \(until), password_hash = NULL, updated_at = \(now)
            WHERE id = \(id)
            """)
    }

    /// False when another request used it first.
    static func useOneTimeHash(_ hash: [UInt8], of id: Int32, at now: PGTimestamp, _ connection: Connection) throws -> Bool {
        try connection.execute(
            """
            UPDATE account SET one_time_hash = NULL, one_time_expires_at = NULL, updated_at = \(now)
            WHERE id = \(id) AND one_time_hash = \(hash) AND one_time_expires_at > \(now) AND disabled_at IS NULL
            """) == 1
    }

    /// Whether the hash is still good. A password is set in no other transaction until this one ends.
    static func lockOneTimeHash(_ hash: [UInt8], of id: Int32, at now: PGTimestamp, _ connection: Connection) throws -> Bool {
        try !connection.query(
            """
            SELECT FROM account
            WHERE id = \(id) AND one_time_hash = \(hash) AND one_time_expires_at > \(now) AND disabled_at IS NULL FOR UPDATE
            """
        ).isEmpty
    }

    static func setPassword(_ hash: String, of id: Int32, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE account SET password_hash = \(hash), one_time_hash = NULL, one_time_expires_at = NULL, updated_at = \(now) WHERE id = \(id)
            """)
    }

    static func setRole(_ role: Role, of id: Int32, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute("UPDATE account SET role = \(role.rawValue), updated_at = \(now) WHERE id = \(id)")
    }

    static func setDisabled(_ isDisabled: Bool, _ id: Int32, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE account SET disabled_at = CASE WHEN \(isDisabled) THEN coalesce(disabled_at, \(now)) END, updated_at = \(now)
            WHERE id = \(id)
            """)
    }

    /// Locks the table's admins, so that two requests cannot disable the last two at once.
    static func activeAdmins(_ connection: Connection) throws -> [Int32] {
        try connection.query("SELECT id FROM account WHERE role = 'admin' AND disabled_at IS NULL ORDER BY id FOR UPDATE").map {
            try $0.int32(0)
        }
    }
}

/// Sessions and the count of failed sign-ins.
enum SessionQueries {
    static func insert(tokenHash: [UInt8], account: Int32, mustChange: Bool, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO session (token_hash, account_id, must_change_password, created_at, seen_at, expires_at)
            VALUES (\(tokenHash), \(account), \(mustChange), \(now), \(now), \(now.adding(seconds: Session.totalSeconds)))
            """)
    }

    /// The live session with the time of its last request that was noted.
    static func find(_ tokenHash: [UInt8], at now: PGTimestamp, _ connection: Connection) throws -> (session: Session, seenAt: PGTimestamp)?
    {
        try connection.query(
            """
            SELECT s.account_id, a.login, a.role, s.must_change_password, s.dataset_group_id, s.seen_at
            FROM session s JOIN account a ON a.id = s.account_id
            WHERE s.token_hash = \(tokenHash) AND s.expires_at > \(now) AND s.seen_at > \(now.adding(seconds: -Session.idleSeconds))
              AND a.disabled_at IS NULL
            """
        ).first.map { row in
            (
                Session(
                    accountID: try row.int32(0), login: try row.string(1), role: Role(rawValue: try row.string(2)) ?? .readOnly,
                    mustChangePassword: try row.bool(3), datasetGroupID: try row.optionalInt32(4)), try row.timestamp(5)
            )
        }
    }

    static func touch(_ tokenHash: [UInt8], at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute("UPDATE session SET seen_at = \(now) WHERE token_hash = \(tokenHash)")
    }

    static func setGroup(_ tokenHash: [UInt8], _ group: Int32, _ connection: Connection) throws {
        try connection.execute("UPDATE session SET dataset_group_id = \(group) WHERE token_hash = \(tokenHash)")
    }

    static func delete(_ tokenHash: [UInt8], _ connection: Connection) throws {
        try connection.execute("DELETE FROM session WHERE token_hash = \(tokenHash)")
    }

    static func deleteAll(of account: Int32, _ connection: Connection) throws {
        try connection.execute("DELETE FROM session WHERE account_id = \(account)")
    }

    /// Makes attempts on one subject come one after another, so that a burst cannot pass the count.
    static func lockFailures(_ subject: [UInt8], _ connection: Connection) throws {
        let key = subject.prefix(4).reduce(Int32(0)) { $0 << 8 | Int32($1) }
        try connection.execute("SELECT pg_advisory_xact_lock(7304, \(key))")
    }

    /// Failures since a time and when the oldest of them was.
    static func failures(_ subject: [UInt8], since: PGTimestamp, _ connection: Connection) throws -> (count: Int, oldest: PGTimestamp)? {
        let rows = try connection.query("SELECT count(*), min(at) FROM sign_in_failure WHERE subject = \(subject) AND at > \(since)")
        guard let row = rows.first, let oldest = try row.optionalTimestamp(1) else { return nil }
        return (try row.int(0), oldest)
    }

    static func addFailure(_ subject: [UInt8], at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute("INSERT INTO sign_in_failure (subject, at) VALUES (\(subject), \(now))")
    }

    /// After a success: the account's count starts again, the address loses only this attempt.
    static func forgive(_ subject: [UInt8], at: PGTimestamp?, _ connection: Connection) throws {
        try connection.execute("DELETE FROM sign_in_failure WHERE subject = \(subject) AND (\(at)::timestamptz IS NULL OR at = \(at))")
    }
}
