import API
import JSON
import Support
import Tastemaker
import Testing
import Web

/// The wire shapes of recommendations, through routes and gate.
struct RuntimeTests {
    let shop: ServedShop
    let client: SignedClient

    init() throws {
        shop = try ServedShop()
        client = try SignedClient(shop: shop)
    }

    func post(_ path: String, _ body: String) throws -> SignedClient.Answer {
        try client.send(path, headers: [("Content-Type", "application/json")], body: body)
    }

    func campaign(_ name: String) -> String { "arn:aws:personalize:eu-west-1:123456789012:campaign/\(name)" }

    @Test func `recommendations have item ids, scores of seven decimals and an id of forty characters`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        let answer = try post("/recommendations", #"{"campaignArn":"\#(campaign("personal"))","userId":"u1","numResults":3}"#)
        #expect(answer.status == 200)
        #expect(answer.response.header("Content-Type") == "application/json")
        #expect(answer.json.objectValue?.members.map(\.name) == ["itemList", "recommendationId"])
        #expect(answer.json["itemList"]?.arrayValue?.count == 3)
        #expect(answer.json["itemList"]?.arrayValue?.first?.objectValue?.members.map(\.name) == ["itemId", "score"])
        #expect(answer.text.contains(try Regex(#""score":0\.\d{7}[,}]"#)))
        #expect(answer.json["recommendationId"]?.stringValue?.utf8.count == 40)
    }

    @Test func `sims and popularity answer without scores`() throws {
        try shop.deploy("aws-sims", campaign: "related")
        try shop.deploy("aws-popularity-count", campaign: "popular")
        for body in [
            #"{"campaignArn":"\#(campaign("related"))","itemId":"i1","numResults":2}"#,
            #"{"campaignArn":"\#(campaign("popular"))","numResults":2}"#,
        ] {
            let answer = try post("/recommendations", body)
            #expect(answer.status == 200)
            #expect(answer.json["itemList"]?.arrayValue?.first?.objectValue?.members.map(\.name) == ["itemId"])
        }
    }

    @Test func `a ranking answers under its own name, behind a path prefix too`() throws {
        try shop.deploy("aws-personalized-ranking", campaign: "ranking")
        let body = #"{"campaignArn":"\#(campaign("ranking"))","userId":"u2","inputList":["i0","i2","i1"]}"#
        for path in ["/personalize-ranking", "/aws/personalize-ranking"] {
            let answer = try post(path, body)
            #expect(answer.status == 200)
            #expect(answer.json["personalizedRanking"]?.arrayValue?.first?["itemId"]?.stringValue == "i2")
        }
    }

