import JSON
import Postgres
import Support

@testable import Tastemaker

/// A shop with actions: `a0`, `a1` and `a2` are often proposed and taken by a third of the users each, `new` was never proposed, `gone`
/// has expired, and `a2` is not proposed again for ten days.
struct ActionShop {
    let shop: Shop
    let service: RecommendationService

    static let actionsSchema = """
        {"type":"record","name":"Actions","namespace":"com.amazonaws.personalize.schema","version":"1.0","fields":[
        {"name":"ACTION_ID","type":"string"},{"name":"KIND","type":["null","string"],"categorical":true},
        {"name":"VALUE","type":["null","long"]},{"name":"EXPIRATION_TIMESTAMP","type":["null","long"]},
        {"name":"REPEAT_FREQUENCY","type":["null","long"]}]}
        """
    static let interactionsSchema = """
        {"type":"record","name":"ActionInteractions","namespace":"com.amazonaws.personalize.schema","version":"1.0","fields":[
        {"name":"USER_ID","type":"string"},{"name":"ACTION_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},
        {"name":"TIMESTAMP","type":"long"}]}
        """
    static let userCount = 150
    private static let days: Int64 = 70

    var environment: Environment { shop.environment }
    var now: Int64 { Int64(shop.clock.now.seconds) }

    init(importMemoryBytes: Int? = nil) throws {
        shop = try Shop(importMemoryBytes: importMemoryBytes)
        service = RecommendationService(environment: shop.environment)
        for (type, schema) in [("ACTIONS", Self.actionsSchema), ("ACTION_INTERACTIONS", Self.interactionsSchema)] {
            _ = try environment.createSchema(CreateSchemaInput(name: "schema-\(type)", body: schema), by: .system)
            _ = try environment.createDataset(
                CreateDatasetInput(
                    name: type, schemaARN: arn(.schema, "schema-\(type)"), datasetGroupARN: arn(.datasetGroup, "shop"), datasetType: type),
                by: .system)
        }
    }

    func arn(_ kind: ResourceARN.Kind, _ path: String) -> String { shop.arn(kind, path) }

    static let actionsHeader = "ACTION_ID,KIND,VALUE,EXPIRATION_TIMESTAMP,REPEAT_FREQUENCY\n"

    var actions: String {
        Self.actionsHeader
            + "a0,coupon,,,\na1,coupon,5,,\na2,letter,,\(now + 86_400 * 400),10\nnew,letter,9,,\ngone,coupon,10,\(now - 60),\n"
    }

    static let interactionsHeader = "USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\n"

    /// Every user is shown every action on about every seventh day, and takes that of the own third a quarter of the times.
    var responses: String {
        var text = Self.interactionsHeader
        var state: UInt64 = 11
        func chance(_ share: Double) -> Bool {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 11) / Double(1 << 53) < share
        }
        for day in 0..<Self.days {
            for user in 0..<Self.userCount {
                for action in 0..<3 where chance(1.0 / 7) {
                    let response = chance(user % 3 == action ? 0.25 : 0.02) ? "Taken" : chance(0.5) ? "VIEWED" : "not_taken"
                    text += "u\(user),a\(action),\(response),\(now - (Self.days - day) * 86_400 + Int64(user * 60 + action))\n"
                }
            }
        }
        return text
    }

    func importAll() throws {
        try shop.importText(Shop.tastes())
        try shop.importText(actions, as: .actions)
        try shop.importText(responses, as: .actionInteractions)
    }

    /// A version of the solution `next`, trained or failed.
    func train() throws -> SolutionVersion {
        if try environment.read({ try SolutionQueries.find(name: "next", $0) }) == nil {
            _ = try environment.createSolution(
                CreateSolutionInput(
                    name: "next", datasetGroupARN: arn(.datasetGroup, "shop"), recipeARN: arn(.recipe, "aws-next-best-action")), by: .system
            )
        }
        let version = try environment.createSolutionVersion(
            CreateSolutionVersionInput(solutionARN: arn(.solution, "next")), by: .system)
        shop.runJobs()
        return try environment.describeSolutionVersion(arn: arn(.solution, version.path), by: .system)
    }

    /// A campaign `next` on the newest version, which leaves nothing to chance unless asked to.
    func deploy(explorationWeight: String = "0") throws {
        _ = try environment.createCampaign(
            CreateCampaignInput(
                name: "next", solutionVersionARN: arn(.solution, "next/$LATEST"),
                config: ["itemExplorationConfig": ["explorationWeight": .string(explorationWeight)]]), by: .system)
    }

    func propose(_ user: String, count: Int? = nil, filter: RecommendationRequest.FilterUse? = nil) throws -> [ActionAnswer.Action] {
        try service.proposeActions(ActionRequest(campaign: "next", userID: user, count: count, filter: filter), by: .system).actions
    }

    /// Stores responses as PutActionInteractions does.
    func put(_ user: String, _ action: String, _ type: String, ago: Int64 = 0, id: String? = nil) throws {
        let dataset = try environment.describeDataset(arn: arn(.dataset, "shop/ACTION_INTERACTIONS"), by: .system)
        let door = try environment.openActionDoor(trackingID: dataset.trackingID ?? "")
        var event: JSONObject = [
            "actionId": .string(action), "sessionId": .string("s-\(user)"), "userId": .string(user), "timestamp": .integer(now - ago),
            "eventType": .string(type),
        ]
        if let id { event["eventId"] = .string(id) }
        guard let door else { throw OperationError.notFound("door") }
        let events = try environment.eventsOfPutActionInteractions(InputMembers(["actionInteractions": [.object(event)]]), door: door)
        try environment.prepareInteractionPart(datasetGroupID: shop.group.id)
        _ = try environment.change { try environment.storeEvents(events, $0) }
    }
}
