import JSON
import Postgres
import Support
import Tastemaker

/// A database with an environment, and short ways to the resources that most tests begin with.
struct ControlFixture {
    let database: TestDatabase
    let clock = TestClock()
    let environment: Environment
    let caller = Caller(.accessKey(id: "TMAKTEST"), region: "eu-west-1")

    init() throws {
        database = try TestDatabase.make()
        environment = try Environment.test(database, clock: clock)
    }

    static let interactions = """
        {"type":"record","name":"Interactions","namespace":"com.amazonaws.personalize.schema","fields":[
        {"name":"USER_ID","type":"string"},{"name":"ITEM_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},
        {"name":"TIMESTAMP","type":"long"}],"version":"1.0"}
        """
    static let items = """
        {"type":"record","name":"Items","namespace":"com.amazonaws.personalize.schema","fields":[
        {"name":"ITEM_ID","type":"string"},{"name":"GENRE","type":["null","string"],"categorical":true},
        {"name":"PRICE","type":["float","null"]},{"name":"TEXT","type":"string","textual":true}],"version":"1.0"}
        """

    func arn(_ resource: String) -> String { "arn:aws:personalize:eu-west-1:123456789012:\(resource)" }

    func makeGroup(_ name: String = "shop", domain: String? = nil) throws -> DatasetGroup {
        try environment.createDatasetGroup(CreateDatasetGroupInput(name: name, domain: domain), by: caller)
    }

    @discardableResult
    func makeSchema(_ name: String, _ body: String = interactions, domain: String? = nil) throws -> DatasetSchema {
        try environment.createSchema(CreateSchemaInput(name: name, body: body, domain: domain), by: caller)
    }

    @discardableResult
    func makeDataset(_ type: String = "Interactions", schema: String = "interactions", group: String = "shop") throws -> Dataset {
        try environment.createDataset(
            CreateDatasetInput(
                name: "\(group)-\(type)", schemaARN: arn("schema/\(schema)"), datasetGroupARN: arn("dataset-group/\(group)"),
                datasetType: type),
            by: caller)
    }

    /// Group `shop` with Interactions and Items.
    func makeShop() throws {
        _ = try makeGroup()
        try makeSchema("interactions")
        try makeSchema("items", ControlFixture.items)
        try makeDataset()
        try makeDataset("Items", schema: "items")
    }

    func makeSolution(_ name: String = "sol", recipe: String = "aws-user-personalization", config: JSONValue? = nil) throws -> Solution {
        try environment.createSolution(
            CreateSolutionInput(
                name: name, datasetGroupARN: arn("dataset-group/shop"), recipeARN: "arn:aws:personalize:::recipe/\(recipe)", config: config),
            by: caller)
    }

    func makeVersion(of solution: String = "sol", name: String? = nil, mode: String? = nil) throws -> SolutionVersion {
        try environment.createSolutionVersion(
            CreateSolutionVersionInput(solutionARN: arn("solution/\(solution)"), name: name, trainingMode: mode), by: caller)
    }

    /// What the training would do at its end.
    func settle(_ version: SolutionVersion, _ status: String = "ACTIVE") throws {
        try environment.change { connection in
            _ = try connection.execute(
                """
                UPDATE solution_version
                SET status = \(status), training_hours = 0.0123, metrics = '{"coverage": 0.25, "precision_at_5": 0.123456}'
                WHERE id = \(version.id)
                """)
        }
    }

    func makeActiveVersion(of solution: String = "sol") throws -> SolutionVersion {
        let version = try makeVersion(of: solution)
        try settle(version)
        return version
    }

    func makeCampaign(_ name: String = "camp", version: String, config: JSONValue? = nil) throws -> Campaign {
        try environment.createCampaign(
            CreateCampaignInput(name: name, solutionVersionARN: arn("solution/\(version)"), config: config), by: caller)
    }

    func makeFilter(_ name: String, _ expression: String, group: String = "shop") throws -> Filter {
        try environment.createFilter(
            CreateFilterInput(name: name, datasetGroupARN: arn("dataset-group/\(group)"), expression: expression), by: caller)
    }

    func makeImport(_ name: String, mode: String? = nil, location: String = "s3://bucket/file.csv") throws -> DatasetImportJob {
        try environment.createDatasetImportJob(
            CreateDatasetImportJobInput(
                jobName: name, datasetARN: arn("dataset/shop/INTERACTIONS"), source: .location(location), importMode: mode),
            by: caller)
    }

    func settleImports() throws {
        _ = try environment.change { try $0.execute("UPDATE dataset_import_job SET status = 'ACTIVE'") }
    }

    func count(_ sql: SQL) throws -> Int64 {
        try environment.read { try $0.query(sql).first?.int64(0) ?? -1 }
    }
}

/// What kind of refusal an operation met, without its words.
enum Refusal: Equatable {
    case none, invalidInput, notFound, alreadyExists, inUse, limitExceeded, invalidNextToken, tooManyTags, tooManyTagKeys, accessDenied
    case unavailable

    init<T>(of body: () throws -> T) {
        do {
            _ = try body()
            self = .none
        } catch {
            switch OperationError(error) {
            case .invalidInput: self = .invalidInput
            case .notFound: self = .notFound
            case .alreadyExists: self = .alreadyExists
            case .inUse: self = .inUse
            case .limitExceeded: self = .limitExceeded
            case .invalidNextToken: self = .invalidNextToken
            case .tooManyTags: self = .tooManyTags
            case .tooManyTagKeys: self = .tooManyTagKeys
            case .accessDenied: self = .accessDenied
            default: self = .unavailable
            }
        }
    }
}
