public import Tastemaker
public import Web

public typealias ConsoleRoute = Route<ConsoleContext, Access>

extension Route where Context == ConsoleContext, Access == Console.Access {
    /// A page, or a form's target, outside of any dataset group.
    public static func page(
        _ method: Method, _ pattern: String, _ access: Access, _ body: @escaping @Sendable (Visit) throws -> Response
    ) -> ConsoleRoute {
        ConsoleRoute(method, pattern, access: access) { context, request in try body(Visit(context, request)) }
    }

    /// The same within a dataset group: `pattern` follows `/console/groups/{group}`. The visit's caller is bound to the group, so that
    /// an operation finds no resource of another.
    public static func group(
        _ method: Method, _ pattern: String, _ access: Access, _ body: @escaping @Sendable (Visit, DatasetGroup) throws -> Response
    ) -> ConsoleRoute {
        ConsoleRoute(method, "/console/groups/{group}" + pattern, access: access) { context, request in
            let visit = try Visit(context, request).inGroup()
            return try body(visit.visit, visit.group)
        }
    }

    /// A form with files. The body is streamed; the handler passes the field `csrf`, which comes first, to `Visit.checkToken`.
    public static func upload(
        _ pattern: String, _ access: Access, limit: Int, _ body: @escaping @Sendable (Visit, DatasetGroup) throws -> Response
    ) -> ConsoleRoute {
        ConsoleRoute(.post, "/console/groups/{group}" + pattern, access: access, body: .streamed(limit: limit)) { context, request in
            let visit = try Visit(context, request).inGroup()
            return try body(visit.visit, visit.group)
        }
    }
}
