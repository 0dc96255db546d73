import Postgres
import Support
import Tastemaker
import Testing

struct ImportJobTests {
    let fixture: ControlFixture

    init() throws {
        fixture = try ControlFixture()
        try fixture.makeShop()
    }

    @Test func `an import waits with its job in the queue`() throws {
        let job = try fixture.makeImport("first")
        #expect(job.status == .createPending)
        #expect(job.importMode == .full)
        #expect(
            try fixture.count(
                "SELECT count(*) FROM job WHERE kind = 'import-dataset' AND payload = jsonb_build_object('importJobID', \(job.id))") == 1)
    }

    @Test func `an incremental import needs a full one before it`() throws {
        #expect(Refusal { try fixture.makeImport("more", mode: "INCREMENTAL") } == .invalidInput)
        _ = try fixture.makeImport("first")
        #expect(Refusal { try fixture.makeImport("more", mode: "INCREMENTAL") } == .invalidInput)
        try fixture.settleImports()
        #expect(Refusal { try fixture.makeImport("more", mode: "INCREMENTAL") } == .none)
    }

    @Test func `the sixth unfinished import is refused in the contract's words`() throws {
        for index in 1...5 { _ = try fixture.makeImport("job-\(index)") }
        #expect(throws: OperationError.limitExceeded("More than 5 resources with PENDING or IN_PROGRESS status.")) {
            try fixture.makeImport("job-6")
        }
        try fixture.settleImports()
        #expect(Refusal { try fixture.makeImport("job-6") } == .none)
    }

    @Test func `names of import jobs are unique`() throws {
        _ = try fixture.makeImport("first")
        #expect(Refusal { try fixture.makeImport("first") } == .alreadyExists)
    }

    @Test(arguments: [
        "bucket/file.csv", "s3://", "ftp://a/b", "https://example.com/a.csv", "upload:secret.csv",
        "s3://" + String(repeating: "a", count: 252),
    ])
    func `a location that is not in a bucket is refused`(location: String) {
        #expect(Refusal { try fixture.makeImport("first", location: location) } == .invalidInput)
    }

    @Test(arguments: ["../etc/passwd", "", ".hidden", "a/b"])
    func `the name of an upload cannot leave its folder`(name: String) {
        #expect(
            Refusal {
                try fixture.environment.createDatasetImportJob(
                    CreateDatasetImportJobInput(
                        jobName: "up", datasetARN: fixture.arn("dataset/shop/ITEMS"),
                        source: .upload(fileName: name, format: .csv, columnMapping: nil)),
                    by: fixture.caller)
            } == .invalidInput)
    }

    @Test func `imports are listed by dataset`() throws {
        _ = try fixture.makeImport("first")
        let request = try PageRequest()
        #expect(
            try fixture.environment.listDatasetImportJobs(datasetARN: fixture.arn("dataset/shop/INTERACTIONS"), request, by: fixture.caller)
                .items.count == 1)
        #expect(
            try fixture.environment.listDatasetImportJobs(datasetARN: fixture.arn("dataset/shop/ITEMS"), request, by: fixture.caller).items
                .isEmpty)
    }
}
