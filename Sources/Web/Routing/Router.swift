/// The flat table of all routes, and the way of a request through it: match, read the body, ask the gate, handle.
///
/// Authorisation belongs to the matched route: no handler runs unless the gate let the request pass for that route's
/// `access`, and the path as text decides nothing.
public struct Router<Context: ~Copyable, Access: Sendable>: Sendable {
    /// Judges a request for a route. Nil lets it pass; an answer stands instead of the handler's.
    /// Runs before every handler, so it is the place to note the caller in the context.
    public typealias Gate = @Sendable (inout Context, Request, Route<Context, Access>) throws -> Response?

    /// Turns what a gate or handler threw into an answer. The route is nil when none matched.
    public typealias Failure = @Sendable (any Error, Request, Route<Context, Access>?) -> Response

    /// In the order of the table, for tests that go over all routes.
    public let routes: [Route<Context, Access>]
    private let tree: RouteTree
    private let gate: Gate
    private let failure: Failure

    /// Two routes with one method and pattern are a programmer's error and end the program at start.
    public init(
        _ routes: [Route<Context, Access>],
        failure: @escaping Failure = { error, _, _ in Self.answer(to: error) },
        gate: @escaping Gate
    ) {
        var tree = RouteTree()
        for (index, route) in routes.enumerated() {
            let isNew = tree.insert(route.segments.map(\.step), method: route.method, route: index)
            precondition(isNew, "the route \(route.method.rawValue) \(route.pattern) is listed twice")
        }
        self.routes = routes
        self.tree = tree
        self.gate = gate
        self.failure = failure
    }

    /// Answers a request. Nothing that a handler throws goes further than this.
    public func handle(_ request: Request, _ context: inout Context) -> RoutedResponse {
        guard let match = tree.match(request.rawPath) else {
            return refuse(.init(.notFound, code: "NotFound", message: "There is nothing at this path."), request)
        }
        // HEAD is answered as GET; the server leaves the body away.
        guard let index = Self.route(for: request.method, in: match) else { return methodNotAllowed(match, request) }
        let route = routes[index]
        var request = request
        do {
            if !match.values.isEmpty {
                request.pathNames = route.valueNames
                request.pathValues = try Self.decode(match.values)
            }
            try Self.readBody(of: &request, for: route)
            let response = try gate(&context, request, route) ?? route.handler(&context, request)
            return RoutedResponse(response: response, route: route.name)
        } catch {
            return RoutedResponse(response: failure(error, request, route), route: route.name, failure: error)
        }
    }

    /// The answer to an error that the edge does not know: an `HTTPError` as it says, else 500 without details.
    public static func answer(to error: any Error) -> Response {
        let known = error as? HTTPError
        return (known ?? HTTPError(.internalServerError, code: "InternalServerException", message: "An internal error occurred."))
            .jsonResponse()
    }

    private func refuse(_ error: HTTPError, _ request: Request) -> RoutedResponse {
        RoutedResponse(response: failure(error, request, nil), route: "unmatched")
    }

    private func methodNotAllowed(_ match: RouteTree.Match, _ request: Request) -> RoutedResponse {
        var refusal = refuse(
            .init(.methodNotAllowed, code: "MethodNotAllowed", message: "This path does not take \(request.method.rawValue)."), request)
        var allowed = match.routes.map(\.method.rawValue)
        if allowed.contains("GET"), !allowed.contains("HEAD") { allowed.append("HEAD") }
        refusal.response.setHeader("Allow", allowed.sorted().joined(separator: ", "))
        return refusal
    }

    private static func route(for method: Method, in match: RouteTree.Match) -> Int? {
        if let exact = match.routes.first(where: { $0.method == method }) { return exact.route }
        return method == .head ? match.routes.first { $0.method == .get }?.route : nil
    }

    private static func decode(_ values: [ArraySlice<UInt8>]) throws(HTTPError) -> [String] {
        var decoded: [String] = []
        for value in values {
            guard let text = PercentCoding.decodeText(value) else {
                throw .malformed("The path is not correctly percent-encoded UTF-8.")
            }
            decoded.append(text)
        }
        return decoded
    }

    private static func readBody(of request: inout Request, for route: Route<Context, Access>) throws(HTTPError) {
        switch route.body {
        case .whole(let limit):
            if !request.bodyReader.isAtEnd { request.body = try request.bodyReader.readAll(limit: limit) }
        case .streamed(let limit):
            request.body = []
            guard request.bodyReader.length <= limit else {
                throw .tooLarge("The body has \(request.bodyReader.length) bytes; at most \(limit) are allowed.")
            }
        }
    }
}

/// An answer with what the log and the metrics say of it.
public struct RoutedResponse {
    public var response: Response
    /// The matched route's name, or `unmatched`: bounded, so it may be a metric's label.
    public var route: String
    /// What the handler threw, for the log; the client sees only what the failure closure made of it.
    public var failure: (any Error)?

    public init(response: Response, route: String, failure: (any Error)? = nil) {
        self.response = response
        self.route = route
        self.failure = failure
    }
}

extension Route.Segment where Context: ~Copyable {
    var step: RouteTree.Step {
        switch self {
        case .literal(let bytes): .literal(bytes)
        case .value: .value
        case .rest: .rest
        }
    }
}
