import Foundation
import Glibc
import Postgres
import Support
import Synchronization
import Testing

@testable import Tastemaker

/// The server dies under load, more than once: what was accepted is there once, what was refused or unknown at most once.
struct EventCrashTests {
    private struct Tally {
        var accepted: Set<String> = []
        var unknown: Set<String> = []
        var wrong: [String] = []
        var isOver = false
    }

    private final class Load: Sendable {
        let tally = Mutex(Tally())
        let done = DispatchGroup()

        func start(_ writer: EventWriter, group: Int32, sender: Int) {
            done.enter()
            let thread = Thread { [self] in
                var number = 0
                while !tally.withLock({ $0.isOver }) {
                    number += 1
                    send("\(sender)-\(number)", writer, group)
                }
                done.leave()
            }
            thread.start()
        }

        private func send(_ id: String, _ writer: EventWriter, _ group: Int32) {
            var event = NewEvent(
                datasetGroupID: group, source: .putEvents, userID: "u\(id.utf8.count)", visitorID: "v", eventType: "View",
                occurredAt: PGTimestamp(seconds: 1_790_000_000))
            event.itemID = id
            event.clientID = id
            do {
                let outcomes = try writer.append([event])
                tally.withLock { if outcomes == [.accepted] { $0.accepted.insert(id) } else { $0.wrong.append("\(id): \(outcomes)") } }
            } catch {
                tally.withLock { if error.isOutage { $0.unknown.insert(id) } else { $0.wrong.append("\(id): \(error)") } }
                usleep(20_000)
            }
        }
    }

    @Test func `no accepted event is lost or doubled when the server is stopped at once, three times`() throws {
        let cluster = try TestCluster()
        let database = try TestDatabase.makeEmpty(on: cluster)
        // Durable, as an installation is; the shared test cluster is not.
        let setting = try database.connect()
        try setting.execute("ALTER SYSTEM SET fsync = on")
        try setting.execute("ALTER SYSTEM SET synchronous_commit = on")
        try setting.execute("ALTER SYSTEM SET full_page_writes = on")
        setting.close()
        try cluster.control("restart", "-m", "fast")
        let connection = try database.connect()
        try MigrationRunner(folder: migrationsFolder).migrate(connection)
        connection.close()
        let environment = try Environment.test(database)
        let group = try makeShop(environment)
        let writer = EventWriter(environment: environment)
        defer { writer.close() }
        let load = Load()
        for sender in 0..<8 { load.start(writer, group: group, sender: sender) }
        for _ in 0..<3 {
            try waitForProgress(load)
            try cluster.control("restart", "-m", "immediate")
        }
        try waitForProgress(load)
        load.tally.withLock { $0.isOver = true }
        #expect(load.done.wait(timeout: .now() + 60) == .success)
        let tally = load.tally.withLock { $0 }
        #expect(tally.wrong == [])
        #expect(!tally.unknown.isEmpty)
        let stored = try environment.read { connection in
            try connection.query(
                "SELECT k.external_id FROM interaction i JOIN item_key k ON k.dataset_group_id = \(group) AND k.id = i.item_id"
            ).map { try $0.string(0) }
        }
        #expect(Set(stored).count == stored.count, "an event was doubled")
        #expect(tally.accepted.subtracting(stored).isEmpty, "an accepted event was lost")
        #expect(Set(stored).subtracting(tally.accepted).isSubset(of: tally.unknown))
        // Sent again, as clients do, each of the others is stored once.
        for id in tally.unknown.sorted().prefix(20) {
            var event = NewEvent(
                datasetGroupID: group, source: .putEvents, userID: "u", visitorID: "v", eventType: "View", occurredAt: environment.now())
            event.clientID = id
            event.itemID = id
            #expect(try writer.append([event]) == [stored.contains(id) ? .duplicate : .accepted])
        }
    }

    private func makeShop(_ environment: Environment) throws -> Int32 {
        let caller = Caller.system
        let group = try environment.createDatasetGroup(CreateDatasetGroupInput(name: "shop"), by: caller)
        _ = try environment.createSchema(CreateSchemaInput(name: "s", body: ControlFixture.interactions), by: caller)
        _ = try environment.createDataset(
            CreateDatasetInput(
                name: "d", schemaARN: environment.arn(.schema, "s", for: caller),
                datasetGroupARN: environment.arn(.datasetGroup, "shop", for: caller), datasetType: "Interactions"), by: caller)
        return group.id
    }

    private func waitForProgress(_ load: Load) throws {
        let goal = load.tally.withLock { $0.accepted.count } + 150
        let deadline = Date(timeIntervalSinceNow: 30)
        while load.tally.withLock({ $0.accepted.count }) < goal {
            try #require(Date() < deadline, "no event was accepted for 30 seconds")
            usleep(5_000)
        }
    }
}
