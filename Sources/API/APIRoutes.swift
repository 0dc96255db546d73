import Tastemaker
public import Web

/// The route table of the API: every file of routes is named here once.
public enum APIRoutes {
    public static let all: [APIRoute] =
        ControlRoutes.all + EventRoutes.all + TrackerRoutes.all + UserRoutes.all + CampaignOptionsRoutes.all + RuntimeRoutes.all
        + PlacementRoutes.all
        + HealthRoutes.all

    /// A REST path of the AWS doors, bare and behind an endpoint URL's path of one segment.
    static func prefixed(_ path: String, name: String, limit: Int = 1 << 20, handler: @escaping APIRoute.Handler) -> [APIRoute] {
        [path, "/{prefix}" + path].map {
            APIRoute(.post, $0, name: name, access: .aws(.rest), body: .whole(limit: limit), handler: handler)
        }
    }
}

/// Answers API requests: routes, gate and the form of errors.
public struct APIServer: Sendable {
    private let router: Router<APIContext, APIAccess>

    /// `routes`: the table, or part of it for a pool that serves less.
    public init(routes: [APIRoute] = APIRoutes.all) {
        let gate = APIGate()
        router = Router(
            routes,
            failure: { error, _, route in
                let style = route?.access.style ?? .plain
                return WireError(error, style: style).response(style)
            },
            gate: { context, request, route in try gate.judge(&context, request, route) })
    }

    public func handle(_ request: Request, _ context: inout APIContext) -> RoutedResponse {
        router.handle(request, &context)
    }
}
