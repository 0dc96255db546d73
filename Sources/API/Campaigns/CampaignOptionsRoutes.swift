import JSON
import Tastemaker
import Web

/// Our own options of a campaign, which the AWS shapes have no place for: variety, caps and value in its lists.
enum CampaignOptionsRoutes {
    private static let path = "/v1/campaigns/{name}/options"

    static let all: [APIRoute] = [
        APIRoute(.get, path, name: "DescribeCampaignOptions", access: .apiKey(scope: "campaigns"), handler: describe),
        APIRoute(
            .put, path, name: "UpdateCampaignOptions", access: .apiKey(scope: "campaigns"), body: .whole(limit: 1 << 14), handler: update),
    ]

    private static func describe(_ context: inout APIContext, _ request: Request) throws -> Response {
        let caller = try context.requireCaller()
        let environment = context.environment
        return .json(try environment.describeCampaignOptions(arn: arn(request, environment, caller), by: caller).json.serialized())
    }

    /// The whole document takes the place of the former one; an empty one turns re-ranking off.
    private static func update(_ context: inout APIContext, _ request: Request) throws -> Response {
        let caller = try context.requireCaller()
        let environment = context.environment
        let options = try CampaignOptions(.object(try WireBody.object(request)))
        return .json(try environment.updateCampaignOptions(arn: arn(request, environment, caller), options, by: caller).json.serialized())
    }

    private static func arn(_ request: Request, _ environment: Environment, _ caller: Caller) -> String {
        environment.arn(.campaign, request.pathValue("name") ?? "", for: caller)
    }
}
