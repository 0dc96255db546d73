import Crypto
import Foundation
public import JSON
public import Postgres
public import Ranking
import Storage
public import Tastemaker

/// A small shop with items in three categories and users who each love one of them, ready to be asked for recommendations.
///
/// Item `i<n>` is of category `n % 3` (red, green, blue), user `u<n>` loves category `n % 3`.
public struct ServedShop: Sendable {
    public static let categories = ["red", "green", "blue"]
    public let database: TestDatabase
    public let clock = TestClock()
    public let environment: Environment
    public let groupID: Int32
    public let itemCount: Int

    public init(items: Int = 60, events: Bool = true) throws {
        database = try TestDatabase.make()
        environment = try Environment.test(database, clock: clock, connections: 6)
        itemCount = items
        let group = try environment.createDatasetGroup(CreateDatasetGroupInput(name: "shop"), by: .system)
        groupID = group.id
        try makeDatasets()
        try environment.updateDatasetGroupDisplay(
            id: groupID, columns: DisplayColumns(title: "TITLE", price: "PRICE", category: "CATEGORY"), timeZone: "Europe/Berlin",
            currency: "EUR", by: .system)
        try putCatalogue()
        if events { try putHistory() }
    }

    public func arn(_ resource: String) -> String { "arn:aws:personalize:us-east-1:123456789012:\(resource)" }

    private func makeDatasets() throws {
        func field(_ name: String, _ type: String, _ more: String = "") -> String { "{\"name\":\"\(name)\",\"type\":\(type)\(more)}" }
        let categorical = ",\"categorical\":true"
        let schemas = [
            (
                "Items",
                [
                    field("ITEM_ID", "\"string\""), field("TITLE", "\"string\""), field("CATEGORY", "\"string\"", categorical),
                    field("PRICE", "\"float\""), field("CREATION_TIMESTAMP", "\"long\""),
                ]
            ),
            ("Users", [field("USER_ID", "\"string\""), field("TIER", "\"string\"", categorical)]),
            (
                "Interactions",
                [
                    field("USER_ID", "\"string\""), field("ITEM_ID", "\"string\""), field("EVENT_TYPE", "\"string\""),
                    field("TIMESTAMP", "\"long\""),
                ]
            ),
        ]
        for (type, fields) in schemas {
            let body =
                "{\"type\":\"record\",\"name\":\"\(type)\",\"namespace\":\"com.amazonaws.personalize.schema\",\"fields\":["
                + fields.joined(separator: ",") + "],\"version\":\"1.0\"}"
            _ = try environment.createSchema(CreateSchemaInput(name: "shop-\(type)", body: body), by: .system)
            _ = try environment.createDataset(
                CreateDatasetInput(
                    name: type, schemaARN: arn("schema/shop-\(type)"), datasetGroupARN: arn("dataset-group/shop"), datasetType: type),
                by: .system)
        }
    }

    private func putCatalogue() throws {
        for start in stride(from: 0, to: itemCount, by: 10) {
            try putItems((start..<min(start + 10, itemCount)).map { ("i\($0)", ServedShop.categories[$0 % 3]) })
        }
    }

    /// Stores items as PutItems does; they are 100 days old unless it says otherwise.
    public func putItems(_ items: [(id: String, category: String)], ageDays: Double = 100) throws {
        let created = Int64(clock.now.seconds - ageDays * 86_400)
        let records = items.map { item -> JSONValue in
            let properties: JSONObject = [
                "title": .string("Item \(item.id)"), "category": .string(item.category), "price": .double(9.5),
                "creationTimestamp": .integer(created),
            ]
            return ["itemId": .string(item.id), "properties": .string(JSONValue.object(properties).text)]
        }
        let members = InputMembers(["datasetArn": .string(arn("dataset/shop/ITEMS")), "items": .array(records)])
        try environment.putItems(members, by: .system)
    }

    public func putUser(_ id: String, tier: String) throws {
        let members = InputMembers([
            "datasetArn": .string(arn("dataset/shop/USERS")),
            "users": [["userId": .string(id), "properties": .string("{\"tier\":\"\(tier)\"}")]],
        ])
        try environment.putUsers(members, by: .system)
    }

    /// Who looked at what: each user first at one item of another category, then at nine of the loved one.
    private static func planted(_ items: Int) -> [(user: Int, item: Int)] {
        var events: [(user: Int, item: Int)] = []
        for user in 0..<45 {
            events.append((user, (user * 3 + 1 + user % 3) % items))
            for step in 0..<9 {
                let rank = (user / 3 * 7 + step * 3) % (items / 3)
                events.append((user, rank * 3 + user % 3))
            }
        }
        return events
    }

    private func putHistory() throws {
        let writer = EventWriter(environment: environment)
        defer { writer.close() }
        let events = ServedShop.planted(itemCount).enumerated().map { order, planted in
            event("u\(planted.user)", "i\(planted.item)", at: clock.now.seconds - 86_400 + Double(order))
        }
        _ = try writer.append(events)
    }

    public func event(_ user: String, _ item: String, _ type: String = "View", at seconds: Double? = nil) -> NewEvent {
        var event = NewEvent(
            datasetGroupID: groupID, source: .putEvents, userID: user, visitorID: user, eventType: type,
            occurredAt: PGTimestamp(seconds: seconds ?? clock.now.seconds))
        event.itemID = item
        return event
    }

    /// Stores events in one transaction, as the writer does.
    public func put(_ events: [NewEvent]) throws {
        _ = try environment.change { try environment.storeEvents(events, $0) }
    }

