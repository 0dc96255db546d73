import Foundation
import JSON
import Postgres
import Storage
import Support
import Testing

@testable import Tastemaker

@Suite struct UploadTests {
    let shop: Shop

    init() throws { shop = try Shop() }

    private func feed(items: Int, ending: String = "</channel></rss>") -> String {
        var text = """
            <?xml version="1.0"?><rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
            """
        for item in 0..<items {
            text += """
                <item><g:id>P-\(item)</g:id><g:title>Mug &amp; spoon \(item)</g:title><g:link>https://shop.example/p\(item)</g:link>
                <g:image_link>https://shop.example/p\(item).jpg</g:image_link><g:price>\(item == 7 ? "cheap" : "\(item).50 EUR")</g:price>
                <g:brand>Potter</g:brand><g:product_type>Home &gt; Kitchen</g:product_type></item>

                """
        }
        return text + ending
    }

    @Test func `MovieLens' layout becomes a group with datasets, imports and display columns`() throws {
        var ratings = "userId,movieId,rating,timestamp\n"
        for row in 0..<1200 { ratings += "\(row % 40 + 1),\(row % 97 + 1),\(Double(row % 10 + 1) / 2),\(964_982_703 + row * 60)\n" }
        var movies = "movieId,title,genres\n"
        for movie in 1...97 { movies += "\(movie),\"Film, The (19\(movie % 90 + 10))\",Comedy|Drama\n" }
        try shop.upload("ratings.csv", GzipDeflater.deflate(Array(ratings.utf8)))
        try shop.upload("movies.csv", Array(movies.utf8))
        let preview = try shop.environment.previewUpload(fileName: "ratings.csv", by: .system)
        #expect(preview.type == .interactions)
        #expect(preview.problem == nil)
        #expect(preview.rowHeader == ["USER_ID", "ITEM_ID", "EVENT_VALUE", "TIMESTAMP"])
        #expect(preview.rows.first == ["1", "1", "0.5", "964982703"])
        #expect(preview.rows.count == 10)
        let jobs = try shop.environment.confirmUploads(fileNames: ["ratings.csv", "movies.csv"], groupName: "films", by: .system)
        #expect(jobs.map(\.dataset.type) == [.items, .interactions])
        shop.runJobs()
        for job in jobs {
            let ended = try shop.environment.describeDatasetImportJob(arn: shop.arn(.datasetImportJob, job.name), by: .system)
            #expect(ended.status == .active, "\(ended.failureReason ?? "")")
            #expect(ended.rowsAccepted == (job.dataset.type == .items ? 97 : 1200))
        }
        let group = try shop.environment.describeDatasetGroup(arn: shop.arn(.datasetGroup, "films"), by: .system)
        #expect(group.displayColumns.title == "TITLE")
        #expect(group.displayColumns.category == "GENRES")
        #expect(
            try shop.rows("SELECT attributes ->> 'GENRES' FROM item_record WHERE dataset_group_id = \(group.id) LIMIT 1") == [
                "Comedy|Drama"
            ])
    }

    @Test func `actions and responses become datasets of a new group, and more of them are added`() throws {
        let responses = "u,a,Taken,1700000000\nu,b,Ignored,1700000001\nv,a,viewed,1700000002\n"
        try shop.upload("responses.csv", Array(("USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\n" + responses).utf8))
        try shop.upload("actions.csv", Array("ACTION_ID,KIND,VALUE\na,app,\nb,plan,9\n".utf8))
        let jobs = try shop.environment.confirmUploads(fileNames: ["responses.csv", "actions.csv"], groupName: "offers", by: .system)
        #expect(jobs.map(\.dataset.type) == [.actions, .actionInteractions])
        shop.runJobs()
        let ended = try jobs.map { try shop.environment.describeDatasetImportJob(arn: shop.arn(.datasetImportJob, $0.name), by: .system) }
        #expect(ended.map(\.status) == [.active, .active], "\(ended.map(\.failureReason))")
        #expect(ended.map(\.rowsAccepted) == [2, 2] && ended.map(\.rowsRejected) == [0, 1])
        #expect(try shop.rows("SELECT attributes ->> 'KIND' FROM action_record ORDER BY 1") == ["app", "plan"])
        try shop.upload("more.csv", Array("ACTION_ID,KIND,VALUE\nc,app,2\n".utf8))
        _ = try shop.environment.confirmUploads(fileNames: ["more.csv"], groupName: "offers", mode: .incremental, by: .system)
        shop.runJobs()
        #expect(try shop.count("SELECT count(*) FROM action_record") == 3)
    }

    @Test func `a feed of 2,000 items is imported, and its broken item listed`() throws {
        try shop.upload("feed.xml", Array(feed(items: 2000).utf8))
        let preview = try shop.environment.previewUpload(fileName: "feed.xml", by: .system)
        #expect(preview.format == .merchantFeed)
        #expect(preview.rows.first?.first == "P-0")
        #expect(preview.rejected.count == 1)
        let job = try #require(try shop.environment.confirmUploads(fileNames: ["feed.xml"], groupName: "mugs", by: .system).first)
        shop.runJobs()
        let ended = try shop.environment.describeDatasetImportJob(arn: shop.arn(.datasetImportJob, job.name), by: .system)
        #expect(ended.status == .active, "\(ended.failureReason ?? "")")
        #expect((ended.rowsAccepted, ended.rowsRejected) == (1999, 1))
        #expect(try shop.environment.listImportRowErrors(of: ended, by: .system).first?.reason.contains("is not a price") == true)
        let group = try shop.environment.describeDatasetGroup(arn: shop.arn(.datasetGroup, "mugs"), by: .system)
        #expect((group.displayColumns.image, group.currency) == ("IMAGE_LINK", "EUR"))
        // A second, shorter feed replaces the first.
        try shop.upload("again.xml", Array(feed(items: 5).utf8))
        _ = try shop.environment.confirmUploads(fileNames: ["again.xml"], groupName: "mugs", allowsWithdrawal: true, by: .system)
        shop.runJobs()
        #expect(try shop.count("SELECT count(*) FROM item_record") == 5)
    }

    @Test func `a feed without a fifth of the items changes nothing until that is confirmed`() throws {
        func load(_ items: Int, allowsWithdrawal: Bool = false) throws -> DatasetImportJob {
            let name = "feed-\(items)-\(allowsWithdrawal).xml"
            try shop.upload(name, Array(feed(items: items).utf8))
            let jobs = try shop.environment.confirmUploads(
                fileNames: [name], groupName: "mugs", allowsWithdrawal: allowsWithdrawal, by: .system)
            shop.runJobs()
            return try shop.environment.describeDatasetImportJob(
                arn: shop.arn(.datasetImportJob, try #require(jobs.first).name), by: .system)
        }
        // The eighth is broken in every version.
        #expect(try load(101).status == .active)
        #expect(try load(81).status == .active)
        let refused = try load(64)
        #expect(refused.status == .createFailed)
        #expect(refused.failureReason?.contains("leaves out 17 of 80 items") == true)
        #expect(try shop.count("SELECT count(*) FROM item_record") == 80)
        #expect(try load(64, allowsWithdrawal: true).status == .active)
        #expect(try shop.count("SELECT count(*) FROM item_record") == 63)
    }

    @Test func `an item whose content is the same keeps its revision`() throws {
        func load(_ text: String) throws {
            #expect(try shop.importText("ITEM_ID,TITLE,PRICE,CREATION_TIMESTAMP\n" + text, as: .items).status == .active)
        }
        func revisions() throws -> [String: Int64] {
            let rows = try shop.environment.read { connection in
                try connection.query(
                    "SELECT k.external_id, r.revision FROM item_record r JOIN item_key k ON k.dataset_group_id = r.dataset_group_id AND k.id = r.item_id"
                ).map { (try $0.string(0), try $0.int64(1)) }
            }
            return Dictionary(uniqueKeysWithValues: rows)
        }
        try load("a,Mug,1,10\nb,Pot,2,\nc,Pan,3,30\n")
        let first = try revisions()
        try load("a,Mug,1,10\nb,Pot,2.5,\nd,Jar,4,40\n")
        let second = try revisions()
        #expect(Set(second.keys) == ["a", "b", "d"])
        #expect(second["a"] == first["a"])
        #expect(try #require(second["b"]) > #require(first["b"]))
        #expect(try shop.rows("SELECT attributes ->> 'TITLE' FROM item_record ORDER BY 1") == ["Jar", "Mug", "Pot"])
    }

    @Test func `a confirmation that fails in the middle leaves nothing behind`() throws {
        try shop.execute(
            """
            INSERT INTO dataset_import_job (name, dataset_id, data_location, status)
            SELECT 'waiting-' || n, (SELECT min(id) FROM dataset), 's3://b/f', 'CREATE PENDING' FROM generate_series(1, 4) n
            """)
        let schemas = try shop.count("SELECT count(*) FROM schema")
        try shop.upload("feed.xml", Array(feed(items: 10).utf8))
        try shop.upload("ratings.csv", Array("userId,movieId,rating,timestamp\n1,2,3.5,964982703\n".utf8))
        #expect(throws: OperationError.self) {
            try shop.environment.confirmUploads(fileNames: ["feed.xml", "ratings.csv"], groupName: "half", by: .system)
        }
        #expect(try shop.count("SELECT count(*) FROM dataset_group WHERE name = 'half'") == 0)
        #expect(try shop.count("SELECT count(*) FROM schema") == schemas)
        #expect(try shop.count("SELECT count(*) FROM dataset_import_job") == 4)
        #expect(try shop.count("SELECT count(*) FROM job WHERE kind = 'import-dataset'") == 0)
    }

    @Test func `an upload that nobody confirms for a day is removed, one that was imported stays`() throws {
        try shop.upload("feed.xml", Array(feed(items: 10).utf8))
        _ = try shop.environment.confirmUploads(fileNames: ["feed.xml"], groupName: "mugs", by: .system)
        shop.runJobs()
        let folder = shop.environment.settings.uploadFolder
        func age(_ name: String, hours: Double) throws {
            try shop.upload(name, [0x61])
            let time = Date(timeIntervalSince1970: Double(shop.clock.now.microseconds) / 1e6 - hours * 3600)
            try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: folder + "/" + name)
        }
        try age("forgotten.csv", hours: 25)
        try age("today.csv", hours: 23)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 0)], ofItemAtPath: folder + "/feed.xml")
        try shop.environment.removeForgottenUploads()
        let left = Set(try FileManager.default.contentsOfDirectory(atPath: folder))
        #expect(left.isSuperset(of: ["feed.xml", "today.csv"]) && !left.contains("forgotten.csv"))
    }

    @Test func `a truncated feed fails whole`() throws {
        try shop.upload("cut.xml", Array(feed(items: 2000, ending: "<item><g:id>X").utf8))
        let job = try #require(try shop.environment.confirmUploads(fileNames: ["cut.xml"], groupName: "mugs", by: .system).first)
        shop.runJobs()
        let ended = try shop.environment.describeDatasetImportJob(arn: shop.arn(.datasetImportJob, job.name), by: .system)
        #expect(ended.status == .createFailed)
        #expect(try shop.count("SELECT count(*) FROM item_record") == 0)
    }

    @Test func `an entity bomb is refused before anything is made`() throws {
        try shop.upload("bomb.xml", Array("<!DOCTYPE rss [<!ENTITY a \"b\">]><rss><channel>&a;</channel></rss>".utf8))
        #expect(throws: OperationError.self) {
            try shop.environment.confirmUploads(fileNames: ["bomb.xml"], groupName: "bombs", by: .system)
        }
        #expect(try shop.count("SELECT count(*) FROM dataset_group WHERE name = 'bombs'") == 0)
    }

    @Test func `a file that the group's schema needs more of is refused`() throws {
        try shop.upload("few.csv", Array("userId,movieId,timestamp\n1,2,964982703\n".utf8))
        #expect(
            throws: OperationError.invalidInput("few.csv has no column for EVENT_TYPE, EVENT_VALUE of the dataset's schema.", field: "file")
        ) {
            try shop.environment.confirmUploads(fileNames: ["few.csv"], groupName: "shop", by: .system)
        }
    }

    @Test func `a preview shows what a dataset that is there takes of the file`() throws {
        try shop.upload("first.csv", Array("ITEM_ID,TITLE,GENRE\ni1,One,a\ni2,Two,b\ni3,Three,a\n".utf8))
        _ = try shop.environment.confirmUploads(fileNames: ["first.csv"], groupName: "books", by: .system)
        try shop.upload("second.csv", Array("ITEM_ID,TITLE,GENRE,PRICE\ni1,One,a,3.5\ni2,Two,b,4\ni3,Three,a,5\n".utf8))
        let preview = try shop.environment.previewUpload(fileName: "second.csv", groupName: "books", by: .system)
        #expect(preview.rowHeader == ["ITEM_ID", "TITLE", "GENRE"] && preview.rows.first == ["i1", "One", "a"])
        #expect(preview.schemaText == nil && preview.problem == nil)
        let left = try #require(preview.columns.first { $0.header == "PRICE" })
        #expect(left.name == nil && left.reason == "The dataset has a schema already, and PRICE is not in it.")
        try shop.upload("third.csv", Array("ITEM_ID,TITLE\ni1,One\ni2,Two\n".utf8))
        let short = try shop.environment.previewUpload(fileName: "third.csv", groupName: "books", by: .system)
        #expect(short.problem == "The file has no column for GENRE of the dataset's schema.")
        let elsewhere = try shop.environment.previewUpload(fileName: "second.csv", groupName: "new-books", by: .system)
        #expect(elsewhere.rowHeader.contains("PRICE") && elsewhere.schemaText != nil)
    }

    @Test func `a file of which no row can be read is not offered for import`() throws {
        try shop.upload("open.csv", Array("ITEM_ID,TITLE\ni1,\"One\ni2,Two\n".utf8))
        let preview = try shop.environment.previewUpload(fileName: "open.csv", groupName: "books", by: .system)
        #expect(preview.problem == "No row can be read: there is none beside the header, or a quotation mark is left open.")
    }

    @Test(arguments: ["../secret.key", "", ".hidden", "a/b"]) func `only files of the upload folder are read`(_ name: String) {
        #expect(throws: OperationError.invalidInput("'\(name)' is not the name of an upload.", field: "file")) {
            try shop.environment.previewUpload(fileName: name, by: .system)
        }
    }

    @Test func `a name for an upload holds no path and no blank`() {
        let name = shop.environment.uploadName(for: "C:\\data/my file é.csv")
        #expect(name.dropFirst(8) == "-my_file___.csv")
    }
}
