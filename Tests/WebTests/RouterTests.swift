import Testing
import Web

struct RouterTests {
    struct Caller {
        var name = ""
        var isAdmin = false
    }

    enum Access: Sendable {
        case open
        case admin
    }

    static func router(_ routes: [Route<Caller, Access>]) -> Router<Caller, Access> {
        Router(routes) { caller, request, route in
            caller.isAdmin = request.header("X-Role", is: "admin")
            return route.access == .admin && !caller.isAdmin ? Response(.forbidden) : nil
        }
    }

    static let table = router([
        Route(.get, "/", access: .open) { _, _ in .text("home") },
        Route(.post, "/", access: .open) { _, request in .text("root \(request.body.count)") },
        Route(.get, "/v1/items/{id}", access: .open) { _, request in .text("item \(request.pathValue("id") ?? "")") },
        Route(.delete, "/v1/items/{id}", access: .admin) { _, request in .text("gone \(request.pathValue("id") ?? "")") },
        Route(.get, "/v1/items/new", access: .open) { _, _ in .text("new") },
        Route(.get, "/v1/{kind}/all", access: .open) { _, request in .text("all \(request.pathValue("kind") ?? "")") },
        Route(.post, "/batch", access: .open) { _, _ in .text("amplitude") },
        Route(.post, "/batch/", access: .open) { _, _ in .text("posthog") },
        Route(.get, "/files/{path...}", access: .open) { _, request in .text("file \(request.pathValue("path") ?? "")") },
        Route(.post, "/small", access: .open, body: .whole(limit: 3)) { _, request in .text("\(request.body.count)") },
        Route(.get, "/refuse", access: .open) { _, _ in
            throw HTTPError(.conflict, code: "ResourceInUseException", message: "in use", retryAfter: 7)
        },
    ])

    static func answer(_ method: Method, _ target: String, headers: [(String, String)] = [], body: [UInt8] = []) throws -> RoutedResponse {
        var caller = Caller()
        return table.handle(try Request(method, target, headers: headers, body: body), &caller)
    }

    @Test(arguments: [
        (Method.get, "/", "home"), (.post, "/", "root 0"), (.get, "/v1/items/42", "item 42"), (.get, "/v1/items/new", "new"),
        (.get, "/v1/items/all", "item all"), (.get, "/v1/users/all", "all users"), (.get, "/v1/items/a%2Fb%20c?x=1", "item a/b c"),
        (.get, "/v1/items/%E2%82%AC", "item €"), (.get, "/v1/items/..", "item .."), (.post, "/batch", "amplitude"),
        (.post, "/batch/", "posthog"), (.get, "/files/a/b%2fc", "file a/b/c"), (.get, "http://host:80/v1/items/9", "item 9"),
    ])
    func `a path leads to its route with decoded values`(method: Method, target: String, text: String) throws {
        let answer = try Self.answer(method, target)
        #expect(String(decoding: answer.response.body, as: UTF8.self) == text)
        #expect(answer.response.status == .ok)
    }

    @Test(arguments: [
        "/nothing", "//", "/v1", "/v1/items", "/v1/items/", "/v1/items/1/2", "/%76%31/items/1", "/v1/./items/1", "/V1/items/1", "/files/",
    ])
    func `a path that no pattern matches is 404`(target: String) throws {
        let answer = try Self.answer(.get, target)
        #expect(answer.response.status == .notFound)
        #expect(answer.route == "unmatched")
    }

    @Test func `a known path with another method is 405 and says which are allowed`() throws {
        let answer = try Self.answer(.put, "/v1/items/1")
        #expect(answer.response.status == .methodNotAllowed)
        #expect(answer.response.header("Allow") == "DELETE, GET, HEAD")
    }

    @Test(arguments: ["/v1/items/%", "/v1/items/%4", "/v1/items/%zz", "/v1/items/%00", "/v1/items/%FF"])
    func `a value that is no percent-encoded UTF-8 is 400`(target: String) throws {
        #expect(try Self.answer(.get, target).response.status == .badRequest)
    }

    @Test func `HEAD finds the route of GET`() throws {
        #expect(try Self.answer(.head, "/v1/items/1").route == "GET /v1/items/{id}")
    }

    @Test func `no handler of the table runs unless the gate lets it`() throws {
        for route in Self.table.routes where route.access == .admin {
            let target = route.pattern.replacing("{id}", with: "1")
            #expect(try Self.answer(route.method, target).response.status == .forbidden)
            #expect(try Self.answer(route.method, target, headers: [("X-Role", "admin")]).response.status == .ok)
        }
        #expect(Self.table.routes.contains { $0.access == .admin })
    }

    @Test func `a body at the limit passes and one byte more is 413`() throws {
        #expect(try Self.answer(.post, "/small", body: [1, 2, 3]).response.status == .ok)
        #expect(try Self.answer(.post, "/small", body: [1, 2, 3, 4]).response.status == .contentTooLarge)
    }

    @Test func `an HTTP error thrown by a handler is answered as it says`() throws {
        let answer = try Self.answer(.get, "/refuse")
        #expect(answer.response.status == .conflict)
        #expect(answer.response.header("retry-after") == "7")
        #expect(String(decoding: answer.response.body, as: UTF8.self) == #"{"__type":"ResourceInUseException","message":"in use"}"#)
    }

    @Test func `a failure closure sees the error and the route`() throws {
        struct Odd: Error {}
        let router = Router<Caller, Access>(
            [Route(.get, "/odd", access: .open) { _, _ in throw Odd() }],
            failure: { error, _, route in .text("\(type(of: error)) at \(route?.name ?? "none")", status: .serviceUnavailable) },
            gate: { _, _, _ in nil })
        var caller = Caller()
        let answer = router.handle(try Request(.get, "/odd"), &caller)
        #expect(String(decoding: answer.response.body, as: UTF8.self) == "Odd at GET /odd")
        #expect(answer.failure is Odd)
    }

    @Test func `a path of very many segments is refused without harm`() throws {
        #expect(try Self.answer(.get, String(repeating: "/v1", count: 2000)).response.status == .notFound)
    }
}
