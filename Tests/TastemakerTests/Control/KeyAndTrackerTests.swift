import Postgres
import Support
import Tastemaker
import Testing

struct KeyAndTrackerTests {
    let fixture: ControlFixture

    init() throws { fixture = try ControlFixture() }

    @Test func `a secret can be opened until its key is disabled`() throws {
        let made = try fixture.environment.createAccessKey(name: "notebook", by: fixture.caller)
        let opened = try #require(try fixture.environment.openAccessKey(id: made.key.id))
        #expect(String(decoding: opened.secret, as: UTF8.self) == made.secret)
        try fixture.environment.disableAccessKey(id: made.key.id, by: fixture.caller)
        #expect(try fixture.environment.openAccessKey(id: made.key.id) == nil)
        #expect(try fixture.environment.listAccessKeys(by: fixture.caller).map(\.isActive) == [false])
    }

    @Test func `a secret is nowhere in the database as it is`() throws {
        let made = try fixture.environment.createAccessKey(name: "notebook", by: fixture.caller)
        #expect(
            try fixture.count("SELECT count(*) FROM access_key WHERE position(convert_to(\(made.secret), 'UTF8') IN secret_sealed) > 0")
                == 0)
    }

    @Test func `a bearer key is known by its secret only and carries its scopes`() throws {
        let made = try fixture.environment.createAPIKey(name: "shop", scopes: ["recommend"], by: fixture.caller)
        #expect(try fixture.environment.openAPIKey(made.secret)?.scopes == ["recommend"])
        #expect(try fixture.environment.openAPIKey(made.secret + "x") == nil)
        try fixture.environment.disableAPIKey(id: made.key.id, by: fixture.caller)
        #expect(try fixture.environment.openAPIKey(made.secret) == nil)
        #expect(Refusal { try fixture.environment.createAPIKey(name: "x", scopes: ["everything"], by: fixture.caller) } == .invalidInput)
    }

    @Test func `a group has one tracker, and its events stay when it goes`() throws {
        try fixture.makeShop()
        let input = CreateEventTrackerInput(name: "web", datasetGroupARN: fixture.arn("dataset-group/shop"))
        let tracker = try fixture.environment.createEventTracker(input, by: fixture.caller)
        #expect(tracker.trackingID.utf8.count == 36)
        #expect(Refusal { try fixture.environment.createEventTracker(input, by: fixture.caller) } == .alreadyExists)
        try fixture.environment.change { connection in
            _ = try connection.execute(
                "INSERT INTO raw_event (dataset_group_id, received_at, source, body) VALUES (\(tracker.datasetGroupID), now(), 'tracker', '{}')"
            )
        }
        try fixture.environment.deleteEventTracker(arn: fixture.arn("event-tracker/\(tracker.suffix)"), by: fixture.caller)
        #expect(try fixture.count("SELECT count(*) FROM raw_event") == 1)
    }

    @Test func `a new secret replaces the old one`() throws {
        _ = try fixture.makeGroup()
        let tracker = try fixture.environment.createEventTracker(
            CreateEventTrackerInput(name: "web", datasetGroupARN: fixture.arn("dataset-group/shop")), by: fixture.caller)
        let first = try fixture.environment.revealEventTrackerSecret(id: tracker.id, by: fixture.caller)
        try fixture.environment.rotateEventTrackerSecret(id: tracker.id, by: fixture.caller)
        let second = try fixture.environment.revealEventTrackerSecret(id: tracker.id, by: fixture.caller)
        #expect(first != second && second.utf8.count == 43)
    }

    @Test(arguments: [
        ("https://shop.example", true), ("http://localhost:3000", true), ("https://shop.example/", false), ("shop.example", false),
        ("https://Shop.example", false), ("*", false), ("https://", false), ("https://a:b", false), ("https://:80", false), ("null", false),
    ])
    func `an origin is a scheme and a host`(origin: String, isGood: Bool) throws {
        _ = try fixture.makeGroup()
        let input = CreateEventTrackerInput(name: "web", datasetGroupARN: fixture.arn("dataset-group/shop"), origins: [origin])
        #expect(Refusal { try fixture.environment.createEventTracker(input, by: fixture.caller) } == (isGood ? .none : .invalidInput))
    }
}
