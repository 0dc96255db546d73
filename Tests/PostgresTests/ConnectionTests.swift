import Foundation
import Postgres
import Support
import Testing

struct ConnectionTests {
    static func connection(_ change: (inout ConnectionSettings) -> Void = { _ in }) throws -> (TestDatabase, Connection) {
        let database = try TestDatabase.makeEmpty()
        var settings = database.settings
        settings.searchPath = "public"
        change(&settings)
        return (database, try Connection(settings))
    }

    @Test func `a transaction that throws leaves nothing`() throws {
        let (_, connection) = try Self.connection()
        try connection.execute("CREATE TABLE note (id integer PRIMARY KEY)")
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try connection.transaction { connection in
                try connection.execute("INSERT INTO note (id) VALUES (1)")
                throw Stop()
            }
        }
        #expect(try connection.query("SELECT FROM note").isEmpty)
        #expect(connection.isUsable)
    }

    @Test func `a failed savepoint leaves the outer transaction whole`() throws {
        let (_, connection) = try Self.connection()
        try connection.execute("CREATE TABLE note (id integer PRIMARY KEY)")
        try connection.transaction(.serializable) { (connection) throws(PostgresError) in
            try connection.execute("INSERT INTO note (id) VALUES (1)")
            do throws(PostgresError) {
                try connection.transaction { (connection) throws(PostgresError) in
                    try connection.execute("INSERT INTO note (id) VALUES (2)")
                    try connection.execute("INSERT INTO note (id) VALUES (1)")
                }
            } catch {
                guard error.isUniqueViolation else { throw error }
            }
            try connection.transaction { (connection) throws(PostgresError) in
                try connection.execute("INSERT INTO note (id) VALUES (3)")
            }
        }
        let rows = try connection.query("SELECT id FROM note ORDER BY id")
        #expect(try rows.map { try $0.int(0) } == [1, 3])
    }

    @Test func `a failure that was ignored does not pass for a commit`() throws {
        let (_, connection) = try Self.connection()
        #expect(throws: PostgresError.self) {
            try connection.transaction { connection in _ = try? connection.query("SELECT 1/0") }
        }
        #expect(connection.isUsable)
    }

    @Test func `a violated constraint is named`() throws {
        let (_, connection) = try Self.connection()
        try connection.execute(
            "CREATE TABLE note (id integer CONSTRAINT note_id_key UNIQUE, size integer CONSTRAINT small CHECK (size < 9))")
        try connection.execute("INSERT INTO note (id) VALUES (1)")
        let twice = #expect(throws: PostgresError.self) { try connection.execute("INSERT INTO note (id) VALUES (1)") }
        #expect(twice?.constraint == "note_id_key")
        #expect(twice?.isUniqueViolation == true)
        #expect(twice?.table == "note")
        #expect(twice?.outcomeUnknown == false)
        let large = #expect(throws: PostgresError.self) { try connection.execute("INSERT INTO note (size) VALUES (9)") }
        #expect(large?.isCheckViolation == true)
    }

    @Test func `prepared statements stay within their limit`() throws {
        let (_, connection) = try Self.connection { $0.preparedStatementLimit = 3 }
        for number in 0..<10 { try connection.execute("SELECT \(literal: number)") }
        #expect(connection.preparedStatementCount == 3)
        #expect(try connection.query("SELECT count(*) FROM pg_prepared_statements")[0].int(0) <= 3)
    }

    @Test func `a prepared statement survives a changed table`() throws {
        let (_, connection) = try Self.connection()
        try connection.execute("CREATE TABLE note (id integer)")
        let all: SQL = "SELECT note FROM note"
        let wide: SQL = "TABLE note"
        _ = try connection.query(all)
        _ = try connection.query(wide)
        try connection.execute("ALTER TABLE note ADD COLUMN extra text")
        #expect(try connection.query(wide).columnNames == ["id", "extra"])
    }

    @Test func `values bind without prepared statements too`() throws {
        let (_, connection) = try Self.connection { $0.usesPreparedStatements = false }
        #expect(try connection.query("SELECT \(41) + 1")[0].int(0) == 42)
        #expect(connection.preparedStatementCount == 0)
    }

    @Test func `a slow statement ends at its time limit`() throws {
        let (_, connection) = try Self.connection { $0.statementTimeoutMilliseconds = 100 }
        let error = #expect(throws: PostgresError.self) { try connection.query("SELECT pg_sleep(20)") }
        #expect(error?.isTimeout == true)
        #expect(connection.isUsable)
    }

    @Test func `the client ends a statement that the server does not limit`() throws {
        let (_, connection) = try Self.connection {
            $0.statementTimeoutMilliseconds = 100
            $0.graceMilliseconds = 200
        }
        let error = #expect(throws: PostgresError.self) {
            try connection.executeScript("SET statement_timeout = 0; SELECT pg_sleep(20)")
        }
        #expect(error?.isTimeout == true)
    }

    @Test func `a hung server costs a connection, not a thread`() throws {
        let cluster = try TestCluster()
        let database = try TestDatabase.makeEmpty(on: cluster)
        var settings = database.settings
        settings.statementTimeoutMilliseconds = 100
        settings.graceMilliseconds = 200
        let connection = try Connection(settings)
        let process = Int32(try connection.query("SELECT pg_backend_pid()")[0].int(0))
        kill(process, SIGSTOP)
        defer { kill(process, SIGCONT) }
        let start = Date()
        let error = #expect(throws: PostgresError.self) { try connection.query("SELECT 1") }
        #expect(error?.isTimeout == true)
        #expect(Date().timeIntervalSince(start) < 5)
        #expect(!connection.isOpen)
    }

    @Test func `another thread can cancel a statement`() throws {
        let (_, connection) = try Self.connection()
        let canceller = try #require(connection.makeCanceller())
        Thread.detachNewThread {
            // Again until it meets the running statement.
            for _ in 0..<100 {
                canceller.cancel()
                usleep(20_000)
            }
        }
        let error = #expect(throws: PostgresError.self) { try connection.query("SELECT pg_sleep(20)") }
        #expect(error?.code == "57014")
    }

    @Test func `a notification reaches the listener`() throws {
        let (database, listener) = try Self.connection()
        try listener.listen("Model \"ready\"")
        #expect(try listener.waitForNotification(timeoutMilliseconds: 0) == nil)
        try Connection(database.settings).notify("Model \"ready\"", "v1")
        let heard = try listener.waitForNotification(timeoutMilliseconds: 5_000)
        #expect(heard?.channel == "Model \"ready\"")
        #expect(heard?.payload == "v1")
    }

    @Test func `settings reach the server`() throws {
        let (_, connection) = try Self.connection {
            $0.applicationName = "asked"
            $0.onConnect = ["SET work_mem = '5MB'"]
        }
        let row = try connection.query(
            "SELECT current_setting('application_name'), current_setting('search_path'), current_setting('work_mem'), current_setting('TimeZone')"
        )[0]
        #expect(try (0..<4).map { try row.string($0) } == ["asked", "public", "5MB", "UTC"])
    }

    @Test func `a server that is not there is an error at once`() throws {
        let error = #expect(throws: PostgresError.self) {
            try Connection(ConnectionSettings(host: "/tmp/no-such-folder", user: "x", database: "x"))
        }
        #expect(error?.kind == .connectionFailed)
    }

    @Test func `the test server is fit`() throws {
        let (_, connection) = try Self.connection()
        let fitness = try ServerFitness(checking: connection)
        #expect(fitness.problems == [])
        #expect(fitness.warnings.contains { $0.contains("fsync") } == (try connection.query("SHOW fsync")[0].string(0) == "off"))
    }
}