    /// Fits a model on what was planted and deploys it under a campaign of this name. Gives the model's key in the artifact store.
    @discardableResult
    public func deploy(_ recipe: String, campaign: String, config: JSONValue? = nil) throws -> String {
        guard let name = RecipeName(rawValue: recipe) else { throw OperationError.notFound(recipe) }
        let solution = CreateSolutionInput(
            name: campaign, datasetGroupARN: arn("dataset-group/shop"), recipeARN: "arn:aws:personalize:::recipe/\(recipe)")
        _ = try environment.createSolution(solution, by: .system)
        let (versionARN, key) = try train(name, solution: campaign)
        _ = try environment.createCampaign(
            CreateCampaignInput(name: campaign, solutionVersionARN: versionARN, minProvisionedTPS: 1, config: config), by: .system)
        return key
    }

    /// A new ACTIVE version of a solution; its ARN and its model's key.
    public func train(_ recipe: RecipeName, solution: String) throws -> (arn: String, key: String) {
        let version = try environment.createSolutionVersion(
            CreateSolutionVersionInput(solutionARN: arn("solution/\(solution)")), by: .system)
        let bytes = try model(recipe)
        let key = "models/g\(groupID)/s\(version.solution.id)-\(version.suffix)-1.tmm"
        try environment.artifacts.put(key, .bytes(bytes), ifAbsent: true)
        try environment.change { connection in
            try connection.execute(
                """
                UPDATE solution_version
                SET status = 'ACTIVE', model_key = \(key), model_sha256 = \(SHA256.hash(bytes)), model_bytes = \(bytes.count)
                WHERE id = \(version.id)
                """)
            try environment.bumpResources(connection, datasetGroupID: groupID)
        }
        return (arn("solution/\(version.path)"), key)
    }

    private func model(_ recipe: RecipeName) throws -> [UInt8] {
        var data = TrainingData(eventTypeNames: ["View"])
        let planted = ServedShop.planted(itemCount)
        let (users, items) = try environment.change { connection in
            let rows = try connection.query(
                """
                SELECT intern_users(\(groupID), \(planted.map { "u\($0.user)" })), intern_items(\(groupID), \(planted.map { "i\($0.item)" }))
                """)
            return (try rows[0].int32s(0), try rows[0].int32s(1))
        }
        for index in planted.indices {
            data.append(user: users[index], item: items[index], eventType: 0, timestamp: Int64(clock.now.seconds) - 86_400 + Int64(index))
        }
        return try fit(data, FitConfiguration(recipe: recipe, threads: 1, createdAt: Date(timeIntervalSince1970: 1))).bytes
    }

    public func createFilter(_ name: String, _ expression: String) throws {
        _ = try environment.createFilter(
            CreateFilterInput(name: name, datasetGroupARN: arn("dataset-group/shop"), expression: expression), by: .system)
    }

    /// A row of `placement`; its id.
    @discardableResult
    public func placement(
        _ name: String, purpose: String = "for-you", campaign: String? = nil, filter: String? = nil, count: Int = 5,
        fallback: String = "popular"
    ) throws -> Int32 {
        try insert(
            """
            INSERT INTO placement (dataset_group_id, name, title, purpose, campaign_id, filter_id, item_count, fallback)
            VALUES (\(groupID), \(name), \(name), \(purpose), (SELECT id FROM campaign WHERE name = \(campaign)),
                    (SELECT id FROM filter WHERE name = \(filter)), \(Int16(count)), \(fallback))
            RETURNING id
            """)
    }

    /// A published promotion; its id.
    @discardableResult
    public func promotion(_ name: String, _ definition: PromotionDefinition) throws -> Int32 {
        let id = try insert(
            """
            INSERT INTO promotion (dataset_group_id, name, published_version, hold_out_seed)
            VALUES (\(groupID), \(name), 1, \(name)) RETURNING id
            """)
        try insert(
            """
            INSERT INTO promotion_version (promotion_id, version, definition, created_by, published_at)
            VALUES (\(id), 1, \(json: definition.json.serialized()), 'test', \(clock.now)) RETURNING promotion_id
            """)
        return id
    }

    /// A running experiment on a placement with equal arms; the id and the ids of the arms.
    public func experiment(
        _ name: String, on placement: Int32, arms: [(name: String, campaign: String?, promotions: String)]
    ) throws -> (id: Int32, arms: [Int32]) {
        let id = try insert(
            """
            INSERT INTO experiment (dataset_group_id, placement_id, name, state, seed, primary_metric, converting_event, started_at,
                planned_end_at, created_by)
            VALUES (\(groupID), \(placement), \(name), 'running', \(name), 'conversion', 'Purchase', \(clock.now),
                \(PGTimestamp(seconds: clock.now.seconds + 864_000)), 'test')
            RETURNING id
            """)
        let ids = try arms.enumerated().map { ordinal, arm in
            try insert(
                """
                INSERT INTO arm (experiment_id, ordinal, name, weight, campaign_id, promotions)
                VALUES (\(id), \(Int16(ordinal)), \(arm.name), 1, (SELECT id FROM campaign WHERE name = \(arm.campaign)), \(arm.promotions))
                RETURNING id
                """)
        }
        return (id, ids)
    }

    @discardableResult
    public func insert(_ sql: SQL) throws -> Int32 {
        try environment.change { connection in
            let id = try connection.query(sql)[0].int32(0)
            try environment.bumpResources(connection, datasetGroupID: groupID)
            return id
        }
    }
}
