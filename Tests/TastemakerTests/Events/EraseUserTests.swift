import JSON
import Postgres
import Support
import Testing

@testable import Tastemaker

struct EraseUserTests {
    let fixture: EventFixture

    init() throws { fixture = try EventFixture() }

    private let name = "ada@example.org"

    /// Everything that can hold a user, filled through the doors and, where other parts write, by hand.
    private func fill() throws {
        let signature = UserSignature.sign(name, secret: try fixture.secret())
        let ids = #""anonymousId":"browser-of-ada","userId":"\#(name)","userSignature":"\#(signature)""#
        _ = try fixture.track(
            #"""
            [{"type":"identify",\#(ids),"properties":{"plan":"pro"}},{"type":"page",\#(ids)},
            {"event":"View",\#(ids),"properties":{"sku":"a"}},{"event":"Impression",\#(ids),"properties":{"sku":"b"}},
            {"event":"View","anonymousId":"browser-of-bob","userId":"bob","properties":{"sku":"a"}},
            {"event":"View","anonymousId":"kiosk","userId":"bob","properties":{"sku":"c"}},
            {"event":"View","anonymousId":"kiosk","userId":"\#(name)","properties":{"sku":"d"}}]
            """#)
        try fixture.environment.change { connection in
            let ids = try EventQueries.intern(
                users: [name, "anonymous:browser-of-ada"], items: [], eventTypes: [], groupID: fixture.group, connection
            ).users
            try connection.execute(
                "INSERT INTO user_record (dataset_group_id, user_id, is_bulk, attributes) VALUES (\(fixture.group), \(ids[0]), true, '{}')")
            try connection.execute(
                """
                INSERT INTO shown (key, dataset_group_id, shown_at, visitor_id, rung, items)
                VALUES (1, \(fixture.group), \(fixture.clock.now), \(ids[1]), 'model', '{1}')
                """)
            try connection.execute(
                """
                INSERT INTO placement (dataset_group_id, name, title) VALUES (\(fixture.group), 'home', 'Home')
                """)
            try connection.execute(
                """
                INSERT INTO experiment (dataset_group_id, placement_id, name, seed, primary_metric, converting_event, planned_end_at, created_by)
                SELECT \(fixture.group), id, 'e', 's', 'conversion', 'Purchase', \(fixture.clock.now), 'test' FROM placement
                """)
            try connection.execute(
                "INSERT INTO exposure (experiment_id, unit_id, arm_id, exposed_at) SELECT id, \(ids[1]), 1, \(fixture.clock.now) FROM experiment"
            )
        }
    }

    /// Tables in whose rows a text occurs.
    private func tables(with text: String) throws -> [String] {
        try fixture.environment.read { connection in
            let names = try connection.query(
                """
                SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = current_schema() AND c.relkind = 'r' AND NOT c.relispartition ORDER BY 1
                """
            ).map { try $0.string(0) }
            return try names.filter { name in
                try connection.query("SELECT 1 FROM \(identifier: name) t WHERE position(\(text) IN t::text) > 0 LIMIT 1").first != nil
            }
        }
    }

    @Test func `erasing a user leaves neither the ids nor a row that had them`() throws {
        try fill()
        #expect(try tables(with: name) == ["user_key"])
        let ids = try fixture.texts(
            "SELECT id::text FROM user_key WHERE external_id = \(name) OR external_id = 'anonymous:browser-of-ada'"
        ).compactMap { $0.flatMap { Int32($0) } }
        #expect(ids.count == 2)
        let erased = try fixture.environment.eraseUser(name, datasetGroupID: fixture.group, by: fixture.shop.caller)
        #expect(
            erased
                == ErasedUser(
                    interactions: 2, histories: 3, exposures: 1, shownLists: 1, impressions: 1, rawEvents: 4, records: 1, ids: 2))
        #expect(try tables(with: name) == [])
        #expect(try tables(with: "browser-of-ada") == [])
        for column: SQL in [
            "SELECT user_id FROM interaction", "SELECT visitor_id FROM interaction", "SELECT user_id FROM history",
            "SELECT user_id FROM raw_event", "SELECT visitor_id FROM raw_event", "SELECT visitor_id FROM impression",
            "SELECT visitor_id FROM shown", "SELECT unit_id FROM exposure", "SELECT user_id FROM user_record",
            "SELECT user_id FROM user_alias",
            "SELECT canonical_id FROM user_alias",
        ] {
            #expect(try fixture.shop.count("SELECT count(*) FROM (\(part: column)) AS x(id) WHERE id = ANY(\(ids))") == 0)
        }
    }

    @Test func `what was being stored while its user was erased is gone a minute later`() throws {
        try fill()
        let group = fixture.group
        let id = try fixture.shop.count("SELECT id FROM user_key WHERE external_id = \(name)")
        _ = try fixture.environment.eraseUser(name, datasetGroupID: group, by: fixture.shop.caller)
        let kept = try fixture.shop.count("SELECT count(*) FROM interaction")
        // A writer that knew the id from before commits only now.
        try fixture.environment.change { connection in
            let dataset = try EventQueries.interactionsDataset(group, connection) ?? 0
            let part = InteractionPart.month(of: fixture.clock.now)
            try connection.execute(
                """
                INSERT INTO interaction (dataset_id, part, user_id, visitor_id, item_id, event_type, occurred_at, ordinal)
                VALUES (\(dataset), \(part), \(Int32(id)), \(Int32(id)), 1, 0, \(fixture.clock.now), 1)
                """)
            try connection.execute("INSERT INTO history (dataset_group_id, user_id, entries) VALUES (\(group), \(Int32(id)), '')")
            try connection.execute(
                """
                INSERT INTO raw_event (dataset_group_id, received_at, source, visitor_id, user_id, event, body)
                VALUES (\(group), \(fixture.clock.now), 'tracker', \(Int32(id)), \(Int32(id)), 'View', '{}')
                """)
            try connection.execute(
                """
                INSERT INTO shown (key, dataset_group_id, shown_at, visitor_id, rung, items)
                VALUES (2, \(group), \(fixture.clock.now), \(Int32(id)), 'model', '{1}')
                """)
        }
        // What the late writer stored was counted before the sweep.
        try fixture.environment.change { _ = try $0.execute("DELETE FROM activity_mark") }
        fixture.clock.advance(seconds: Double(Environment.erasureSweepDelay) + 1)
        JobWorker(fixture.environment).runAvailable()
        #expect(try fixture.shop.count("SELECT count(*) FROM activity_mark") == 1)
        let ids = [Int32(id)]
        for column: SQL in [
            "SELECT user_id FROM interaction", "SELECT user_id FROM history", "SELECT user_id FROM raw_event",
            "SELECT visitor_id FROM shown",
        ] {
            #expect(try fixture.shop.count("SELECT count(*) FROM (\(part: column)) AS x(id) WHERE id = ANY(\(ids))") == 0)
        }
        #expect(try fixture.shop.count("SELECT count(*) FROM interaction") == kept)
    }

    @Test func `another user of a shared browser keeps what is his`() throws {
        try fill()
        _ = try fixture.environment.eraseUser(name, datasetGroupID: fixture.group, by: fixture.shop.caller)
        #expect(try fixture.history("bob") == ["a", "c"])
        #expect(try fixture.texts("SELECT external_id FROM user_key ORDER BY 1") == ["anonymous:browser-of-bob", "anonymous:kiosk", "bob"])
    }

    @Test func `the audit counts and names nobody`() throws {
        try fill()
        _ = try fixture.environment.eraseUser(name, datasetGroupID: fixture.group, by: fixture.shop.caller)
        let entry = try fixture.environment.listAudit(datasetGroupID: fixture.group).first
        #expect(entry?.action == "EraseUser" && entry?.parameters["interactions"]?.intValue == 2)
    }

    @Test func `a user who is not known, or not the key's, is not found`() throws {
        let environment = fixture.environment
        #expect(Refusal { try environment.eraseUser("nobody", datasetGroupID: fixture.group, by: fixture.shop.caller) } == .notFound)
        let bound = Caller(.apiKey(id: 1, name: "k"), datasetGroupID: fixture.group + 1)
        #expect(Refusal { try environment.eraseUser("u", datasetGroupID: fixture.group, by: bound) } == .notFound)
    }
}
