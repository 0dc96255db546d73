import Foundation
import JSON
import Postgres
import Support
import Testing

@testable import Tastemaker

struct TrackerBatchTests {
    let fixture: EventFixture

    init() throws { fixture = try EventFixture() }

    @Test(arguments: [
        ("Product Viewed", "View"), ("product_clicked", "Click"), ("add-to-cart", "AddToCart"), ("PRODUCTREMOVED", "RemoveFromCart"),
        ("Watched Trailer", "Watched Trailer"),
    ])
    func `names of common vocabularies become ours, others stay`(name: String, type: String) throws {
        let answer = try fixture.track(#"[{"type":"track","event":"\#(name)","anonymousId":"v","properties":{"product_id":"p1"}}]"#)
        #expect(answer.accepted == 1)
        #expect(try fixture.texts("SELECT t.name FROM interaction i JOIN event_type t ON t.id = i.event_type") == [type])
        #expect(try fixture.history("anonymous:v") == ["p1"])
    }

    @Test func `an order is one purchase for each product, and counts once by order and line`() throws {
        let order = #"""
            {"order_id":"o1","currency":"usd","products":[{"product_id":"a","price":19.99,"quantity":3},{"product_id":"b","price":"5"},
            {"product_id":"a","price":1,"quantity":1}]}
            """#
        let first = try fixture.track(#"[{"event":"Order Completed","messageId":"m1","anonymousId":"v","properties":\#(order)}]"#)
        let again = try fixture.track(#"[{"event":"purchase","messageId":"m2","anonymousId":"v","properties":\#(order)}]"#)
        #expect(first.accepted == 1 && again.duplicate == 1)
        #expect(try fixture.texts("SELECT amount::text FROM interaction ORDER BY ordinal") == ["59.9700", "5.0000", "1.0000"])
        #expect(try fixture.texts("SELECT DISTINCT currency FROM interaction WHERE order_id = 'o1'") == ["USD"])
        #expect(try fixture.shop.count("SELECT count(*) FROM raw_event") == 1)
    }

    @Test func `what the site signs of a user goes into his record, what nobody signed does not`() throws {
        try fixture.shop.makeSchema(
            "users",
            #"{"type":"record","name":"Users","namespace":"com.amazonaws.personalize.schema","version":"1.0","fields":[{"name":"USER_ID","type":"string"},{"name":"PLAN","type":["null","string"],"categorical":true},{"name":"AGE","type":["null","int"]}]}"#
        )
        try fixture.shop.makeDataset("Users", schema: "users")
        let signature = UserSignature.sign("ada", secret: try fixture.secret())
        let signed = #""anonymousId":"v","userId":"ada","userSignature":"\#(signature)""#
        func record() throws -> [String?] {
            try fixture.texts(
                "SELECT r.attributes::text FROM user_record r JOIN user_key k ON k.id = r.user_id AND k.external_id = 'ada'")
        }
        _ = try fixture.track(#"[{"type":"identify","anonymousId":"v","userId":"ada","traits":{"plan":"pro"}}]"#)
        _ = try fixture.track(#"[{"type":"identify","anonymousId":"v","userId":"ada","userSignature":"00","traits":{"plan":"pro"}}]"#)
        #expect(try record() == [])
        _ = try fixture.track(#"[{"type":"identify",\#(signed),"traits":{"plan":"pro","nickname":"x"}}]"#)
        #expect(try record() == [#"{"PLAN": "pro"}"#])
        _ = try fixture.track(#"[{"type":"identify",\#(signed),"properties":{"Age":36,"plan":null}}]"#)
        #expect(try record() == [#"{"AGE": 36, "PLAN": "pro"}"#])
        let wrong = try fixture.track(#"[{"type":"identify",\#(signed),"traits":{"age":"old"}}]"#)
        #expect(wrong.rejected.first?.reason.contains("The trait 'age' does not fit the Users schema") == true)
    }

    @Test func `a refund is negative`() throws {
        _ = try fixture.track(#"[{"event":"Order Refunded","anonymousId":"v","properties":{"order_id":"o1","total":12.5}}]"#)
        #expect(try fixture.texts("SELECT amount::text FROM interaction") == ["-12.5000"])
    }

    @Test func `a wrong clock drops out of an event's time`() throws {
        // The client's clock stands three days ahead; the event was made 20 seconds before it was sent.
        let base = fixture.clock.now.seconds + 3 * 86_400
        let times = [base - 20, base].map { PGTimestamp(seconds: $0).description }
        _ = try fixture.track(
            #"[{"event":"View","anonymousId":"v","timestamp":"\#(times[0])","properties":{"sku":"a"}}]"#, sentAt: times[1])
        #expect(
            try fixture.shop.count("SELECT extract(epoch FROM occurred_at)::bigint FROM interaction") == Int64(fixture.clock.now.seconds)
                - 20)
    }

    @Test func `a request that is sent once more is stored once, ids or not`() throws {
        let batch =
            #"[{"event":"View","anonymousId":"v","properties":{"sku":"a"}},{"event":"View","anonymousId":"v","properties":{"sku":"a"}}]"#
        #expect(try fixture.track(batch, request: "r1").accepted == 2)
        fixture.clock.advance(seconds: 5)
        #expect(try fixture.track(batch, request: "r1").duplicate == 2)
        #expect(try fixture.track(batch, request: "r2").accepted == 2)
    }

    @Test func `impressions are seen cards and no interactions`() throws {
        let answer = try fixture.track(
            #"""
            [{"event":"Impression","anonymousId":"v","properties":{"product_id":"a"},"context":{"rec":{"position":4}}},
            {"event":"Product List Viewed","anonymousId":"v","properties":{"products":[{"product_id":"b"},{"product_id":"c"}]}}]
            """#)
        #expect(answer.accepted == 2)
        #expect(try fixture.shop.count("SELECT count(*) FROM interaction") == 0)
        #expect(try fixture.texts("SELECT position::text FROM impression ORDER BY position DESC") == ["4", "1", "0"])
    }

    @Test(arguments: [
        (#"{"event":"View"}"#, "anonymousId"), (#"{"type":"track","anonymousId":"v"}"#, "event"),
        (#"{"type":"dance","anonymousId":"v"}"#, "type"), (#"{"event":"View","anonymousId":7}"#, "anonymousId"),
        (#"{"event":"View","anonymousId":"v","timestamp":"soon"}"#, "timestamp"),
        (#"{"event":"View","userId":"anonymous:v"}"#, "userId"), (#""text""#, "object"),
        (#"{"event":"purchase","anonymousId":"v","properties":{"price":"much"}}"#, "price"),
        (#"{"event":"purchase","anonymousId":"v","properties":{"price":1e300,"quantity":1}}"#, "price"),
        (#"{"event":"View","anonymousId":"v","context":{"consent":"denied"}}"#, "consented"),
        (#"{"event":"View","anonymousId":"v","context":{"gpc":true}}"#, "Global Privacy Control"),
    ])
    func `a bad event is refused alone with a reason`(event: String, word: String) throws {
        let answer = try fixture.track(#"[\#(event),{"event":"View","anonymousId":"v","properties":{"sku":"a"}}]"#)
        #expect(answer.accepted == 1)
        #expect(answer.rejected.count == 1 && answer.rejected[0].reason.contains(word), "\(answer.rejected)")
        #expect(try fixture.shop.count("SELECT count(*) FROM raw_event WHERE rejected_reason IS NOT NULL AND user_id IS NULL") == 1)
    }

    @Test func `an event over the limit is refused, the batch is not`() throws {
        let long = String(repeating: "x", count: 33_000)
        let answer = try fixture.track(#"[{"event":"View","anonymousId":"v","properties":{"sku":"a","note":"\#(long)"}}]"#)
        #expect(answer.rejected.first?.reason.contains("32 KB") == true)
    }

    @Test func `a browser's refusal holds unless the site has a consent`() throws {
        let event = #"{"event":"View","anonymousId":"v","properties":{"sku":"a"}"#
        #expect(try fixture.track("[\(event)}]", refusing: true).rejected.count == 1)
        #expect(try fixture.track("[\(event),\"context\":{\"consent\":\"granted\"}}]", refusing: true).accepted == 1)
    }

    @Test func `ids are joined only by the site's signature, and never those of two users`() throws {
        let signature = UserSignature.sign("u1", secret: try fixture.secret())
        _ = try fixture.track(#"[{"type":"identify","anonymousId":"v","userId":"u1"}]"#)
        _ = try fixture.track(#"[{"type":"identify","anonymousId":"v","userId":"u2","userSignature":"\#(signature)"}]"#)
        #expect(try fixture.shop.count("SELECT count(*) FROM user_alias") == 0)
        _ = try fixture.track(#"[{"type":"identify","anonymousId":"v","userId":"u1","userSignature":"\#(signature)"}]"#)
        let other = UserSignature.sign("u2", secret: try fixture.secret())
        _ = try fixture.track(#"[{"type":"identify","anonymousId":"v","userId":"u2","userSignature":"\#(other)"}]"#)
        #expect(
            try fixture.texts(
                """
                SELECT a.external_id || ' is ' || c.external_id FROM user_alias x
                JOIN user_key a ON a.id = x.user_id JOIN user_key c ON c.id = x.canonical_id
                """) == ["anonymous:v is u1"])
    }

    @Test func `a signature is the lower-case hexadecimal HMAC-SHA256 of the id`() {
        // RFC 4231, test case 2.
        #expect(
            UserSignature.sign("what do ya want for nothing?", secret: Array("Jefe".utf8))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test func `properties that are columns are kept with the interaction, converted`() throws {
        _ = try fixture.track(#"[{"event":"View","anonymousId":"v","properties":{"sku":"a","numRatings":"12","colour":"red"}}]"#)
        #expect(try fixture.texts("SELECT properties::text FROM interaction") == [#"{"NUM_RATINGS": 12}"#])
    }
}
