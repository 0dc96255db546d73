import Foundation
public import Postgres
import Synchronization

/// A database of its own for one test or suite: a copy of the migrated template, dropped at the end.
public final class TestDatabase: @unchecked Sendable {
    public let settings: ConnectionSettings
    private let cluster: TestCluster

    /// A copy of the template that holds every migration.
    public static func make() throws -> TestDatabase {
        let cluster = try TestCluster.shared.get()
        return try TestDatabase(on: cluster, template: Template.migrated.get().name)
    }

    /// A database without any table.
    public static func makeEmpty(on cluster: TestCluster? = nil) throws -> TestDatabase {
        try TestDatabase(on: cluster ?? TestCluster.shared.get(), template: "template0")
    }

    private init(on cluster: TestCluster, template: String) throws(PostgresError) {
        let name = Self.newName()
        try Self.create(name, from: template, on: cluster)
        self.cluster = cluster
        settings = cluster.settings.with(database: name)
    }

    deinit {
        let name = settings.database ?? ""
        guard let connection = try? Connection(cluster.settings) else { return }
        _ = try? connection.execute("DROP DATABASE IF EXISTS \(identifier: name) WITH (FORCE)")
    }

    /// A new connection to it.
    public func connect() throws(PostgresError) -> Connection {
        try Connection(settings)
    }

    static func newName() -> String {
        "test_" + UUID().uuidString.lowercased().filter { $0 != "-" }
    }

    static func create(_ name: String, from template: String, on cluster: TestCluster) throws(PostgresError) {
        let connection = try Connection(cluster.settings)
        try connection.execute(
            """
            CREATE DATABASE \(identifier: name) TEMPLATE \(identifier: template)
            ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'
            """)
    }
}

/// The database that all others are copied from; migrated once per test process.
private struct Template: Sendable {
    var name: String

    static let migrated: Result<Template, any Error> = Result {
        let cluster = try TestCluster.shared.get()
        let name = TestDatabase.newName()
        try TestDatabase.create(name, from: "template0", on: cluster)
        let connection = try Connection(cluster.settings.with(database: name))
        defer { connection.close() }
        try MigrationRunner(folder: migrationsFolder).migrate(connection)
        if cluster.folder == nil { dropAtExit(name) }
        return Template(name: name)
    }

    /// On a server that outlives the tests, the template goes when they end.
    private static func dropAtExit(_ name: String) {
        leftBehind.withLock { $0.append(name) }
        atexit {
            guard let cluster = try? TestCluster.shared.get(), let connection = try? Connection(cluster.settings) else { return }
            for name in Template.leftBehind.withLock({ $0 }) {
                _ = try? connection.execute("DROP DATABASE IF EXISTS \(identifier: name) WITH (FORCE)")
            }
        }
    }

    private static let leftBehind = Mutex<[String]>([])
}

/// Migrations/ of this repository.
public let migrationsFolder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Migrations").path
