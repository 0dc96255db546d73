import Foundation
import Postgres
import Support
import Synchronization
import Testing

struct MigrationTests {
    /// A folder of migrations that goes with the test.
    final class Folder: Sendable {
        let path = NSTemporaryDirectory() + "migrations-" + UUID().uuidString

        init(_ files: [String: String]) throws {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            for (name, text) in files { try write(name, text) }
        }

        func write(_ name: String, _ text: String) throws {
            try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    static let two = [
        "0001_notes.sql": "CREATE TABLE note (id integer); INSERT INTO note VALUES (1);",
        "0002_more.sql": "ALTER TABLE note ADD more text;",
    ]

    static func refusal(_ body: () throws -> Void) -> String {
        let error = #expect(throws: PostgresError.self) { try body() }
        #expect(error?.kind == .migration)
        return error?.message ?? ""
    }

    @Test func `migrations are applied once and in order`() throws {
        let folder = try Folder(Self.two)
        let database = try TestDatabase.makeEmpty()
        let connection = try database.connect()
        let runner = try MigrationRunner(folder: folder.path)
        #expect(try runner.status(connection).map(\.state) == [.pending, .pending])
        #expect(throws: PostgresError.self) { try runner.requireCurrent(connection) }
        var seen: [Int] = []
        #expect(try runner.migrate(connection) { seen.append($0.version) } == 2)
        #expect(seen == [1, 2])
        #expect(try runner.migrate(connection) == 0)
        try runner.requireCurrent(connection)
        #expect(try connection.query("SELECT id, more FROM tastemaker.note").count == 1)
    }

    @Test func `a failed migration leaves the database as it was`() throws {
        let folder = try Folder(["0001_a.sql": "CREATE TABLE a (x integer);", "0002_b.sql": "CREATE TABLE b (x integer); SELECT 1/0;"])
        let connection = try TestDatabase.makeEmpty().connect()
        let runner = try MigrationRunner(folder: folder.path)
        let error = #expect(throws: PostgresError.self) { try runner.migrate(connection) }
        #expect(error?.message.contains("Migration 2 (b)") == true)
        #expect(
            try connection.query("SELECT to_regclass('a') IS NOT NULL, to_regclass('b') IS NULL").first.map { try $0.bool(0) && $0.bool(1) }
                == true)
        try folder.write("0002_b.sql", "CREATE TABLE b (x integer);")
        #expect(try MigrationRunner(folder: folder.path).migrate(connection) == 1)
    }

    @Test func `a changed file is refused`() throws {
        let folder = try Folder(Self.two)
        let connection = try TestDatabase.makeEmpty().connect()
        try MigrationRunner(folder: folder.path).migrate(connection)
        try folder.write("0001_notes.sql", "CREATE TABLE note (id bigint);")
        #expect(Self.refusal { try MigrationRunner(folder: folder.path).migrate(connection) }.contains("Migration 1 (notes) differs"))
    }

    @Test(arguments: [["0001_a.sql", "0003_c.sql"], ["0001_a.sql", "0001_b.sql"], ["1_a.sql"], []])
    func `a folder with gaps, doubles or odd names is refused`(names: [String]) throws {
        let folder = try Folder(Dictionary(uniqueKeysWithValues: names.map { ($0, "SELECT 1;") }))
        _ = Self.refusal { _ = try MigrationRunner(folder: folder.path) }
    }

    @Test func `a database one migration newer is accepted, two newer is not`() throws {
        let folder = try Folder(Self.two)
        let connection = try TestDatabase.makeEmpty().connect()
        try MigrationRunner(folder: folder.path).migrate(connection)
        let old = try Folder(["0001_notes.sql": Self.two["0001_notes.sql"] ?? ""])
        let runner = try MigrationRunner(folder: old.path)
        #expect(try runner.migrate(connection) == 0)
        try runner.requireCurrent(connection)
        try folder.write("0003_last.sql", "SELECT 1;")
        try MigrationRunner(folder: folder.path).migrate(connection)
        #expect(Self.refusal { try runner.requireCurrent(connection) }.contains("2 migrations newer"))
    }

    @Test func `one statement can run outside a transaction`() throws {
        var files = Self.two
        files["0003_index.sql"] = "-- no transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS note_id ON note (id);\n"
        let folder = try Folder(files)
        let connection = try TestDatabase.makeEmpty().connect()
        #expect(try MigrationRunner(folder: folder.path).migrate(connection) == 3)
        #expect(try connection.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'note_id'::regclass")[0].bool(0))
    }

    @Test func `two runs at once apply each migration once`() throws {
        var files = Self.two
        files["0003_index.sql"] = "-- no transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS note_id ON note (id);\n"
        let folder = try Folder(files)
        let database = try TestDatabase.makeEmpty()
        let results = Mutex<[Int]>([])
        let group = DispatchGroup()
        for _ in 0..<2 {
            group.enter()
            Thread.detachNewThread {
                let count = try? MigrationRunner(folder: folder.path).migrate(database.connect())
                results.withLock { $0.append(count ?? -1) }
                group.leave()
            }
        }
        #expect(group.wait(timeout: .now() + 30) == .success)
        #expect(results.withLock { $0.sorted() } == [0, 3])
    }

    @Test func `the product's own migrations apply to an empty database`() throws {
        let connection = try TestDatabase.make().connect()
        try MigrationRunner(folder: migrationsFolder).requireCurrent(connection)
    }
}
