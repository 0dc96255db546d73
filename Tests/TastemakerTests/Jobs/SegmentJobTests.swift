import Foundation
import JSON
import Support
import Testing

@testable import Tastemaker

/// Batch segment jobs from the operation to the files in the store.
@Suite struct SegmentJobTests {
    private let shop: Shop
    private let environment: Environment
    private let folder: String
    private static let role = "arn:aws:iam::123456789012:role/r"

    init() throws {
        shop = try Shop()
        folder = try TestFolder.make("segments")
        var settings = shop.environment.settings
        settings.bucketFolders["segments"] = folder
        let plain = shop.environment
        environment = Environment(
            database: plain.database, installation: plain.installation, sealer: plain.sealer, artifacts: plain.artifacts,
            settings: settings,
            now: plain.now)
        try FileManager.default.createDirectory(atPath: folder + "/in", withIntermediateDirectories: true)
    }

    /// The solution `segments`, trained on two tastes.
    private func train(_ recipe: String = "aws-item-affinity") throws -> SolutionVersion {
        try shop.importText(Shop.tastes())
        _ = try environment.createSolution(
            CreateSolutionInput(
                name: "segments", datasetGroupARN: shop.arn(.datasetGroup, "shop"), recipeARN: shop.arn(.recipe, recipe)), by: .system)
        let version = try environment.createSolutionVersion(
            CreateSolutionVersionInput(solutionARN: shop.arn(.solution, "segments")), by: .system)
        JobWorker(environment).runAvailable()
        let trained = try environment.describeSolutionVersion(arn: shop.arn(.solution, version.path), by: .system)
        try #require(trained.status == .active, "\(trained.failureReason ?? "")")
        return trained
    }

