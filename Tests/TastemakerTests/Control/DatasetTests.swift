import Postgres
import Support
import Tastemaker
import Testing

struct DatasetTests {
    let fixture: ControlFixture

    init() throws { fixture = try ControlFixture() }

    @Test func `a dataset is described by its derived ARN in upper case whatever case created it`() throws {
        try fixture.makeShop()
        let dataset = try fixture.environment.describeDataset(arn: fixture.arn("dataset/shop/INTERACTIONS"), by: fixture.caller)
        #expect(dataset.type == .interactions)
        #expect(dataset.status == .active)
    }

    @Test func `a second dataset of a type in a group is refused`() throws {
        try fixture.makeShop()
        #expect(Refusal { try fixture.makeDataset("INTERACTIONS") } == .alreadyExists)
    }

    @Test func `a schema of another kind than the dataset is refused`() throws {
        _ = try fixture.makeGroup()
        try fixture.makeSchema("items", ControlFixture.items)
        #expect(Refusal { try fixture.makeDataset("Users", schema: "items") } == .invalidInput)
    }

    @Test func `a domain group takes only schemas of its domain`() throws {
        _ = try fixture.makeGroup("shop", domain: "ECOMMERCE")
        try fixture.makeSchema("plain")
        try fixture.makeSchema("commerce", domain: "ECOMMERCE")
        #expect(Refusal { try fixture.makeDataset(schema: "plain") } == .invalidInput)
        #expect(Refusal { try fixture.makeDataset(schema: "commerce") } == .none)
    }

    @Test(arguments: ["Dinosaurs", "", "INTERACTION"])
    func `an unknown dataset type is refused`(type: String) throws {
        _ = try fixture.makeGroup()
        try fixture.makeSchema("interactions")
        #expect(Refusal { try fixture.makeDataset(type) } == .invalidInput)
    }

    @Test func `a used schema cannot be deleted, and can once its dataset is gone`() throws {
        try fixture.makeShop()
        let arn = fixture.arn("schema/items")
        #expect(Refusal { try fixture.environment.deleteSchema(arn: arn, by: fixture.caller) } == .inUse)
        try fixture.environment.deleteDataset(arn: fixture.arn("dataset/shop/ITEMS"), by: fixture.caller)
        try fixture.environment.deleteSchema(arn: arn, by: fixture.caller)
        #expect(Refusal { try fixture.environment.describeSchema(arn: arn, by: fixture.caller) } == .notFound)
    }

    @Test(arguments: [
        ("{", "broken JSON"), (#"{"type":"record","name":"Dogs","fields":[]}"#, "unknown record"),
        (#"{"type":"record","name":"Interactions","fields":[{"name":"USER_ID","type":"string"}]}"#, "missing columns"),
    ])
    func `a schema that breaks a rule is refused`(body: String, _: String) throws {
        #expect(Refusal { try fixture.makeSchema("bad", body) } == .invalidInput)
    }

    @Test func `another schema may add a column and may not drop one`() throws {
        try fixture.makeShop()
        let wider = ControlFixture.items.replacing("],\"version\"", with: ",{\"name\":\"COLOR\",\"type\":\"string\"}],\"version\"")
        try fixture.makeSchema("wider", wider)
        let arn = fixture.arn("dataset/shop/ITEMS")
        let updated = try fixture.environment.updateDataset(arn: arn, schemaARN: fixture.arn("schema/wider"), by: fixture.caller)
        #expect(updated.schemaName == "wider")
        #expect(updated.latestUpdate?.status == "ACTIVE")
        #expect(
            Refusal { try fixture.environment.updateDataset(arn: arn, schemaARN: fixture.arn("schema/items"), by: fixture.caller) }
                == .invalidInput)
    }

    @Test func `deleting a dataset drops its rows and a waiting import forbids it`() throws {
        try fixture.makeShop()
        let dataset = try fixture.environment.describeDataset(arn: fixture.arn("dataset/shop/INTERACTIONS"), by: fixture.caller)
        _ = try fixture.makeImport("first")
        let delete = { try fixture.environment.deleteDataset(arn: fixture.arn("dataset/shop/INTERACTIONS"), by: fixture.caller) }
        #expect(Refusal { try delete() } == .inUse)
        try fixture.settleImports()
        try delete()
        #expect(try fixture.count("SELECT count(*) FROM pg_class WHERE relname = \("interaction_\(dataset.id)")") == 0)
        #expect(try fixture.count("SELECT count(*) FROM dataset_import_job") == 0)
    }

    @Test func `a group is refused deletion while anything hangs on it`() throws {
        try fixture.makeShop()
        let delete = { try fixture.environment.deleteDatasetGroup(arn: fixture.arn("dataset-group/shop"), by: fixture.caller) }
        #expect(Refusal { try delete() } == .inUse)
        for type in ["INTERACTIONS", "ITEMS"] {
            try fixture.environment.deleteDataset(arn: fixture.arn("dataset/shop/\(type)"), by: fixture.caller)
        }
        let tracker = try fixture.environment.createEventTracker(
            CreateEventTrackerInput(name: "web", datasetGroupARN: fixture.arn("dataset-group/shop")), by: fixture.caller)
        #expect(Refusal { try delete() } == .inUse)
        try fixture.environment.deleteEventTracker(arn: fixture.arn("event-tracker/\(tracker.suffix)"), by: fixture.caller)
        _ = try fixture.makeSolution()
        #expect(Refusal { try delete() } == .inUse)
        try fixture.environment.deleteSolution(arn: fixture.arn("solution/sol"), by: fixture.caller)
        try delete()
        #expect(
            Refusal { try fixture.environment.describeDatasetGroup(arn: fixture.arn("dataset-group/shop"), by: fixture.caller) }
                == .notFound)
    }

    @Test func `a change raises the revision that workers compare`() throws {
        let group = try fixture.makeGroup()
        try fixture.makeSchema("items", ControlFixture.items)
        try fixture.makeDataset("Items", schema: "items")
        let changed = try fixture.count(
            "SELECT count(*) FROM group_revision WHERE dataset_group_id = \(group.id) AND resources = 1 AND catalogue_base = 1")
        #expect(changed == 1)
    }
}
