import JSON
import Tastemaker
import Web

/// What supervisors, balancers and Prometheus ask.
enum HealthRoutes {
    static let all: [APIRoute] = [
        APIRoute(.get, "/health/live", name: "GET /health/live", access: .open) { _, _ in .json(live) },
        APIRoute(.get, "/health/ready", name: "GET /health/ready", access: .open, handler: ready),
        APIRoute(.get, "/metrics", name: "GET /metrics", access: .loopbackOrKey(scope: "metrics"), handler: metrics),
    ]

    private static let live = Array("{\"status\":\"live\"}".utf8)

    private static func ready(_ context: inout APIContext, _ request: Request) throws -> Response {
        guard context.services.recommendations.isReady() else {
            var response = Response.json(
                Array("{\"status\":\"not ready\",\"reason\":\"The database does not answer.\"}".utf8), status: .serviceUnavailable)
            response.setHeader("Retry-After", "1")
            return response
        }
        var out = JSONWriter()
        out.beginObject()
        out.member("status", "ready")
        // Serving goes on, so it stays ready.
        out.member("storage", context.environment.roomProblem)
        out.endObject()
        return .json(out.bytes)
    }

    private static func metrics(_ context: inout APIContext, _ request: Request) throws -> Response {
        guard let metrics = context.metrics else {
            throw HTTPError(.notFound, code: "NotFound", message: "This process keeps no metrics.")
        }
        return Response(.ok, contentType: Metrics.contentType, body: metrics.page())
    }
}
