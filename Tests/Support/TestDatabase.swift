import Foundation
public import Postgres
import Synchronization

/// A database of its own for one test or suite: a copy of the migrated template, dropped some time after the value is gone.
///
/// Not at once: `TestDatabase.make().connect()` lets go of the value before the connection is used.
public final class TestDatabase: Sendable {
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
        Released.add(settings.database ?? "", on: cluster)
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
        Released.keepTemplate(name, on: cluster)
        return Template(name: name)
    }
}

/// Databases that no test holds any more; the oldest of more than `kept` are dropped when nobody is connected.
private struct Released: Sendable {
    private static let kept = 40
    private static let state = Mutex(Released())
    private var names: [String] = []
    private var template: String?

    static func add(_ name: String, on cluster: TestCluster) {
        // A private cluster that is not the shared one goes as a whole.
        guard case .success(let shared) = TestCluster.shared, shared === cluster else { return }
        let excess = state.withLock { state -> [String] in
            if state.names.isEmpty, state.template == nil { dropAllAtExit(cluster) }
            state.names.append(name)
            let excess = state.names.prefix(max(0, state.names.count - kept))
            state.names.removeFirst(excess.count)
            return Array(excess)
        }
        drop(excess, on: cluster)
    }

    static func keepTemplate(_ name: String, on cluster: TestCluster) {
        state.withLock { state in
            state.template = name
            if state.names.isEmpty { dropAllAtExit(cluster) }
        }
    }

    /// On a server that outlives the tests nothing may stay.
    private static func dropAllAtExit(_ cluster: TestCluster) {
        guard cluster.folder == nil else { return }
        atexit {
            guard case .success(let cluster) = TestCluster.shared else { return }
            let names = Released.state.withLock { state in state.names + (state.template.map { [$0] } ?? []) }
            Released.drop(names, on: cluster)
        }
    }

    private static func drop(_ names: [String], on cluster: TestCluster) {
        guard !names.isEmpty, let connection = try? Connection(cluster.settings) else { return }
        for name in names { _ = try? connection.execute("DROP DATABASE IF EXISTS \(identifier: name) WITH (FORCE)") }
    }
}

/// Migrations/ of this repository.
public let migrationsFolder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Migrations").path
