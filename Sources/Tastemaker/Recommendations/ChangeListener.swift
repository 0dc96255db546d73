import Foundation
import Logging
import Postgres
import Synchronization

/// Hears of changed groups and loads them before somebody asks. Only an early refresh: every answer checks the revision itself.
final class ChangeListener: Sendable {
    private let environment: Environment
    private let groups: GroupCache
    private let isClosed = Mutex(false)
    private let log = Logger(label: "tastemaker.changes")
    private static let pollSeconds = 30.0

    init(_ environment: Environment, _ groups: GroupCache) {
        self.environment = environment
        self.groups = groups
    }

    func start() {
        let thread = Thread { [self] in run() }
        thread.name = "change listener"
        thread.start()
    }

    func close() { isClosed.withLock { $0 = true } }

    private func run() {
        var pause = 0.1
        while !isClosed.withLock({ $0 }) {
            do {
                let connection = try environment.database.connect()
                defer { connection.close() }
                try connection.listen(Environment.changeChannel)
                pause = 0.1
                try hear(connection)
            } catch {
                log.debug("listening was interrupted", metadata: ["reason": "\(OperationError(error).message)"])
                Thread.sleep(forTimeInterval: pause)
                pause = min(5, pause * 2)
            }
        }
    }

    private func hear(_ connection: Connection) throws {
        var polledAt = ContinuousClock.now
        while !isClosed.withLock({ $0 }) {
            if let heard = try connection.waitForNotification(timeoutMilliseconds: 500), let id = Int32(heard.payload) {
                let entry = groups.entry(id)
                if entry.state != nil { try refresh(entry, connection) }
            }
            if ContinuousClock.now - polledAt > .seconds(ChangeListener.pollSeconds) {
                for entry in groups.loaded { try refresh(entry, connection) }
                polledAt = .now
            }
        }
    }

    private func refresh(_ entry: GroupEntry, _ connection: Connection) throws {
        let revision = try CatalogueQueries.revision(entry.id, connection)
        _ = try entry.state(atLeast: revision, reloads: entry.state?.group.hasBrokenModel ?? false || revision == nil, groups.loader)
    }
}
