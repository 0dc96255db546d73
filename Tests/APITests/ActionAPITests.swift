import JSON
import Postgres
import Support
import Tastemaker
import Testing
import Web

/// The doors for actions, as clients meet them.
struct ActionAPITests {
    let client: SignedClient
    let trackingID: String

    private static func schema(_ name: String, _ fields: [String]) -> String {
        let list = fields.map { #"{\"name\":\"\#($0)\",\"type\":\"\#($0 == "TIMESTAMP" || $0 == "VALUE" ? "long" : "string")\"}"# }
        return #"{\"type\":\"record\",\"name\":\"\#(name)\",\"fields\":[\#(list.joined(separator: ","))]}"#
    }

    init() throws {
        client = try SignedClient()
        try client.makeShop()
        for (name, type, fields) in [
            ("Actions", "Actions", ["ACTION_ID", "VALUE"]),
            ("ActionInteractions", "Action_Interactions", ["USER_ID", "ACTION_ID", "EVENT_TYPE", "TIMESTAMP", "DEVICE"]),
        ] {
            _ = try client.call("CreateSchema", #"{"name":"\#(name)","schema":"\#(Self.schema(name, fields))"}"#)
            _ = try client.call(
                "CreateDataset",
                #"{"name":"\#(name)","schemaArn":"\#(client.arn("schema/\(name)"))","datasetGroupArn":"\#(client.arn("dataset-group/shop"))","datasetType":"\#(type)"}"#
            )
        }
        let dataset = try client.call("DescribeDataset", #"{"datasetArn":"\#(client.arn("dataset/shop/ACTION_INTERACTIONS"))"}"#).json
        trackingID = dataset["dataset"]?["trackingId"]?.stringValue ?? ""
    }

    private func post(_ path: String, _ body: String) throws -> SignedClient.Answer {
        try client.send(path, headers: [("Content-Type", "application/json")], body: body)
    }

    private func putAction(_ action: String) throws -> SignedClient.Answer {
        try post("/actions", #"{"datasetArn":"\#(client.arn("dataset/shop/ACTIONS"))","actions":[\#(action)]}"#)
    }

    private func putEvent(_ event: String, tracker: String? = nil) throws -> SignedClient.Answer {
        try post("/action-interactions", #"{"trackingId":"\#(tracker ?? trackingID)","actionInteractions":[\#(event)]}"#)
    }

    private func texts(_ table: String) throws -> [String] {
        try client.environment.read { connection in
            try connection.query(
                table == "records"
                    ? "SELECT k.external_id || ' ' || (r.attributes->>'VALUE') FROM action_record r JOIN action_key k ON k.id = r.action_id"
                    : """
                    SELECT concat_ws(' ', u.external_id, k.external_id, i.event_type, i.properties->>'DEVICE') FROM interaction i
                    JOIN action_key k ON k.id = i.item_id JOIN user_key u ON u.id = i.user_id
                    """
            ).map { try $0.string(0) }
        }
    }

    @Test func `only the dataset of action interactions has a tracking id`() throws {
        #expect(trackingID.utf8.count == 36)
        let other = try client.call("DescribeDataset", #"{"datasetArn":"\#(client.arn("dataset/shop/ACTIONS"))"}"#).json
        #expect(other["dataset"]?["datasetType"] == "ACTIONS")
        #expect(other["dataset"]?["trackingId"] == nil)
    }

    @Test func `an action is stored and replaced whole`() throws {
        let first = try putAction(#"{"actionId":"a","properties":"{\"value\":3}"}"#)
        #expect(first.status == 200 && first.text == "{}")
        #expect(try putAction(#"{"actionId":"a","properties":{"VALUE":"7"}}"#).status == 200)
        #expect(try texts("records") == ["a 7"])
    }

    @Test(arguments: [
        #"{"actionId":"a","properties":"{\"value\":11}"}"#, #"{"actionId":"a","properties":"{}"}"#, #"{"properties":"{\"value\":1}"}"#,
        #"{"actionId":"a","properties":"no json"}"#,
    ])
    func `an action that does not fit is refused`(_ action: String) throws {
        let answer = try putAction(action)
        #expect(answer.status == 400 && answer.json["__type"] == "InvalidInputException")
        #expect(try texts("records").isEmpty)
    }

    @Test func `a response is stored under the user, else the session, with the columns of the schema`() throws {
        let known = try putEvent(
            #"{"actionId":"a","userId":"u","sessionId":"s","timestamp":1789999000,"eventType":"NOT_TAKEN","properties":"{\"device\":\"tv\"}","impression":["a","b"],"recommendationId":"RID-x"}"#
        )
        #expect(known.status == 200 && known.text == "{}")
        #expect(try putEvent(#"{"actionId":"b","sessionId":"s","timestamp":1789999000.5,"eventType":"taken"}"#).status == 200)
        #expect(try texts("events").sorted() == ["s b 0", "u a 1 tv"])
    }

    @Test(arguments: [
        #"{"actionId":"a","sessionId":"s","timestamp":1789999000,"eventType":"clicked"}"#,
        #"{"actionId":"a","sessionId":"s","eventType":"Taken"}"#, #"{"actionId":"a","timestamp":1789999000,"eventType":"Taken"}"#,
        #"{"sessionId":"s","timestamp":1789999000,"eventType":"Taken"}"#,
        #"{"actionId":"a","sessionId":"s","timestamp":1999999000,"eventType":"Taken"}"#,
        #"{"actionId":"a","sessionId":"s","timestamp":1789999000,"eventType":"Taken","impression":[]}"#,
        #"{"actionId":"a","sessionId":"s","timestamp":1789999000,"eventType":"Taken","properties":"{\"actionId\":\"b\"}"}"#,
    ])
    func `a response that does not fit is refused`(_ event: String) throws {
        let answer = try putEvent(event)
        #expect(answer.status == 400 && answer.json["__type"] == "InvalidInputException")
        #expect(try texts("events").isEmpty)
    }

    @Test func `responses need the tracking id of their dataset`() throws {
        let tracker = try client.call("CreateEventTracker", #"{"name":"web","datasetGroupArn":"\#(client.arn("dataset-group/shop"))"}"#)
            .json
        let event = #"{"actionId":"a","sessionId":"s","timestamp":1789999000,"eventType":"Taken"}"#
        for id in [try #require(tracker["trackingId"]?.stringValue), "nobody's", "00000000-0000-0000-0000-000000000000"] {
            #expect(try putEvent(event, tracker: id).json["__type"] == "InvalidInputException")
        }
        let events = #"{"trackingId":"\#(trackingID)","sessionId":"s","eventList":[{"eventType":"v","sentAt":1789999000,"itemId":"i"}]}"#
        #expect(try post("/events", events).json["__type"] == "InvalidInputException")
    }

    @Test func `a dataset that is made anew takes the same responses at once`() throws {
        let event = #"{"actionId":"a","sessionId":"s","timestamp":1789999000,"eventType":"Taken","eventId":"e"}"#
        for _ in 0..<2 { #expect(try putEvent(event).status == 200) }
        #expect(try texts("events") == ["s a 0"])
        let arn = client.arn("dataset/shop/ACTION_INTERACTIONS")
        #expect(try client.call("DeleteDataset", #"{"datasetArn":"\#(arn)"}"#).status == 200)
        _ = try client.call(
            "CreateDataset",
            #"{"name":"again","schemaArn":"\#(client.arn("schema/ActionInteractions"))","datasetGroupArn":"\#(client.arn("dataset-group/shop"))","datasetType":"Action_Interactions"}"#
        )
        let tracker = try client.call("DescribeDataset", #"{"datasetArn":"\#(arn)"}"#).json["dataset"]?["trackingId"]?.stringValue
        #expect(tracker != nil && tracker != trackingID)
        #expect(try putEvent(event, tracker: tracker).status == 200)
        #expect(try texts("events") == ["s a 0"])
    }

    @Test func `the recipe is described with its one parameter`() throws {
        let recipe = try client.call("DescribeRecipe", #"{"recipeArn":"arn:aws:personalize:::recipe/aws-next-best-action"}"#).json
        #expect(recipe["recipe"]?["recipeType"] == "PERSONALIZED_ACTIONS")
        let features = try client.call(
            "DescribeFeatureTransformation",
            #"{"featureTransformationArn":"arn:aws:personalize:::feature-transformation/aws-next-best-action"}"#
        ).json
        #expect(features["featureTransformation"]?["defaultParameters"] == ["action_optimization_period": "14"])
        let listed = try client.call("ListRecipes").json["recipes"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
        #expect(listed.contains("aws-next-best-action"))
        let solution =
            #""datasetGroupArn":"\#(client.arn("dataset-group/shop"))","recipeArn":"arn:aws:personalize:::recipe/aws-next-best-action""#
        for (days, status) in [("6", 400), ("29", 400), ("28", 200)] {
            let answer = try client.call(
                "CreateSolution",
                #"{"name":"n\#(days)",\#(solution),"solutionConfig":{"featureTransformationParameters":{"action_optimization_period":"\#(days)"}}}"#
            )
            #expect(answer.status == status)
        }
    }

    @Test(arguments: [
        (#"{"userId":"u"}"#, "InvalidInputException"),
        (#"{"campaignArn":"arn:aws:personalize:eu-west-1:123456789012:campaign/none","userId":"u"}"#, "ResourceNotFoundException"),
        (#"{"campaignArn":"arn:aws:personalize:eu-west-1:123456789012:campaign/none"}"#, "InvalidInputException"),
    ])
    func `a request that cannot be answered names its error`(_ body: String, _ code: String) throws {
        #expect(try post("/action-recommendations", body).json["__type"] == .string(code))
    }
}
