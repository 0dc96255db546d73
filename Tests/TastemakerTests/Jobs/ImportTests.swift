import Foundation
import JSON
import Postgres
import Storage
import Support
import Testing

@testable import Tastemaker

@Suite struct ImportTests {
    let shop: Shop

    init() throws { shop = try Shop() }

    @Test func `interactions are stored once, with histories in order of time`() throws {
        let job = try shop.importText(
            Shop.header + "a,x,30,View,\na,y,10,Purchase,2.5\nb,x,20,view,\na,x,30,View,\n")
        #expect(job.status == .active, "\(job.failureReason ?? "")")
        #expect((job.rowsAccepted, job.rowsDuplicate, job.rowsRejected) == (3, 1, 0))
        #expect(try shop.interactions() == ["a x View 30", "a y Purchase 2.5 10", "b x View 20"])
        #expect(try shop.history("a") == ["y Purchase 10", "x View 30"])
        #expect(try shop.history("b") == ["x View 20"])
    }

    @Test func `FULL replaces bulk rows only, and histories follow`() throws {
        try shop.importText(Shop.header + "a,x,30,View,\nb,x,20,View,\n")
        var event = NewEvent(
            datasetGroupID: shop.group.id, source: .tracker, userID: "a", visitorID: "anonymous:visitor", eventType: "View",
            occurredAt: PGTimestamp(seconds: 50))
        event.itemID = "streamed"
        try shop.environment.prepareInteractionPart(datasetGroupID: shop.group.id)
        _ = try shop.environment.transact { connection in try shop.environment.storeEvents([event], connection) }
        try shop.importText(Shop.header + "a,z,40,View,\n")
        #expect(try shop.interactions() == ["a streamed View 50", "a z View 40"])
        #expect(try shop.history("a") == ["z View 40", "streamed View 50"])
        #expect(try shop.history("anonymous:visitor") == ["streamed View 50"])
        #expect(try shop.history("b") == [])
        let parts = try shop.count(
            """
            SELECT count(*) FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
            WHERE c.relkind = 'r' AND c.relname ~ '^interaction_[0-9]+_i'
            """)
        #expect(parts == 1)
    }

    @Test func `INCREMENTAL adds, and stores nothing twice`() throws {
        try shop.importText(Shop.header + "a,x,30,View,\nb,x,20,View,\n")
        let job = try shop.importText(Shop.header + "a,x,30,View,\nb,x,21,View,\n", mode: .incremental)
        #expect((job.rowsAccepted, job.rowsDuplicate) == (1, 1))
        #expect(try shop.interactions() == ["a x View 30", "b x View 20", "b x View 21"])
        #expect(try shop.history("b") == ["x View 20", "x View 21"])
    }

    @Test func `a history keeps the newest 100 of each type and 200 in all, as event by event`() throws {
        var text = Shop.header
        var events: [RecentEvent] = []
        let types = ["View", "Click", "Purchase"]
        for (index, type) in types.enumerated() {
            for second in 0..<[150, 120, 7][index] {
                text += "a,i\(second % 9),\(second * 3 + index),\(type),\n"
                events.append(RecentEvent(item: Int32(second % 9), seconds: UInt32(second * 3 + index), eventType: UInt8(index)))
            }
        }
        try shop.importText(text)
        let expected = PackedHistory.merging([], with: events.sorted { $0.seconds < $1.seconds })
        #expect(try shop.history("a") == expected.map { "i\($0.item) \(types[Int($0.eventType)]) \($0.seconds)" })
        #expect(expected.count == 200)
    }

    @Test func `ids are compared by bytes, never by look`() throws {
        try shop.importText(Shop.header + "caf\u{E9},x,1,View,\ncafe\u{301},x,1,View,\nb,\u{212B},1,View,\nb,\u{C5},1,View,\n")
        #expect(try shop.count("SELECT count(*) FROM user_key") == 3)
        #expect(try shop.count("SELECT count(*) FROM item_key") == 3)
        #expect(try shop.interactions().count == 4)
    }

    static let badRows: [(row: String, reason: String)] = [
        ("a,x", "fields"), ("a,x,soon,View,", "TIMESTAMP"), ("a,x,1700000000000,View,", "milliseconds"),
        (",x,1,View,", "USER_ID"), ("a,,1,View,", "ITEM_ID"), ("a,x,1,View,much", "EVENT_VALUE"),
        ("\(String(repeating: "u", count: 257)),x,1,View,", "256"), ("a,\(String(repeating: "i", count: 70_000)),1,View,", "line"),
    ]

