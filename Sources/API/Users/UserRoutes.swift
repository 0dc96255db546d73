import JSON
import Tastemaker
import Web

/// Single users, for a site's own service desk: what is kept, and erasing it. `?datasetGroup=` names the group unless the key is bound.
enum UserRoutes {
    static let all: [APIRoute] = [
        APIRoute(.get, "/v1/users/{id}", name: "DescribeUser", access: .apiKey(scope: "users"), handler: describe),
        APIRoute(.delete, "/v1/users/{id}", name: "EraseUser", access: .apiKey(scope: "users"), handler: erase),
    ]

    private static func describe(_ context: inout APIContext, _ request: Request) throws -> Response {
        let user = try context.environment.describeUser(
            request.pathValue("id") ?? "", datasetGroupName: request.query("datasetGroup"), by: context.requireCaller())
        guard let user else { throw OperationError.notFound("The dataset group knows no user of this id.") }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("hasRecord", user.hasRecord)
            writer.member("browsers", integer: Int64(user.browsers))
            writer.list("recentEvents", user.events) { writer, event in
                writer.member("eventType", event.eventType)
                writer.member("itemId", event.itemID)
                writer.member("at", event.at)
            }
        }
        return .json(writer.bytes)
    }

    private static func erase(_ context: inout APIContext, _ request: Request) throws -> Response {
        let erased = try context.environment.eraseUser(
            request.pathValue("id") ?? "", datasetGroupName: request.query("datasetGroup"), by: context.requireCaller())
        var writer = JSONWriter()
        writer.object { writer in
            writer.object("erased") { writer in
                for (name, count) in erased.counts { writer.member(name, integer: Int64(count)) }
            }
        }
        return .json(writer.bytes)
    }
}
