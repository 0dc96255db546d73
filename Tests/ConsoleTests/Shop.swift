import JSON
import Postgres
import Support
import Testing

@testable import Console
@testable import Tastemaker

/// A dataset group with one of everything, made by operations; only the trained version is put in by hand.
struct Shop {
    let site: ConsoleSite
    let group: DatasetGroup
    let version: String
    let tracker: EventTracker

    /// A title that attacks every place where it is shown: an element, an attribute, a combining mark after a quote.
    static let hostileTitle = "<script>alert(1)</script> \"\u{301} onload='x' & {{title}}"

    init(site: ConsoleSite, group name: String = "shop") throws {
        self.site = site
        let environment = site.environment
        let made = try site.group(name)
        let arn = { ResourceARN(kind: $0, path: $1).text(region: "us-east-1", account: "123456789012") }
        try environment.updateDatasetGroupDisplay(
            id: made.id, columns: DisplayColumns(title: "TITLE", link: "LINK", image: "IMAGE", price: "PRICE", category: "CATEGORY"),
            timeZone: "Europe/Berlin", currency: "EUR", by: .system)
        let items = """
            {"type":"record","name":"Items","namespace":"com.amazonaws.personalize.schema","version":"1.0","fields":[
            {"name":"ITEM_ID","type":"string"},{"name":"TITLE","type":"string"},{"name":"LINK","type":"string"},
            {"name":"IMAGE","type":"string"},{"name":"PRICE","type":"float"},{"name":"CATEGORY","type":"string","categorical":true}]}
            """
        let interactions = """
            {"type":"record","name":"Interactions","namespace":"com.amazonaws.personalize.schema","version":"1.0","fields":[
            {"name":"USER_ID","type":"string"},{"name":"ITEM_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},
            {"name":"TIMESTAMP","type":"long"}]}
            """
        _ = try environment.createSchema(CreateSchemaInput(name: "my-schema", body: items), by: .system)
        _ = try environment.createSchema(CreateSchemaInput(name: "my-interactions", body: interactions), by: .system)
        for (type, schema) in [("ITEMS", "my-schema"), ("INTERACTIONS", "my-interactions")] {
            _ = try environment.createDataset(
                CreateDatasetInput(
                    name: type.lowercased(), schemaARN: arn(.schema, schema), datasetGroupARN: arn(.datasetGroup, name), datasetType: type),
                by: .system)
        }
        _ = try environment.createDatasetImportJob(
            CreateDatasetImportJobInput(
                jobName: "my-import", datasetARN: arn(.dataset, "\(name)/ITEMS"),
                source: .upload(fileName: "items.csv", format: .csv, columnMapping: nil)), by: .system)
        _ = try environment.createFilter(
            CreateFilterInput(
                name: "my-filter", datasetGroupARN: arn(.datasetGroup, name),
                expression: "INCLUDE ItemID WHERE Items.CATEGORY IN ($CATEGORY)"),
            by: .system)
        _ = try environment.createSolution(
            CreateSolutionInput(name: "my-solution", datasetGroupARN: arn(.datasetGroup, name), recipeARN: arn(.recipe, "aws-sims")),
            by: .system)
        tracker = try environment.createEventTracker(
            CreateEventTrackerInput(name: "my-tracker", datasetGroupARN: arn(.datasetGroup, name), origins: ["https://shop.example"]),
            by: .system)
        version = "00000000"
        try Self.fill(environment, group: made.id)
        _ = try environment.createCampaign(
            CreateCampaignInput(name: "my-campaign", solutionVersionARN: arn(.solution, "my-solution/00000000")), by: .system)
        group = try environment.describeDatasetGroup(id: made.id, by: .system)
    }

    func arn(_ kind: ResourceARN.Kind, _ path: String) -> String {
        ResourceARN(kind: kind, path: path).text(region: "us-east-1", account: "123456789012")
    }

    private static func fill(_ environment: Environment, group: Int32) throws {
        try environment.change { connection in
            let solution = try connection.query("SELECT id FROM solution WHERE dataset_group_id = \(group)").first?.int32(0) ?? 0
            try connection.execute(
                """
                INSERT INTO solution_version (solution_id, suffix, name, status, metrics, report, interaction_count, model_key, training_hours)
                VALUES (\(solution), '00000000', 'first', 'ACTIVE', '{"coverage": 0.5, "precision_at_5": 0.123}',
                        '{"log": ["read 10 interactions", "done <b>"], "seed": 7}', 10, 'models/none', 0.001)
                """)
            let titles = [hostileTitle, "Brass lamp", "Lamp", "Oak table"]
            let ids = try connection.query("SELECT intern_items(\(group), \(["i1", "i2", "i3", "i4"]))").first?.int32s(0) ?? []
            for (id, title) in zip(ids, titles) {
                let attributes: JSONValue = [
                    "TITLE": .string(title), "LINK": "javascript:alert(1)", "IMAGE": "https://img.example/x.png", "PRICE": "19.9",
                    "CATEGORY": "Lamps \"<",
                ]
                try connection.execute(
                    """
                    INSERT INTO item_record (dataset_group_id, item_id, is_bulk, revision, attributes)
                    VALUES (\(group), \(id), false, 1, \(json: attributes.serialized()))
                    """)
            }
            try connection.execute("SELECT intern_users(\(group), \(["visitor-1", "\"><script>"]))")
            try connection.execute(
                """
                INSERT INTO raw_event (dataset_group_id, received_at, source, origin, event, rejected_reason, body)
                VALUES (\(group), \(environment.now()), 'tracker', 'https://shop.example', '<b>View', NULL, '{"properties": {"product_id": "i1"}}'),
                       (\(group), \(environment.now()), 'tracker', 'https://evil.example', 'View', 'The origin is not listed.', '{}')
                """)
            try connection.execute(
                """
                INSERT INTO job (kind, dataset_group_id, state, attempt, error, finished_at, created_at)
                VALUES ('clean', \(group), 'discarded', 3, 'it <broke>', \(environment.now()), \(environment.now()))
                """)
            try connection.execute(
                """
                INSERT INTO placement (dataset_group_id, name, title) VALUES (\(group), 'home', \(hostileTitle))
                """)
            let job = try connection.query("SELECT id FROM dataset_import_job").first?.int32(0) ?? 0
            try connection.execute("INSERT INTO import_row_error VALUES (\(job), 3, '“<12,50 €>” is no number')")
        }
    }
}