    @Test func `the second version says why a promoted or a filling item is there`() throws {
        try shop.deploy("aws-user-personalization-v2", campaign: "second")
        try shop.createFilter("blue", #"INCLUDE ItemID WHERE Items.CATEGORY IN ("blue")"#)
        let answer = try post(
            "/recommendations",
            #"""
            {"campaignArn":"\#(campaign("second"))","userId":"u0","numResults":4,"promotions":[{"name":"week","percentPromotedItems":50,
            "filterArn":"arn:aws:personalize:eu-west-1:123456789012:filter/blue"}],"metadataColumns":{"ITEMS":["CATEGORY"]}}
            """#)
        #expect(answer.status == 200)
        let promoted = answer.json["itemList"]?.arrayValue?.filter { $0["promotionName"]?.stringValue == "week" } ?? []
        #expect(promoted.count == 2)
        #expect(promoted.allSatisfy { $0["reason"] == ["Promoted item"] && $0["metadata"] == ["category": "blue"] })
    }

    @Test(arguments: [
        (#"{"userId":"u1"}"#, 400, "InvalidInputException"),
        (#"{"campaignArn":"arn:aws:personalize:eu-west-1:123456789012:campaign/none","userId":"u1"}"#, 404, "ResourceNotFoundException"),
        (#"{"campaignArn":"arn:aws:personalize:eu-west-1:123456789012:campaign/personal"}"#, 400, "InvalidInputException"),
        (
            #"{"campaignArn":"arn:aws:personalize:eu-west-1:123456789012:campaign/personal","userId":"u","numResults":501}"#, 400,
            "InvalidInputException"
        ),
        (
            #"{"campaignArn":"arn:aws:personalize:eu-west-1:123456789012:campaign/personal","userId":"u","filterArn":"arn:aws:personalize:eu-west-1:123456789012:filter/none"}"#,
            404, "ResourceNotFoundException"
        ),
        ("{", 400, "SerializationException"),
    ])
    func `what cannot be answered is refused in the wire's form`(body: String, status: Int, code: String) throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        let answer = try post("/recommendations", body)
        #expect(answer.status == status)
        #expect(answer.response.header("x-amzn-ErrorType") == code)
    }

    // MARK: Placements

    func get(_ query: String, _ headers: [(String, String)] = [], path: String = "/v1/placements/home/recommendations") throws
        -> SignedClient.Answer
    {
        try client.answer(Request(.get, path + "?" + query, headers: headers))
    }

    func tracker() throws -> EventTracker {
        try shop.environment.createEventTracker(
            CreateEventTrackerInput(name: "web", datasetGroupARN: shop.arn("dataset-group/shop"), origins: ["https://shop.example"]),
            by: .system)
    }

    @Test func `a placement answers a page of a listed origin by the tracker's key`() throws {
        try shop.placement("home", count: 3)
        let key = try tracker().trackingID
        let answer = try get("key=\(key)&anonymousId=abc", [("Origin", "https://shop.example")])
        #expect(answer.status == 200)
        #expect(answer.response.header("Access-Control-Allow-Origin") == "https://shop.example")
        #expect(answer.json["rung"]?.stringValue == "popular")
        #expect(answer.json["items"]?.arrayValue?.count == 3)
        let item = answer.json["items"]?.arrayValue?.first
        #expect(
            item?.objectValue?.members.map(\.name) == ["itemId", "position", "title", "price", "currency", "category", "score", "reason"]
                || item?.objectValue?.members.map(\.name) == ["itemId", "position", "title", "price", "currency", "category", "reason"])
        #expect(item?["currency"]?.stringValue == "EUR")
        #expect(item?["reason"]?.stringValue == "popular now")
    }

    @Test func `other origins and unknown keys are refused`() throws {
        try shop.placement("home")
        let key = try tracker().trackingID
        #expect(try get("key=\(key)", [("Origin", "https://evil.example")]).status == 403)
        #expect(try get("key=00000000-0000-0000-0000-000000000000").status == 401)
        #expect(try get("").status == 401)
    }

    @Test func `a page reads a named user's reasons only with the site's signature`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        try shop.placement("home", campaign: "personal", count: 3)
        let tracker = try tracker()
        let secret = try shop.environment.revealEventTrackerSecret(id: tracker.id, by: .system)
        let query = "key=\(tracker.trackingID)&anonymousId=stranger&userId=u1"
        let unsigned = try get(query)
        #expect(!unsigned.text.contains("because you"))
        #expect(!(try get(query + "&userSignature=\(String(repeating: "0", count: 64))")).text.contains("because you"))
        let signature = UserSignature.sign("u1", secret: Array(secret.utf8))
        let signed = try get(query + "&userSignature=\(signature)")
        #expect(signed.text.contains("because you viewed"))
    }

    @Test func `the anonymous id of a page never reads a user of that name`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        try shop.placement("home", campaign: "personal", count: 3)
        let key = try tracker().trackingID
        #expect(!(try get("key=\(key)&anonymousId=u1")).text.contains("because you"))
    }

    @Test func `an API key with the scope asks for whom it names`() throws {
        try shop.deploy("aws-user-personalization", campaign: "personal")
        try shop.placement("home", campaign: "personal", count: 3)
        let key = try shop.environment.createAPIKey(name: "server", scopes: ["recommend"], datasetGroupID: shop.groupID, by: .system)
        let answer = try get("userId=u1", [("Authorization", "Bearer \(key.secret)")])
        #expect(answer.status == 200)
        #expect(answer.text.contains("because you viewed"))
        let other = try shop.environment.createAPIKey(name: "other", scopes: ["metrics"], datasetGroupID: shop.groupID, by: .system)
        #expect(try get("userId=u1", [("Authorization", "Bearer \(other.secret)")]).status == 403)
        #expect(try get("", [("Authorization", "Bearer \(key.secret)")], path: "/v1/placements/none/recommendations").status == 404)
    }

    @Test func `health answers anybody`() throws {
        #expect(try client.answer(Request(.get, "/health/live")).status == 200)
        #expect(try client.answer(Request(.get, "/health/ready")).status == 200)
    }
}
