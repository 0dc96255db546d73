import Foundation
import JSON
import Postgres
import Storage
import Support
import Testing

@testable import Tastemaker

/// A dataset group with datasets, and a worker that does its jobs when told to.
struct Shop {
    let database: TestDatabase
    let clock = TestClock()
    let environment: Environment
    let group: DatasetGroup
    private let worker: JobWorker

    static let interactionsSchema = """
        {"type":"record","name":"Interactions","namespace":"com.amazonaws.personalize.schema","version":"1.0","fields":[
        {"name":"USER_ID","type":"string"},{"name":"ITEM_ID","type":"string"},{"name":"TIMESTAMP","type":"long"},
        {"name":"EVENT_TYPE","type":"string"},{"name":"EVENT_VALUE","type":["null","float"]}]}
        """
    static let itemsSchema = """
        {"type":"record","name":"Items","namespace":"com.amazonaws.personalize.schema","version":"1.0","fields":[
        {"name":"ITEM_ID","type":"string"},{"name":"TITLE","type":["null","string"]},{"name":"PRICE","type":["null","float"]},
        {"name":"CREATION_TIMESTAMP","type":["null","long"]}]}
        """
    static let usersSchema = """
        {"type":"record","name":"Users","namespace":"com.amazonaws.personalize.schema","version":"1.0","fields":[
        {"name":"USER_ID","type":"string"},{"name":"AGE","type":["null","int"]}]}
        """

    /// `importMemoryBytes`: 0 sends every import through its staging table.
    init(importMemoryBytes: Int? = nil) throws {
        database = try TestDatabase.make()
        environment = try Environment.test(database, clock: clock, connections: 12).importing(within: importMemoryBytes)
        group = try environment.createDatasetGroup(CreateDatasetGroupInput(name: "shop"), by: .system)
        worker = JobWorker(environment)
        for (type, schema) in [("Interactions", Self.interactionsSchema), ("Items", Self.itemsSchema), ("Users", Self.usersSchema)] {
            _ = try environment.createSchema(CreateSchemaInput(name: "schema-\(type)", body: schema), by: .system)
            _ = try environment.createDataset(
                CreateDatasetInput(
                    name: type, schemaARN: arn(.schema, "schema-\(type)"), datasetGroupARN: arn(.datasetGroup, "shop"), datasetType: type),
                by: .system)
        }
    }

    func arn(_ kind: ResourceARN.Kind, _ path: String) -> String { environment.arn(kind, path, for: .system) }

    func runJobs() { worker.runAvailable() }

    /// Writes the file where uploads lie.
    func upload(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(filePath: environment.settings.uploadFolder + "/" + name))
    }

    /// Imports bytes and answers the job when it has ended.
    @discardableResult
    func importFile(
        _ bytes: [UInt8], as type: DatasetType = .interactions, mode: ImportMode = .full, format: ImportFormat = .csv,
        named name: String? = nil
    ) throws -> DatasetImportJob {
        let job = name ?? "import-\(UUID().uuidString.prefix(8))"
        try upload("\(job).csv", bytes)
        _ = try environment.createDatasetImportJob(
            CreateDatasetImportJobInput(
                jobName: job, datasetARN: arn(.dataset, "shop/\(type.rawValue)"),
                source: .upload(fileName: "\(job).csv", format: format, columnMapping: nil), importMode: mode.rawValue), by: .system)
        runJobs()
        return try environment.describeDatasetImportJob(arn: arn(.datasetImportJob, job), by: .system)
    }

    @discardableResult
    func importText(_ text: String, as type: DatasetType = .interactions, mode: ImportMode = .full) throws -> DatasetImportJob {
        try importFile(Array(text.utf8), as: type, mode: mode)
    }

    func rows(_ sql: SQL) throws -> [String] {
        try environment.read { connection in try connection.query(sql).map { try $0.string(0) } }
    }

    func count(_ sql: SQL) throws -> Int64 {
        try environment.read { connection in try connection.query(sql).first?.int64(0) ?? -1 }
    }

    func execute(_ sql: SQL) throws { try environment.transact { connection in _ = try connection.execute(sql) } }

    /// user, item, type, value, second of every stored interaction.
    func interactions() throws -> [String] {
        try rows(
            """
            SELECT concat_ws(' ', u.external_id, k.external_id, t.name, i.value, extract(epoch FROM i.occurred_at)::bigint)
            FROM interaction i JOIN dataset d ON d.id = i.dataset_id
            JOIN user_key u ON u.dataset_group_id = d.dataset_group_id AND u.id = i.user_id
            JOIN item_key k ON k.dataset_group_id = d.dataset_group_id AND k.id = i.item_id
            JOIN event_type t ON t.dataset_group_id = d.dataset_group_id AND t.id = i.event_type
            ORDER BY u.external_id, k.external_id, t.name, i.occurred_at
            """)
    }

    /// A user's recent events: item, type, second.
    func history(_ user: String) throws -> [String] {
        let entries = try environment.read { connection in
            try connection.query(
                """
                SELECT h.entries FROM history h JOIN user_key u ON u.dataset_group_id = h.dataset_group_id AND u.id = h.user_id
                WHERE u.external_id = \(user)
                """
            ).first?.bytes(0) ?? []
        }
        let items = try rows("SELECT external_id FROM item_key WHERE dataset_group_id = \(group.id) ORDER BY id")
        let types = try rows("SELECT name FROM event_type WHERE dataset_group_id = \(group.id) ORDER BY id")
        return PackedHistory.unpack(entries).map { "\(items[Int($0.item)]) \(types[Int($0.eventType)]) \($0.seconds)" }
    }

    static let header = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n"

    /// Users of two tastes: even users view even items, odd users odd ones.
    static func tastes(users: Int = 60, items: Int = 40, events: Int = 30) -> String {
        var text = header
        var state: UInt64 = 7
        for user in 0..<users {
            for event in 0..<events {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let item = Int(state >> 33) % (items / 2) * 2 + user % 2
                text += "u\(user),i\(item),\(1_700_000_000 + event * 3600 + user),\(event % 10 == 9 ? "Purchase" : "View"),\n"
            }
        }
        return text
    }
}

extension Environment {
    fileprivate func importing(within bytes: Int?) -> Environment {
        guard let bytes else { return self }
        var settings = settings
        settings.importMemoryBytes = bytes
        return Environment(
            database: database, installation: installation, sealer: sealer, artifacts: artifacts, settings: settings, now: now)
    }
}
