import Foundation
import JSON
import Postgres
import Storage
import Support
import Tastemaker
import Testing
import Web

/// The doors for events and single records, as clients meet them.
struct EventsAPITests {
    let client: SignedClient
    let trackingID: String
    let group: Int32

    init() throws {
        client = try SignedClient()
        try client.makeShop()
        let created = try client.call("CreateEventTracker", #"{"name":"web","datasetGroupArn":"\#(client.arn("dataset-group/shop"))"}"#)
            .json
        trackingID = created["trackingId"]?.stringValue ?? ""
        group = try client.environment.describeDatasetGroup(arn: client.arn("dataset-group/shop"), by: .system).id
        let items =
            #"{\"type\":\"record\",\"name\":\"Items\",\"fields\":[{\"name\":\"ITEM_ID\",\"type\":\"string\"},{\"name\":\"GENRE\",\"type\":\"string\",\"categorical\":true},{\"name\":\"PRICE\",\"type\":[\"null\",\"float\"]},{\"name\":\"CREATION_TIMESTAMP\",\"type\":[\"null\",\"long\"]}]}"#
        _ = try client.call("CreateSchema", #"{"name":"items","schema":"\#(items)"}"#)
        _ = try client.call(
            "CreateDataset",
            #"{"name":"items","schemaArn":"\#(client.arn("schema/items"))","datasetGroupArn":"\#(client.arn("dataset-group/shop"))","datasetType":"Items"}"#
        )
    }

    private func put(_ path: String, _ body: String) throws -> SignedClient.Answer {
        try client.send(path, headers: [("Content-Type", "application/json")], body: body)
    }

    private func putEvents(_ event: String, user: String? = "u1", session: String = "s1") throws -> SignedClient.Answer {
        let user = user.map { #","userId":"\#($0)""# } ?? ""
        return try put("/events", #"{"trackingId":"\#(trackingID)","sessionId":"\#(session)"\#(user),"eventList":[\#(event)]}"#)
    }

    private func texts(_ sql: SQL) throws -> [String?] {
        try client.environment.read { try $0.query(sql).map { try $0.optionalString(0) } }
    }

    // MARK: PutEvents

    @Test func `an event with its item among the properties is stored`() throws {
        let answer = try putEvents(#"{"eventType":"click","sentAt":1789999000,"properties":"{\"itemId\":\"i1\",\"eventValue\":4.5}"}"#)
        #expect(answer.status == 200 && answer.text == "{}")
        #expect(
            try texts(
                """
                SELECT k.external_id || ' ' || i.value || ' ' || extract(epoch FROM occurred_at)::bigint FROM interaction i
                JOIN item_key k ON k.id = i.item_id
                """) == ["i1 4.5 1789999000"])
    }

    @Test func `the top level wins over the properties`() throws {
        _ = try putEvents(
            #"{"eventType":"click","sentAt":1789999000,"itemId":"top","eventValue":2,"properties":{"itemId":"below","eventValue":1}}"#)
        #expect(try texts("SELECT k.external_id || i.value FROM interaction i JOIN item_key k ON k.id = i.item_id") == ["top2"])
    }

    @Test func `without a user the session is the user`() throws {
        _ = try putEvents(#"{"eventType":"click","sentAt":1789999000,"itemId":"a"}"#, user: nil, session: "s9")
        #expect(try texts("SELECT k.external_id FROM interaction i JOIN user_key k ON k.id = i.user_id") == ["s9"])
    }

    @Test(arguments: ["1789999000", "1789999000.5", "1789999000500", #""2026-09-21T13:56:40Z""#, #""1789999000""#])
    func `the time may be a number or ISO 8601`(time: String) throws {
        #expect(try putEvents(#"{"eventType":"click","sentAt":\#(time)}"#).status == 200)
        #expect(try texts("SELECT date_trunc('hour', occurred_at AT TIME ZONE 'UTC')::text FROM interaction") == ["2026-09-21 13:00:00"])
    }

    @Test(arguments: [
        (#"{"sentAt":1}"#, "eventType"), (#"{"eventType":"c"}"#, "sentAt"), (#"{"eventType":"c","sentAt":"soon"}"#, "sentAt"),
        (#"{"eventType":"c","sentAt":1800000000}"#, "sentAt"),
        (#"{"eventType":"c","sentAt":1,"properties":"{"}"#, "properties"),
        (#"{"eventType":"c","sentAt":1,"properties":"[]"}"#, "properties"),
        (#"{"eventType":"c","sentAt":1,"properties":{"user_id":"x"}}"#, "user_id"),
        (#"{"eventType":"c","sentAt":1,"recommendationId":"\#(String(repeating: "r", count: 41))"}"#, "recommendationId"),
        (#"{"eventType":"c","sentAt":1,"impression":[]}"#, "impression"), (#"{"eventType":"c","sentAt":1,"itemId":""}"#, "itemId"),
        (#"{"eventType":"c","sentAt":1,"eventValue":"much"}"#, "eventValue"),
        (#"{"eventType":"c","sentAt":1,"metricAttribution":{}}"#, "eventAttributionSource"),
        (#"{"eventType":"c","sentAt":1,"properties":"{\"n\":\"\#(String(repeating: "x", count: 1020))\"}"}"#, "properties"),
        (#"{"eventType":"\#(String(repeating: "é", count: 257))","sentAt":1}"#, "eventType"),
    ])
    func `an event that breaks a rule is refused and names the member`(event: String, member: String) throws {
        let answer = try putEvents(#"{"eventType":"ok","sentAt":1},\#(event)"#)
        #expect(answer.status == 400)
        #expect(answer.json["__type"] == "InvalidInputException")
        #expect(answer.response.header("x-amzn-ErrorType") == "InvalidInputException")
        #expect(answer.json["message"]?.stringValue?.contains(member) == true, "\(answer.text)")
        #expect(try texts("SELECT 'x' FROM interaction") == [])
    }

    @Test func `eleven events are too many, and ids have 1 to 256 characters`() throws {
        let events = Array(repeating: #"{"eventType":"c","sentAt":1}"#, count: 11).joined(separator: ",")
        #expect(try putEvents(events).json["message"]?.stringValue?.contains("eventList") == true)
        #expect(try putEvents(#"{"eventType":"c","sentAt":1}"#, user: String(repeating: "u", count: 257)).status == 400)
    }

    @Test func `an unknown tracking id is invalid input, also for a key of another group`() throws {
        let body = #"{"trackingId":"00000000-0000-0000-0000-000000000000","sessionId":"s","eventList":[{"eventType":"c","sentAt":1}]}"#
        #expect(try put("/events", body).json["__type"] == "InvalidInputException")
        let other = try client.environment.createDatasetGroup(CreateDatasetGroupInput(name: "other"), by: .system)
        let key = try client.environment.createAccessKey(name: "bound", datasetGroupID: other.id, by: .system)
        let good = #"{"trackingId":"\#(trackingID)","sessionId":"s","eventList":[{"eventType":"c","sentAt":1}]}"#
        let answer = try client.send("/events", headers: [], body: good, key: (key.key.id, key.secret))
        #expect(answer.status == 400 && answer.json["message"]?.stringValue?.contains("not known") == true)
    }

    // MARK: PutItems

    @Test func `an item is replaced whole, under a new revision of the catalogue`() throws {
        let arn = client.arn("dataset/shop/ITEMS")
        let put = { (properties: String) throws -> SignedClient.Answer in
            try self.put("/items", #"{"datasetArn":"\#(arn)","items":[{"itemId":"i1","properties":"\#(properties)"}]}"#)
        }
        #expect(try put(#"{\"genre\":\"a|b\",\"price\":\"9.5\",\"creationTimestamp\":1700000000}"#).status == 200)
        #expect(
            try texts("SELECT attributes::text || created_at FROM item_record") == [
                #"{"GENRE": "a|b", "PRICE": 9.5, "CREATION_TIMESTAMP": 1700000000}1700000000"#
            ])
        #expect(try put(#"{\"GENRE\":\"c\"}"#).status == 200)
        #expect(try texts("SELECT attributes::text || coalesce(created_at, 0) FROM item_record") == [#"{"GENRE": "c"}0"#])
        let isCurrent: SQL =
            "SELECT (r.catalogue = i.revision AND r.catalogue_base < i.revision)::text FROM group_revision r, item_record i"
        #expect(try texts("\(part: isCurrent) WHERE r.dataset_group_id = \(group)") == ["true"])
    }

    @Test func `an item without a required column is refused, and nothing of the call is stored`() throws {
        let answer = try put(
            "/items",
            #"{"datasetArn":"\#(client.arn("dataset/shop/ITEMS"))","items":[{"itemId":"i1","properties":"{\"genre\":\"a\"}"},{"itemId":"i2"}]}"#
        )
        #expect(answer.status == 400 && answer.json["message"]?.stringValue?.contains("GENRE") == true)
        #expect(try texts("SELECT 'x' FROM item_record") == [])
    }

    @Test func `a dataset that is not there is 404, one of another kind 400, one being replaced 409`() throws {
        let body = { (arn: String) in #"{"datasetArn":"\#(arn)","items":[{"itemId":"i","properties":"{\"genre\":\"a\"}"}]}"# }
        let missing = try put("/items", body(client.arn("dataset/none/ITEMS")))
        #expect(missing.status == 404 && missing.json["__type"] == "ResourceNotFoundException")
        #expect(try put("/items", body(client.arn("dataset/shop/INTERACTIONS"))).status == 400)
        _ = try client.environment.change { connection in
            try connection.execute(
                """
                INSERT INTO dataset_import_job (name, dataset_id, data_location, status)
                SELECT 'j', id, 's3://b/f', 'CREATE IN_PROGRESS' FROM dataset WHERE type = 'ITEMS'
                """)
        }
        let busy = try put("/items", body(client.arn("dataset/shop/ITEMS")))
        #expect(busy.status == 409 && busy.json["__type"] == "ResourceInUseException")
    }

    @Test func `a packed body of PutEvents is unpacked behind its signature, a broken or swollen one is refused`() throws {
        func put(_ body: [UInt8], encoding: String = "gzip") throws -> SignedClient.Answer {
            try client.send(
                "/events", headers: [("Content-Type", "application/json"), ("Content-Encoding", encoding)], bytes: body)
        }
        let event = #"{"sentAt":1789999000,"eventType":"View","itemId":"i1"}"#
        let body = Array(#"{"trackingId":"\#(trackingID)","userId":"u","sessionId":"s","eventList":[\#(event)]}"#.utf8)
        #expect(try put(GzipDeflater.deflate(body)).status == 200)
        #expect(try client.environment.read { try $0.query("SELECT 1 FROM interaction").count } == 1)
        #expect(try put(Array(GzipDeflater.deflate(body).dropLast(9))).status == 400)
        #expect(try put(body, encoding: "br").status == 400)
        #expect(try put(GzipDeflater.deflate(body + [UInt8](repeating: 0x20, count: 2 << 20))).status == 400)
    }

    // MARK: The tracker

    @Test func `a packed batch of the tracker is unpacked, within the limit of one that is not`() throws {
        func send(_ body: String) throws -> SignedClient.Answer {
            let packed = try GzipDeflater.deflate(Array(body.utf8))
            let headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip"), ("Host", "taste.example")]
            return try client.answer(Request(.post, "/e", headers: headers, body: packed))
        }
        let answer = try send(#"{"key":"\#(trackingID)","batch":[\#(view)]}"#)
        #expect(answer.status == 202 && answer.json["accepted"] == 1)
        #expect(try send(#"{"key":"\#(trackingID)","pad":"\#(String(repeating: "a", count: 600_000))","batch":[\#(view)]}"#).status == 400)
    }

    private func track(
        _ batch: String, origin: String? = nil, type: String = "text/plain", key: String? = nil, body: String? = nil
    ) throws -> SignedClient.Answer {
        let body = body ?? #"{"key":"\#(key ?? trackingID)","batch":\#(batch)}"#
        let headers = [("Content-Type", type), ("Host", "taste.example")] + (origin.map { [("Origin", $0)] } ?? [])
        return try client.answer(Request(.post, "/e", headers: headers, body: Array(body.utf8)))
    }

    private let view = #"{"type":"track","event":"Product Viewed","messageId":"m1","anonymousId":"v","properties":{"product_id":"p"}}"#

    @Test(arguments: ["text/plain", "application/json; charset=utf-8", "text/plain;charset=UTF-8", ""])
    func `a batch is answered with what became of each event`(type: String) throws {
        let answer = try track("[\(view),\(view),{\"event\":\"x\",\"messageId\":\"m2\"}]", type: type)
        #expect(answer.status == 202)
        #expect(
            answer.text
                == #"{"accepted":1,"duplicate":1,"rejected":[{"messageId":"m2","reason":"An event needs an anonymousId or a userId."}]}"#)
    }

    @Test func `a form carries the same`() throws {
        let type = "application/x-www-form-urlencoded"
        let fields = "key=\(trackingID)&type=track&event=View&anonymousId=v&product_id=p&messageId=m"
        #expect(try track("", type: type, body: fields).json["accepted"]?.intValue == 1)
        let data = PercentCoding.encode(#"{"key":"\#(trackingID)","batch":[\#(view)]}"#)
        #expect(try track("", type: type, body: "data=\(data)").json["accepted"]?.intValue == 1)
    }

    @Test func `an image stores one event, also when the server asks twice`() throws {
        let target = "/e.gif?key=\(trackingID)&event=View&anonymousId=v&product_id=p"
        for _ in 0..<2 {
            let answer = try client.answer(Request(.get, target, deliveryID: "0123456789abcdef0123456789abcdef"))
            #expect(answer.status == 200 && answer.response.header("Content-Type") == "image/gif")
        }
        #expect(try texts("SELECT 'x' FROM interaction").count == 1)
    }

    @Test func `an unknown key is 401, in words that a page can read`() throws {
        let answer = try track("[\(view)]", origin: "https://shop.example", key: "nope")
        #expect(answer.status == 401)
        #expect(answer.response.header("Access-Control-Allow-Origin") == "https://shop.example")
    }

    @Test func `an origin that is not listed is refused, kept for the console, and can be allowed`() throws {
        let refused = try track("[\(view)]", origin: "https://shop.example")
        #expect(refused.status == 403 && refused.json["__type"] == "OriginNotAllowed")
        #expect(try texts("SELECT origin FROM raw_event WHERE rejected_reason IS NOT NULL") == ["https://shop.example"])
        let tracker = try client.environment.eventTracker(ofGroup: group, by: .system)
        _ = try client.environment.updateEventTrackerOrigins(id: tracker?.id ?? 0, origins: ["https://shop.example"], by: .system)
        let deadline = Date(timeIntervalSinceNow: 10)
        var answer = refused
        while answer.status == 403, Date() < deadline { answer = try track("[\(view)]", origin: "https://shop.example") }
        #expect(answer.status == 202)
        #expect(answer.response.header("Access-Control-Allow-Origin") == "https://shop.example")
        #expect(answer.response.header("Vary") == "Origin")
    }

    @Test(arguments: ["http://127.0.0.1:8080", "http://taste.example"])
    func `the product's own pages need not be listed`(origin: String) throws {
        #expect(try track("[\(view)]", origin: origin).status == 202)
    }

    @Test func `a preflight is answered`() throws {
        let answer = try client.answer(
            Request(.options, "/e", headers: [("Origin", "https://shop.example"), ("Access-Control-Request-Method", "POST")]))
        #expect(answer.status == 204)
        #expect(answer.response.header("Access-Control-Allow-Headers") == "Content-Type, Content-Encoding, Authorization, X-Retry-Count")
    }

    @Test(arguments: [
        ("{", 400), ("[]", 400), (#"{"key":"KEY","batch":[]}"#, 400), (#"{"key":"KEY"}"#, 400), (#"{"key":"KEY","batch":[7]}"#, 202),
        (#"{"key":"KEY","batch":["# + Array(repeating: "{}", count: 501).joined(separator: ",") + "]}", 400),
        (#"{"key":"KEY","batch":[{"event":"View","anonymousId":"v\u0000"}]}"#, 400), (String(repeating: "x", count: 600_000), 413),
    ])
    func `a body that is no batch is refused`(body: String, status: Int) throws {
        #expect(try track("", body: body.replacing("KEY", with: trackingID)).status == status)
        #expect(try texts("SELECT 'x' FROM interaction") == [])
    }

    // MARK: Users

    @Test func `a key with the scope users erases a user`() throws {
        _ = try putEvents(#"{"eventType":"click","sentAt":1789999000,"itemId":"a"}"#, user: "ü/1")
        let send = { (method: Web.Method, scope: String) throws -> SignedClient.Answer in
            let key = try client.environment.createAPIKey(name: scope, scopes: [scope], by: .system)
            return try client.answer(
                Request(method, "/v1/users/%C3%BC%2F1?datasetGroup=shop", headers: [("Authorization", "Bearer \(key.secret)")]))
        }
        #expect(try send(.get, "users").json["recentEvents"]?.arrayValue?.count == 1)
        #expect(try send(.delete, "recommend").status == 403)
        let answer = try send(.delete, "users")
        #expect(answer.status == 200 && answer.json["erased"]?["interactions"]?.intValue == 1)
        #expect(try send(.delete, "users").status == 404)
    }
}
