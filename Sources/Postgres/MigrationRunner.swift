import Glibc

/// Brings a database to the schema of this program, forward only.
///
/// What was applied stands in `tastemaker.schema_migration`, with the SHA-256 of each file. Programs refuse an older schema
/// and accept one that is newer by `acceptedNewer` migrations, so that an upgrade can go host by host.
public struct MigrationRunner: Sendable {
    public struct Status: Sendable, Hashable {
        public enum State: Sendable, Hashable {
            case applied(PGTimestamp)
            case pending
            /// In the database, but not in the folder of this program.
            case unknown(PGTimestamp)
        }
        public var version: Int
        public var name: String
        public var state: State
    }

    public let migrations: [Migration]
    private let acceptedNewer: Int
    private let lockTimeoutMilliseconds: Int

    /// Any number that no one else uses in this database.
    private static let lock = 7_461_737_465

    public init(folder: String, acceptedNewer: Int = 1, lockTimeoutMilliseconds: Int = 60_000) throws(PostgresError) {
        migrations = try Migration.all(in: folder)
        self.acceptedNewer = acceptedNewer
        self.lockTimeoutMilliseconds = lockTimeoutMilliseconds
    }

    /// Each migration of the folder or of the database, by number. Throws when they contradict each other.
    public func status(_ connection: Connection) throws(PostgresError) -> [Status] {
        let applied = try readApplied(connection)
        try check(applied, checksums(connection))
        var list = migrations.map { migration in
            guard migration.version <= applied.count else {
                return Status(version: migration.version, name: migration.name, state: .pending)
            }
            return Status(
                version: migration.version, name: migration.name, state: .applied(applied[migration.version - 1].appliedAt))
        }
        for row in applied.dropFirst(migrations.count) {
            list.append(Status(version: row.version, name: row.name, state: .unknown(row.appliedAt)))
        }
        return list
    }

    /// Throws unless the schema is complete for this program; for programs that serve and do not migrate.
    public func requireCurrent(_ connection: Connection) throws(PostgresError) {
        let pending = try status(connection).count { $0.state == .pending }
        guard pending == 0 else {
            throw PostgresError(.migration, "The database lacks \(pending) of \(migrations.count) migrations; run tastemaker migrate.")
        }
    }

    /// Applies what is missing, one after another, and tells `progress` of each; the number applied.
    ///
    /// Needs a direct connection (no pooler), and takes an advisory lock so that two runs follow each other.
    @discardableResult
    public func migrate(
        _ connection: Connection, progress: (Migration) -> Void = { _ in }
    ) throws(PostgresError) -> Int {
        try connection.setStatementTimeout(milliseconds: 0)
        try takeLock(connection)
        defer { release(connection) }
        try prepareBookkeeping(connection)
        let checksums = try checksums(connection)
        let applied = try readApplied(connection)
        try check(applied, checksums)
        for migration in migrations.dropFirst(applied.count) {
            progress(migration)
            try apply(migration, checksums[migration.version - 1], connection)
        }
        return max(0, migrations.count - applied.count)
    }

    // MARK: Steps

    /// Asks again and again instead of waiting in the server: a waiting statement would hold a snapshot,
    /// and CREATE INDEX CONCURRENTLY of the other program waits for all older snapshots.
    private func takeLock(_ connection: Connection) throws(PostgresError) {
        let deadline = Deadline(milliseconds: lockTimeoutMilliseconds)
        while try !connection.query("SELECT pg_try_advisory_lock(\(Self.lock))")[0].bool(0) {
            guard !deadline.hasPassed else {
                throw PostgresError(.migration, "Another program is migrating this database and did not finish in time.")
            }
            usleep(50_000)
        }
    }

    private func release(_ connection: Connection) {
        do throws(PostgresError) {
            try connection.execute("SELECT pg_advisory_unlock(\(Self.lock))")
            try connection.setStatementTimeout(milliseconds: connection.settings.statementTimeoutMilliseconds)
        } catch {
            // The server drops the lock of a connection that goes away.
            connection.close()
        }
    }

    private func prepareBookkeeping(_ connection: Connection) throws(PostgresError) {
        // Asked first, as IF NOT EXISTS wants the right to create schemas even when there is nothing to do.
        if try connection.query("SELECT FROM pg_namespace WHERE nspname = 'tastemaker'").isEmpty {
            try connection.execute("CREATE SCHEMA tastemaker")
        }
        guard try !hasBookkeeping(connection) else { return }
        try connection.execute(
            """
            CREATE TABLE tastemaker.schema_migration (
                version integer PRIMARY KEY,
                name text NOT NULL,
                checksum text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now()
            )
            """)
    }

    private func apply(_ migration: Migration, _ checksum: String, _ connection: Connection) throws(PostgresError) {
        let record: SQL = """
            INSERT INTO tastemaker.schema_migration (version, name, checksum)
            VALUES (\(migration.version), \(migration.name), \(checksum))
            """
        do throws(PostgresError) {
            if migration.isOutsideTransaction {
                try connection.executeScript(migration.text)
                try connection.execute(record)
            } else {
                try connection.transaction { (connection) throws(PostgresError) in
                    try connection.executeScript(migration.text)
                    try connection.execute(record)
                }
            }
        } catch {
            var named = error
            let end = migration.isOutsideTransaction ? "failed" : "failed and was rolled back"
            named.message = "Migration \(migration.version) (\(migration.name)) \(end): \(error.message)"
            throw named
        }
    }

    // MARK: What was applied

    private struct Applied {
        var version: Int
        var name: String
        var checksum: String
        var appliedAt: PGTimestamp
    }

    private func hasBookkeeping(_ connection: Connection) throws(PostgresError) -> Bool {
        try connection.query("SELECT to_regclass('tastemaker.schema_migration') IS NOT NULL")[0].bool(0)
    }

    private func readApplied(_ connection: Connection) throws(PostgresError) -> [Applied] {
        guard try hasBookkeeping(connection) else { return [] }
        var list: [Applied] = []
        let rows = try connection.query(
            "SELECT version, name, checksum, applied_at FROM tastemaker.schema_migration ORDER BY version")
        for row in rows {
            list.append(
                Applied(
                    version: try row.int(0), name: try row.string(1), checksum: try row.string(2), appliedAt: try row.timestamp(3)))
        }
        return list
    }

    /// SHA-256 of each file, by the server, as this module has no cryptography of its own.
    private func checksums(_ connection: Connection) throws(PostgresError) -> [String] {
        let texts = migrations.map { Array($0.text.utf8) }
        let rows = try connection.query(
            """
            SELECT encode(sha256(text), 'hex')
            FROM unnest(\(texts)) WITH ORDINALITY AS file (text, place)
            ORDER BY place
            """)
        var list: [String] = []
        for row in rows { list.append(try row.string(0)) }
        return list
    }

    private func check(_ applied: [Applied], _ checksums: [String]) throws(PostgresError) {
        for (index, row) in applied.enumerated() {
            guard row.version == index + 1 else {
                throw PostgresError(.migration, "The database lacks migration \(index + 1) but has \(row.version); it was changed by hand.")
            }
            guard index < migrations.count else { continue }
            guard row.checksum == checksums[index], row.name == migrations[index].name else {
                throw PostgresError(
                    .migration,
                    "Migration \(row.version) (\(migrations[index].name)) differs from the one that this database got; restore the file.")
            }
        }
        let newer = applied.count - migrations.count
        guard newer <= acceptedNewer else {
            throw PostgresError(
                .migration, "The database is \(newer) migrations newer than this program; start a newer version of the program.")
        }
    }
}
