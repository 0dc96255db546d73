import Foundation
import Postgres
import Storage
import Support
import Testing

@testable import Tastemaker

@Suite struct DemoRemovalTests {
    @Test func `removal leaves no row, no table, no file, and nothing of others touched`() throws {
        let database = try TestDatabase.make()
        let environment = try Environment.test(database, connections: 8)
        let other = try environment.createDatasetGroup(CreateDatasetGroupInput(name: "other"), by: .system)
        try environment.createDefaultPlacements(datasetGroupID: other.id, by: .system)
        let group = try environment.loadDemo(DemoSize(products: 240, visitors: 120, liveDays: 4, newcomers: 10), runsJobs: true) { _ in }
        #expect(try rows(of: group.id, environment).contains { $0.value > 0 })
        #expect(try !environment.artifacts.list(prefix: "models/").isEmpty)
        let before = try rows(of: other.id, environment)

        try environment.removeDemo(by: Caller(.command))

        #expect(try environment.demoGroup() == nil)
        #expect(try rows(of: group.id, environment).filter { $0.value > 0 } == [:])
        #expect(try environment.artifacts.list(prefix: "models/").isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: environment.settings.uploadFolder) == [])
        #expect(try rows(of: other.id, environment) == before)
        for table in ["dataset", "schema", "campaign", "solution", "solution_version", "exposure", "arm", "promotion_version", "tag"] {
            #expect(try count("SELECT count(*) FROM \(identifier: table)", environment) == 0, "\(table)")
        }
        let partitions: SQL = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'interaction'::regclass"
        #expect(try count(partitions, environment) == 0)
    }

    @Test func `without a demo shop there is nothing to remove`() throws {
        let environment = try Environment.test(try TestDatabase.make())
        try environment.removeDemo(by: Caller(.command))
        #expect(try environment.demoGroup() == nil)
    }

    @Test func `a group that only has the name is left alone`() throws {
        let environment = try Environment.test(try TestDatabase.make())
        _ = try environment.createDatasetGroup(CreateDatasetGroupInput(name: DemoShop.groupName), by: .system)
        try environment.removeDemo(by: Caller(.command))
        #expect(try environment.listDatasetGroups(PageRequest(), by: .system).items.count == 1)
        #expect(throws: OperationError.self) { try environment.loadDemo(runsJobs: true) { _ in } }
        #expect(try environment.listDatasetGroups(PageRequest(), by: .system).items.count == 1)
    }

    /// Rows of a group by table. The audit keeps what was done, also to what is gone.
    private func rows(of groupID: Int32, _ environment: Environment) throws -> [String: Int64] {
        let tables = try environment.read { connection in
            try connection.query(
                """
                SELECT table_name FROM information_schema.columns
                WHERE table_schema = current_schema() AND column_name = 'dataset_group_id' AND table_name <> 'audit'
                """
            ).map { try $0.string(0) }
        }
        #expect(tables.count > 15)
        var rows: [String: Int64] = [:]
        for table in tables {
            rows[table] = try count("SELECT count(*) FROM \(identifier: table) WHERE dataset_group_id = \(groupID)", environment)
        }
        return rows
    }

    private func count(_ sql: SQL, _ environment: Environment) throws -> Int64 {
        try environment.read { try $0.query(sql).first?.int64(0) ?? -1 }
    }
}
