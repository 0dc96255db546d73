import JSON
import Tastemaker
import Web

/// What monitors ask.
enum HealthRoutes {
    static let all: [APIRoute] = [
        APIRoute(.get, "/health/live", name: "live", access: .open) { _, _ in .json(live) },
        APIRoute(.get, "/health/ready", name: "ready", access: .open) { context, _ in try ready(context) },
        APIRoute(.get, "/metrics", name: "metrics", access: .loopbackOrKey(scope: "metrics")) { context, _ in
            Response(.ok, contentType: Metrics.contentType, body: context.metrics?.page() ?? [])
        },
    ]

    private static let live = Array("{\"status\":\"ok\"}".utf8)

    /// 200 when the database answers; else 503, while recommendations go on from memory.
    private static func ready(_ context: APIContext) throws -> Response {
        let isReady = (try? context.environment.checkDatabase()) != nil
        var out = JSONWriter()
        out.beginObject()
        out.member("status", isReady ? "ready" : "degraded")
        out.member("database", isReady ? "answers" : "does not answer")
        out.endObject()
        var response = Response(isReady ? .ok : .serviceUnavailable, contentType: "application/json", body: out.bytes)
        if !isReady { response.setHeader("Retry-After", "1") }
        return response
    }
}
