import Foundation
import Postgres
import Testing

@testable import Tastemaker

/// Interactions in memory and through the staging table: what is stored is the same.
@Suite struct ImportMemoryTests {
    static let ways = [nil, 0] as [Int?]

    /// Out of order, with equal rows on both sides of a limit, several events of a second, types of two spellings, values and histories that
    /// are too long.
    static let text: String = {
        var text = Shop.header
        var state: UInt64 = 11
        for row in 0..<6_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let random = Int(state >> 33)
            let user = row % 3 == 0 ? 0 : random % 400
            text += "u\(user),i\(random / 400 % 60),\(random / 7 % 2_000),\(["View", "view", "Click", "Purchase"][random / 11 % 4]),"
            text += random % 5 == 0 ? "\(random % 3)\n" : "\n"
        }
        return text
    }()

    private func stored(_ shop: Shop) throws -> [String] {
        try shop.rows(
            """
            SELECT concat_ws(' ', u.external_id, k.external_id, lower(t.name), coalesce(i.value::text, '-'),
                extract(epoch FROM i.occurred_at)::bigint, i.ordinal, i.properties)
            FROM interaction i JOIN user_key u ON u.id = i.user_id JOIN item_key k ON k.id = i.item_id JOIN event_type t ON t.id = i.event_type
            ORDER BY 1
            """)
    }

    /// Only the import's own order of numbers may differ, and types that tie for a place.
    private func histories(_ shop: Shop) throws -> [[String]] {
        try (0..<400).map { user in try shop.history("u\(user)").map { $0.lowercased() } }
    }

    private func byTable(_ texts: [(String, ImportMode)]) throws -> (rows: [String], histories: [[String]], jobs: [DatasetImportJob]) {
        let shop = try Shop(importMemoryBytes: 0)
        let jobs = try texts.map { try shop.importText($0.0, mode: $0.1) }
        return (try stored(shop), try histories(shop), jobs)
    }

    @Test func `memory and table store the same rows and the same histories`() throws {
        let shop = try Shop()
        let job = try shop.importText(Self.text)
        let other = try byTable([(Self.text, .full)])
        #expect(job.status == .active && job.rowsDuplicate > 0)
        #expect((job.rowsAccepted, job.rowsDuplicate) == (other.jobs[0].rowsAccepted, other.jobs[0].rowsDuplicate))
        #expect(try stored(shop) == other.rows)
        #expect(try shop.count("SELECT count(*) FROM pg_class WHERE relname ~ '^staging_'") == 0)
        let own = try histories(shop)
        #expect(own.map(\.count) == other.histories.map(\.count))
        #expect(own[0].count > 100 && own[0].count <= 200)
        #expect(own.dropFirst().map { $0 } == other.histories.dropFirst().map { $0 })
    }

    @Test func `an import that adds stores the same by both ways`() throws {
        let lines = Self.text.split(separator: "\n").dropFirst().map { "\($0)\n" }
        let texts: [(String, ImportMode)] = [
            (Shop.header + lines[..<4_000].joined(), .full), (Shop.header + lines[3_000...].joined(), .incremental),
        ]
        let shop = try Shop()
        let jobs = try texts.map { try shop.importText($0.0, mode: $0.1) }
        let other = try byTable(texts)
        #expect(jobs[1].rowsDuplicate >= 1_000)
        #expect(jobs.map(\.rowsDuplicate) == other.jobs.map(\.rowsDuplicate))
        #expect(try stored(shop) == other.rows)
        #expect(try histories(shop).dropFirst() == other.histories.dropFirst())
    }

    @Test func `what outgrows the memory on the way goes through the table`() throws {
        // Room for 4,096 rows and their ids.
        let shop = try Shop(importMemoryBytes: 165_000)
        let job = try shop.importText(Self.text + "bad\n")
        let other = try byTable([(Self.text, .full)])
        #expect((job.rowsAccepted, job.rowsRejected) == (other.jobs[0].rowsAccepted, 1))
        #expect(try stored(shop) == other.rows)
    }

    @Test(arguments: ways) func `an event that came before is in the history that an import makes`(_ memory: Int?) throws {
        let shop = try Shop(importMemoryBytes: memory)
        var event = NewEvent(
            datasetGroupID: shop.group.id, source: .tracker, userID: "a", visitorID: "anonymous:browser", eventType: "View",
            occurredAt: PGTimestamp(seconds: 25))
        event.itemID = "streamed"
        try shop.environment.prepareInteractionPart(datasetGroupID: shop.group.id)
        _ = try shop.environment.transact { connection in try shop.environment.storeEvents([event], connection) }
        try shop.importText(Shop.header + "b,y,10,View,\na,x,30,View,\na,x,20,View,\n")
        #expect(try shop.history("a") == ["x View 20", "streamed View 25", "x View 30"])
        #expect(try shop.history("anonymous:browser") == ["streamed View 25"])
        #expect(try shop.history("b") == ["y View 10"])
    }

    @Test func `events of one second stay in the order of the file`() throws {
        let shop = try Shop()
        try shop.importText(Shop.header + "a,z,5,View,\na,x,5,View,\na,y,5,View,\na,x,4,View,\n")
        #expect(try shop.history("a") == ["x View 4", "z View 5", "x View 5", "y View 5"])
    }

    @Test func `other columns are stored, and tell rows apart`() throws {
        let schema = Shop.interactionsSchema.replacingOccurrences(
            of: "{\"name\":\"EVENT_VALUE\"", with: "{\"name\":\"SCORE\",\"type\":[\"null\",\"double\"]},{\"name\":\"EVENT_VALUE\"")
        let shop = try Shop()
        try shop.execute("UPDATE schema SET body = \(schema) WHERE name = 'schema-Interactions'")
        let job = try shop.importText(
            """
            USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,SCORE,EVENT_VALUE
            a,x,1,View,2.5,
            a,x,1,View,,
            a,x,1,View,2.50,
            a,x,1,View,0.0,
            a,x,1,View,-0.0,

            """)
        #expect((job.rowsAccepted, job.rowsDuplicate) == (3, 2), "\(job.failureReason ?? "")")
        #expect(
            try shop.rows("SELECT concat_ws(' ', ordinal, (properties ->> 'SCORE')::float8) FROM interaction ORDER BY ordinal")
                == ["2 2.5", "3", "5 0"])
    }

    @Test func `a twin whose attempt is over changes nothing`() throws {
        let shop = try Shop()
        try shop.importText(Shop.header + "a,x,1,View,\n")
        try shop.upload("twin.csv", Array((Shop.header + "b,y,2,View,\n").utf8))
        _ = try shop.environment.createDatasetImportJob(
            CreateDatasetImportJobInput(
                jobName: "twin", datasetARN: shop.arn(.dataset, "shop/INTERACTIONS"),
                source: .upload(fileName: "twin.csv", format: .csv, columnMapping: nil)), by: .system)
        // Another worker takes the job over while the rows are stored.
        try shop.execute(
            """
            CREATE FUNCTION take_over() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                UPDATE job SET attempt = attempt + 1 WHERE payload ? 'importJobID' AND state = 'running'; RETURN NEW;
            END $$
            """)
        try shop.execute("CREATE TRIGGER take_over AFTER INSERT ON history FOR EACH STATEMENT EXECUTE FUNCTION take_over()")
        shop.runJobs()
        #expect(try shop.interactions() == ["a x View 1"])
        #expect(try shop.history("a") == ["x View 1"])
        #expect(try shop.history("b") == [])
    }
}