    @Test(arguments: badRows) func `a bad row is counted and named, and the rest goes in`(_ bad: (row: String, reason: String)) throws {
        let job = try shop.importText(Shop.header + "a,x,1,View,\n\(bad.row)\nb,y,2,View,\n")
        #expect(job.status == .active, "\(job.failureReason ?? "")")
        #expect((job.rowsAccepted, job.rowsRejected) == (2, 1))
        let errors = try shop.environment.listImportRowErrors(of: job, by: .system)
        #expect(errors.map(\.line) == [3])
        #expect(bad.reason == "line" || errors.first?.reason.contains(bad.reason) == true, "\(errors)")
    }

    @Test func `invalid UTF-8 and U+0000 are rejected by row`() throws {
        let job = try shop.importFile(
            Array((Shop.header + "a,x,1,View,\n").utf8) + Array("b".utf8) + [0xFF] + Array(",y,2,View,\nc".utf8) + [0]
                + Array(",y,3,View,\n".utf8))
        #expect((job.rowsAccepted, job.rowsRejected) == (1, 2), "\(job.failureReason ?? "")")
        #expect(try shop.interactions() == ["a x View 1"])
    }

    @Test func `CRLF, quotes and a byte order mark are read`() throws {
        let job = try shop.importText(
            "\u{FEFF}ITEM_ID,TITLE,PRICE,CREATION_TIMESTAMP\r\n1,\"Mug, \"\"big\"\"\",2.5,100\r\n2,\"two\r\nlines\",,\r\n", as: .items)
        #expect(job.status == .active, "\(job.failureReason ?? "")")
        #expect(
            try shop.rows("SELECT attributes::text FROM item_record ORDER BY item_id") == [
                "{\"PRICE\": 2.5, \"TITLE\": \"Mug, \\\"big\\\"\", \"CREATION_TIMESTAMP\": 100}", "{\"TITLE\": \"two\\r\\nlines\"}",
            ])
    }

    @Test func `a header that lacks columns fails the import in the contract's words, and keeps what was there`() throws {
        try shop.importText(Shop.header + "a,x,1,View,\n")
        let job = try shop.importText("USER_ID,TIMESTAMP,EVENT_TYPE\na,1,View\n")
        #expect(job.status == .createFailed)
        #expect(job.failureReason?.contains("Input CSV is missing the following columns:[ITEM_ID, EVENT_VALUE]") == true)
        #expect(try shop.interactions() == ["a x View 1"])
        #expect(try shop.count("SELECT count(*) FROM pg_class WHERE relname ~ '^staging_'") == 0)
    }

    @Test func `a truncated gzip file fails whole`() throws {
        let packed = try GzipDeflater.deflate(Array((Shop.tastes()).utf8))
        #expect(try shop.importFile(packed).status == .active)
        let before = try shop.interactions().count
        let job = try shop.importFile(Array(packed.prefix(packed.count / 2)))
        #expect(job.status == .createFailed)
        #expect(job.failureReason?.contains("cannot be unpacked") == true)
        #expect(try shop.interactions().count == before)
    }

    @Test(arguments: [("", "empty"), (Shop.header, "no valid record")]) func `a file without records fails`(
        _ text: String, _ reason: String
    ) throws {
        let job = try shop.importText(text)
        #expect(job.status == .createFailed)
        #expect(job.failureReason?.contains(reason) == true, "\(job.failureReason ?? "")")
    }

    @Test func `staging that a crash emptied is noticed, and the next attempt starts over`() throws {
        let shop = try Shop(importMemoryBytes: 0)
        try shop.upload("crash.csv", Array((Shop.header + "a,x,1,View,\n").utf8))
        let created = try shop.environment.createDatasetImportJob(
            CreateDatasetImportJobInput(
                jobName: "crash", datasetARN: shop.arn(.dataset, "shop/INTERACTIONS"),
                source: .upload(fileName: "crash.csv", format: .csv, columnMapping: nil)), by: .system)
        // A rule on the staging table stands for the crash: rows vanish between the copy and the merge.
        try shop.execute(
            """
            CREATE FUNCTION vanish() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                EXECUTE format('DELETE FROM staging_%s', NEW.id * 16 + 1); RETURN NEW;
            END $$
            """)
        try shop.execute(
            """
            CREATE TRIGGER vanish AFTER UPDATE ON dataset_import_job FOR EACH ROW
            WHEN (OLD.rows_accepted = 0 AND NEW.rows_accepted > 0) EXECUTE FUNCTION vanish()
            """)
        shop.runJobs()
        #expect(try shop.interactions() == [])
        #expect(try shop.environment.listJobs(states: [.available], by: .system).first?.error?.contains("restarted") == true)
        try shop.execute("DROP TRIGGER vanish ON dataset_import_job")
        shop.clock.advance(seconds: 6)
        shop.runJobs()
        #expect(try shop.interactions() == ["a x View 1"])
        let ended = try shop.environment.describeDatasetImportJob(arn: shop.arn(.datasetImportJob, created.name), by: .system)
        #expect(ended.status == .active)
    }

    @Test func `FULL items replace bulk records and leave single ones; INCREMENTAL replaces either`() throws {
        try shop.importText("ITEM_ID,TITLE,PRICE,CREATION_TIMESTAMP\n1,one,1,\n2,two,2,\n2,two again,2,\n", as: .items)
        try shop.execute("UPDATE item_record SET is_bulk = false WHERE attributes ->> 'TITLE' = 'one'")
        let revision = try shop.count("SELECT catalogue_base FROM group_revision")
        try shop.importText("ITEM_ID,TITLE,PRICE,CREATION_TIMESTAMP\n1,uno,1,\n3,tre,3,\n", as: .items)
        let titles: SQL = "SELECT attributes ->> 'TITLE' FROM item_record ORDER BY item_id"
        #expect(try shop.rows(titles) == ["one", "tre"])
        #expect(try shop.count("SELECT catalogue_base FROM group_revision") > revision)
        let job = try shop.importText("ITEM_ID,TITLE,PRICE,CREATION_TIMESTAMP\n1,uno,1,\n4,quattro,3,\n", as: .items, mode: .incremental)
        #expect(job.status == .active)
        #expect(try shop.rows(titles) == ["uno", "tre", "quattro"])
    }

    @Test func `users are imported with their attributes`() throws {
        let job = try shop.importText("USER_ID,AGE\na,30\nb,\n", as: .users)
        #expect(job.status == .active, "\(job.failureReason ?? "")")
        #expect(try shop.rows("SELECT attributes::text FROM user_record ORDER BY user_id") == ["{\"AGE\": 30}", "{}"])
    }

    @Test func `an s3 location that leads to a folder is read file by file, and needs 1000 interactions`() throws {
        let folder = shop.environment.settings.uploadFolder + "/bucket"
        try FileManager.default.createDirectory(atPath: folder + "/data", withIntermediateDirectories: true)
        try Data((Shop.header + "a,x,1,View,\nbad\n").utf8).write(to: URL(filePath: folder + "/data/1.csv"))
        try Data(GzipDeflater.deflate(Array(Shop.tastes().utf8))).write(to: URL(filePath: folder + "/data/2.csv.gz"))
        let environment = shop.environment.mapping(bucket: "my-bucket", to: folder)
        func importing(_ location: String, _ name: String) throws -> DatasetImportJob {
            _ = try environment.createDatasetImportJob(
                CreateDatasetImportJobInput(
                    jobName: name, datasetARN: shop.arn(.dataset, "shop/INTERACTIONS"), source: .location(location)), by: .system)
            JobWorker(environment).runAvailable()
            return try environment.describeDatasetImportJob(arn: shop.arn(.datasetImportJob, name), by: .system)
        }
        let whole = try importing("s3://my-bucket/data/", "whole")
        #expect(whole.status == .active, "\(whole.failureReason ?? "")")
        #expect((whole.rowsAccepted, whole.rowsRejected) == (1801, 1))
        #expect(try environment.listImportRowErrors(of: whole, by: .system).first?.reason.contains("data/1.csv line 3") == true)
        let small = try importing("s3://my-bucket/data/1.csv", "small")
        #expect(small.failureReason == "Interactions imports need at least 1000 records, but the input has 1 valid ones.")
        #expect(try importing("s3://my-bucket/none.csv", "none").failureReason?.contains("NoSuchKey") == true)
        #expect(try importing("s3://other-bucket/none.csv", "other").failureReason?.contains("NoSuchBucket") == true)
        #expect(try shop.interactions().count == 1801)
    }

    @Test func `a cancelled import stores nothing`() throws {
        try shop.upload("late.csv", Array((Shop.header + "a,x,1,View,\n").utf8))
        _ = try shop.environment.createDatasetImportJob(
            CreateDatasetImportJobInput(
                jobName: "late", datasetARN: shop.arn(.dataset, "shop/INTERACTIONS"),
                source: .upload(fileName: "late.csv", format: .csv, columnMapping: nil)), by: .system)
        let job = try #require(try shop.environment.listJobs(states: [.available], by: .system).first)
        _ = try shop.environment.cancelJob(id: job.id, by: .system)
        shop.runJobs()
        let ended = try shop.environment.describeDatasetImportJob(arn: shop.arn(.datasetImportJob, "late"), by: .system)
        #expect(ended.status == .createFailed)
        #expect(ended.failureReason == "The import was cancelled.")
    }
}

extension Environment {
    fileprivate func mapping(bucket: String, to folder: String) -> Environment {
        var settings = settings
        settings.bucketFolders[bucket] = folder
        return Environment(
            database: database, installation: installation, sealer: sealer, artifacts: artifacts, settings: settings, now: now)
    }
}