    private func write(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: URL(filePath: folder + "/" + name)) }

    private func input(_ version: SolutionVersion, _ name: String, from path: String, users: Int? = nil) -> CreateBatchSegmentJobInput {
        CreateBatchSegmentJobInput(
            jobName: name, solutionVersionARN: shop.arn(.solution, version.path), userCount: users,
            input: ["s3DataSource": ["path": .string(path)]], output: ["s3DataDestination": ["path": "s3://segments/out/"]],
            roleARN: Self.role)
    }

    private func run(_ input: CreateBatchSegmentJobInput) throws -> BatchSegmentJob {
        let job = try environment.createBatchSegmentJob(input, by: .system)
        #expect(job.status == .createPending)
        JobWorker(environment).runAvailable()
        return try environment.describeBatchSegmentJob(arn: shop.arn(.batchSegmentJob, job.name), by: .system)
    }

    private func lines(_ name: String) throws -> [JSONValue] {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: folder + "/out/" + name)))
        return try bytes.split(separator: 0x0A).map { try JSONValue(parsing: $0) }
    }

    @Test func `every line of every file is answered with the users of its taste, or with what is wrong`() throws {
        let version = try train()
        #expect(version.metrics.contains { $0.name == "recall_at_1_percent" })
        try write("in/a.json", "{\"itemId\":\"i4\"}\n{\"itemId\":\"nobody's\"}\n\nno json\n{\"itemId\":\"i7\"}\n")
        try write("in/b.jsonl", "{\"other\":1}\n{\"itemId\":\"i10\"}")
        let job = try run(input(version, "both", from: "s3://segments/in/", users: 12))
        try #require(job.status == .active, "\(job.failureReason ?? "")")
        let first = try lines("a.json.out")
        try #require(first.count == 4)
        for (line, parity) in [(first[0], 0), (first[3], 1)] {
            let users = try #require(line["output"]?["recommendedUsers"]?.arrayValue).compactMap(\.stringValue)
            #expect(users.count == 12)
            #expect(users.allSatisfy { Int($0.dropFirst()).map { $0 % 2 } == parity })
            #expect(line["error"] == nil)
        }
        #expect(first[0]["input"]?["itemId"]?.stringValue == "i4")
        #expect(first[1]["error"]?.stringValue == "The model was not trained on this item.")
        #expect(first[1].objectValue?["output"]?.isNull == true)
        #expect(first[2]["input"]?.stringValue == "no json")
        let second = try lines("b.jsonl.out")
        #expect(second.map { $0["error"] == nil } == [false, true])
        let left = try FileManager.default.contentsOfDirectory(atPath: environment.settings.uploadFolder)
        #expect(!left.contains { $0.hasPrefix("segments-") })
    }

    private func makeFilter(_ name: String, _ expression: String) throws {
        _ = try environment.createFilter(
            CreateFilterInput(name: name, datasetGroupARN: shop.arn(.datasetGroup, "shop"), expression: expression), by: .system)
    }

    @Test func `a filter of users acts on every segment, with each line's own values`() throws {
        let version = try train()
        try shop.importText("USER_ID,AGE\n" + (0..<59).map { "u\($0),\(20 + $0)\n" }.joined(), as: .users)
        try makeFilter("young", "INCLUDE UserID WHERE Users.AGE < $LIMIT")
        let query = #"{"itemId":"i4","filterValues":{"LIMIT":"#
        try write("in/ages.json", "\(query)\"30\"}}\n\(query)\"25\"}}\n{\"itemId\":\"i4\"}\n\(query)\"many\"}}\n\(query)7}}\n")
        var new = input(version, "young", from: "s3://segments/in/ages.json", users: 100)
        new.filterARN = shop.arn(.filter, "young")
        let job = try run(new)
        try #require(job.status == .active, "\(job.failureReason ?? "")")
        #expect(job.filterName == "young")
        let answers = try lines("ages.json.out")
        func users(_ line: Int) -> Set<String>? {
            (answers[line]["output"]?["recommendedUsers"]?.arrayValue).map { Set($0.compactMap(\.stringValue)) }
        }
        #expect(users(0) == Set((0..<10).map { "u\($0)" }))
        #expect(users(1) == Set((0..<5).map { "u\($0)" }))
        #expect(answers[2]["error"]?.stringValue?.contains("needs a value for the parameter LIMIT") == true)
        #expect(answers[3]["error"] != nil && users(3) == nil)
        #expect(answers[4]["error"]?.stringValue == "filterValues.LIMIT is not a text.")
    }

    @Test func `who ever had such an event is left out, and a filter that goes away later changes nothing`() throws {
        let version = try train()
        try shop.importText(Shop.header + "u6,i4,1700500000,Return,\nu7,i9,1700500000,return,\n", mode: .incremental)
        try makeFilter("returned", "EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ($T)")
        try write("in/r.json", #"{"itemId":"i4","filterValues":{"T":"\"Return\""}}"# + "\n{\"itemId\":\"i4\"}\n")
        var new = input(version, "returned", from: "s3://segments/in/r.json", users: 100)
        new.filterARN = shop.arn(.filter, "returned")
        let made = try environment.createBatchSegmentJob(new, by: .system)
        try environment.deleteFilter(arn: shop.arn(.filter, "returned"), by: .system)
        JobWorker(environment).runAvailable()
        let job = try environment.describeBatchSegmentJob(arn: shop.arn(.batchSegmentJob, made.name), by: .system)
        try #require(job.status == .active, "\(job.failureReason ?? "")")
        let answers = try lines("r.json.out").map { line in
            Set((line["output"]?["recommendedUsers"]?.arrayValue ?? []).compactMap(\.stringValue))
        }
        #expect(answers[1].count == 60)
        #expect(answers[1].subtracting(answers[0]) == ["u6", "u7"])
    }

    @Test func `a filter on interactions is refused where segments are made of attributes`() throws {
        let items = (0..<40).map { "i\($0),,\($0 % 4),\n" }.joined()
        try shop.importText("ITEM_ID,TITLE,PRICE,CREATION_TIMESTAMP\n" + items, as: .items)
        let version = try train("aws-item-attribute-affinity")
        try makeFilter("returned", "EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN (\"Return\")")
        var new = input(version, "x", from: "s3://segments/in/x.json")
        new.filterARN = shop.arn(.filter, "returned")
        #expect(
            throws: OperationError.invalidInput(
                "Filters on Interactions are not for the recipe aws-item-attribute-affinity.", field: "filterArn")
        ) { try environment.createBatchSegmentJob(new, by: .system) }
    }

    @Test func `an erased user is in no segment any more`() throws {
        let version = try train()
        try write("in/all.json", "{\"itemId\":\"i4\"}\n")
        let before = try run(input(version, "before", from: "s3://segments/in/all.json", users: 100))
        try #require(before.status == .active, "\(before.failureReason ?? "")")
        #expect(try lines("all.json.out").first?["output"]?["recommendedUsers"]?.arrayValue?.count == 60)
        _ = try environment.eraseUser("u6", datasetGroupID: shop.group.id, by: .system)
        let after = try run(input(version, "after", from: "s3://segments/in/all.json", users: 100))
        try #require(after.status == .active, "\(after.failureReason ?? "")")
        let users = try #require(try lines("all.json.out").first?["output"]?["recommendedUsers"]?.arrayValue)
        #expect(users.count == 59)
        #expect(!users.contains { $0.stringValue == "u6" })
    }

    @Test func `too many queries, none, and a missing file fail the job in words`() throws {
        let version = try train()
        try write("in/many.json", String(repeating: "{\"itemId\":\"i4\"}\n", count: 501))
        try write("in/none.json", "\n")
        for (name, reason) in [
            ("many", "The input has 501 queries; a batch segment job takes at most 500."), ("none", "The input has no queries."),
            ("missing", "NoSuchKey: there is no object in/missing.json"),
        ] {
            let job = try run(input(version, name, from: "s3://segments/in/\(name).json"))
            #expect(job.status == .createFailed)
            #expect(job.failureReason == reason)
        }
    }

    @Test func `what cannot become a job is refused at once`() throws {
        let version = try train()
        let good = input(version, "good", from: "s3://segments/in/x.json")
        func refused(_ change: (inout CreateBatchSegmentJobInput) -> Void) {
            var input = good
            change(&input)
            #expect(throws: OperationError.self) { try environment.createBatchSegmentJob(input, by: .system) }
        }
        refused { $0.jobName = "-bad" }
        refused { $0.userCount = 0 }
        refused { $0.userCount = 5_000_001 }
        refused { $0.input = ["s3DataSource": ["path": "https://example.org/x"]] }
        refused { $0.output = [:] }
        refused { $0.filterARN = shop.arn(.filter, "f") }
        try makeFilter("items", "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (\"*\")")
        refused { $0.filterARN = shop.arn(.filter, "items") }
        refused { $0.solutionVersionARN = shop.arn(.solution, "segments/00000000") }
        for number in 0..<5 {
            var input = good
            input.jobName = "good-\(number)"
            _ = try environment.createBatchSegmentJob(input, by: .system)
        }
        #expect(throws: OperationError.limitExceeded("More than 5 resources with PENDING or IN_PROGRESS status.")) {
            try environment.createBatchSegmentJob(good, by: .system)
        }
        let listed = try environment.listBatchSegmentJobs(
            solutionVersionARN: shop.arn(.solution, version.path), PageRequest(), by: .system
        ).items
        #expect(listed.map(\.name) == (0..<5).reversed().map { "good-\($0)" })
    }

    @Test func `a segmentation is not deployed, and a recommender makes no segments`() throws {
        let version = try train()
        let campaign = CreateCampaignInput(name: "c", solutionVersionARN: shop.arn(.solution, version.path))
        #expect(throws: OperationError.self) { try environment.createCampaign(campaign, by: .system) }
        _ = try environment.createSolution(
            CreateSolutionInput(
                name: "plain", datasetGroupARN: shop.arn(.datasetGroup, "shop"), recipeARN: shop.arn(.recipe, "aws-popularity-count")),
            by: .system)
        let plain = try environment.createSolutionVersion(
            CreateSolutionVersionInput(solutionARN: shop.arn(.solution, "plain")), by: .system)
        JobWorker(environment).runAvailable()
        #expect(throws: OperationError.self) {
            try environment.createBatchSegmentJob(input(plain, "x", from: "s3://segments/in/x.json"), by: .system)
        }
    }
}
