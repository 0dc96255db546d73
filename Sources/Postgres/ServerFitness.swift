/// Whether a server and a database can carry the product, in sentences for the operator.
public struct ServerFitness: Sendable {
    /// Each of these must be mended first.
    public private(set) var problems: [String] = []
    /// Each of these is better mended.
    public private(set) var warnings: [String] = []

    public init(checking connection: Connection) throws(PostgresError) {
        let row = try connection.query(
            """
            SELECT current_setting('server_version'), current_setting('server_version_num')::integer,
                current_setting('server_encoding'), pg_is_in_recovery(),
                has_database_privilege(current_database(), 'CREATE'),
                EXISTS (SELECT FROM pg_namespace WHERE nspname = 'tastemaker' AND has_schema_privilege(oid, 'CREATE')),
                current_setting('fsync'), current_setting('full_page_writes'), current_setting('data_checksums'),
                current_setting('max_connections')::integer, current_database(), current_user
            """)[0]
        try checkServer(row)
        try checkSafety(row)
    }

    private mutating func checkServer(_ row: Row) throws(PostgresError) {
        if try row.int(1) < 150_000 {
            problems.append("PostgreSQL is version \(try row.string(0)); version 15 or newer is needed.")
        }
        if try row.string(2) != "UTF8" {
            problems.append("Database \(try row.string(10)) has encoding \(try row.string(2)); it must be created with encoding UTF8.")
        }
        if try row.bool(3) {
            problems.append("The server is a read-only standby; connect to the primary.")
        }
        if try !row.bool(4), try !row.bool(5) {
            problems.append(
                "User \(try row.string(11)) may not create the schema tastemaker; GRANT CREATE ON DATABASE \(try row.string(10)) to it.")
        }
    }

    private mutating func checkSafety(_ row: Row) throws(PostgresError) {
        for (column, setting) in [(6, "fsync"), (7, "full_page_writes")] where try row.string(column) == "off" {
            warnings.append("\(setting) is off: a crash of the machine can destroy the database.")
        }
        if try row.string(8) == "off" {
            warnings.append("Data checksums are off: damage on the disk stays unseen.")
        }
        if try row.int(9) < 50 {
            warnings.append("max_connections is \(try row.int(9)); at least 50 let all programs connect.")
        }
    }
}
