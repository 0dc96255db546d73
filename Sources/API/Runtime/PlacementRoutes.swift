import JSON
import Tastemaker
import Web

/// Our own way to a list: a placement by name, asked by a page with the tracker's key or by a server with an API key.
enum PlacementRoutes {
    static let path = "/v1/placements/{name}/recommendations"

    static let all: [APIRoute] = [
        APIRoute(.get, path, name: "PlacementRecommendations", access: .trackerOrKey(scope: "recommend"), handler: answer),
        APIRoute(.options, path, name: "OPTIONS placement", access: .tracker, handler: preflight),
    ]

    private static func answer(_ context: inout APIContext, _ request: Request) throws -> Response {
        let started = ContinuousClock.now
        let origin = TrackerOrigin(request, publicURL: context.environment.settings.publicURL)
        var response: Response
        do {
            let form = try request.queryItems()
            let (wanted, caller) =
                if let caller = context.caller {
                    (try byKey(form, request, caller, context.services), caller)
                } else {
                    try byTracker(form, request, origin, context)
                }
            let answer = try context.services.recommendations.recommend(wanted, by: caller)
            let elapsed = (ContinuousClock.now - started) / .milliseconds(1)
            response = .json(PlacementWire.json(answer, placement: request.pathValue("name") ?? "", elapsed: elapsed))
        } catch {
            response = WireError(error, style: .plain).response(.plain)
        }
        origin.allowReading(&response)
        response.setHeader("Cache-Control", "no-store")
        return response
    }

    private static func preflight(_ context: inout APIContext, _ request: Request) throws -> Response {
        var response = Response.empty()
        TrackerOrigin(request, publicURL: context.environment.settings.publicURL).allowReading(&response)
        response.setHeader("Access-Control-Allow-Methods", "GET")
        response.setHeader("Access-Control-Allow-Headers", "Authorization")
        response.setHeader("Access-Control-Max-Age", "86400")
        return response
    }

    /// A server of the site vouches for whom it names. `datasetGroup` names the group unless the key is bound to one.
    private static func byKey(
        _ form: Form, _ request: Request, _ caller: Caller, _ services: Services
    ) throws -> RecommendationRequest {
        let groupID = try groupID(named: form["datasetGroup"], caller, services)
        var wanted = try common(form, request, groupID)
        wanted.userID = try form.text("userId").map { id in
            try Check.externalID(id, field: "userId")
            return id
        }
        wanted.anonymousID = try form.text("anonymousId").map { try AnonymousID.externalID($0) }
        return wanted
    }

    private static func groupID(named name: String?, _ caller: Caller, _ services: Services) throws -> Int32 {
        let environment = services.environment
        guard let name, caller.datasetGroupID == nil else { return try environment.datasetGroupID(named: name, by: caller) }
        let found = try services.groupsByName.find(name, now: environment.now()) { wait throws(OperationError) in
            try environment.datasetGroupID(named: name, by: caller, waitMilliseconds: wait)
        }
        return try Check.required(found, field: "datasetGroup")
    }

    /// A page asks for the anonymous id that it carries; a named user's history is used only when the site signed the id.
    private static func byTracker(
        _ form: Form, _ request: Request, _ origin: TrackerOrigin, _ context: APIContext
    ) throws -> (RecommendationRequest, Caller) {
        guard let key = form["key"], let door = try context.services.events.doors.open(key) else {
            throw HTTPError(.unauthorized, code: "Unauthorized", message: "The tracker's key is not known.")
        }
        guard origin.isAllowed(door) else {
            throw HTTPError(
                .forbidden, code: "OriginNotAllowed", message: "The origin \(origin.text ?? "") is not in the tracker's list.")
        }
        let caller = Caller(.tracker(trackingID: door.trackingID), datasetGroupID: door.datasetGroupID, requestID: request.requestID)
        var wanted = try common(form, request, door.datasetGroupID)
        // Who asks not to be tracked gets what everybody gets.
        guard !request.header("Sec-GPC", is: "1") else { return (wanted, caller) }
        wanted.anonymousID = try form.text("anonymousId").map { try AnonymousID.externalID($0) }
        if let id = form.text("userId"), door.isSigned(id, signature: form["userSignature"]) { wanted.userID = id }
        return (wanted, caller)
    }

    private static func common(_ form: Form, _ request: Request, _ groupID: Int32) throws -> RecommendationRequest {
        var wanted = RecommendationRequest(target: .placement(name: request.pathValue("name") ?? "", datasetGroupID: groupID))
        wanted.itemID = try form.text("itemId").map { id in
            try Check.externalID(id, field: "itemId")
            return id
        }
        if let count = form.text("count") {
            guard let number = Int(count) else { throw OperationError.invalidInput("'count' must be a whole number.", field: "count") }
            wanted.count = number
        }
        return wanted
    }
}

/// How a placement's answer looks.
enum PlacementWire {
    static func json(_ answer: RecommendationAnswer, placement: String, elapsed: Double) -> [UInt8] {
        var out = JSONWriter(reserving: 512 + answer.items.count * 256)
        out.beginObject()
        out.member("recommendationId", answer.recommendationID)
        out.member("placement", placement)
        out.member("rung", answer.rung.rawValue)
        out.member("degraded", answer.isDegraded)
        out.key("notes")
        out.beginArray()
        for note in answer.notes { out.string(note) }
        out.endArray()
        out.key("items")
        out.beginArray()
        for (position, item) in answer.items.enumerated() { write(item, position, answer, &out) }
        out.endArray()
        if let assignment = answer.assignment {
            out.object("experiment") { out in
                out.member("name", assignment.experiment)
                out.member("arm", assignment.arm)
            }
        }
        out.member("elapsedMilliseconds", number: elapsed, decimals: 2)
        out.endObject()
        return out.bytes
    }

    private static func write(_ item: RecommendedItem, _ position: Int, _ answer: RecommendationAnswer, _ out: inout JSONWriter) {
        out.beginObject()
        out.key("itemId")
        out.string(item.itemID)
        out.member("position", integer: Int64(position))
        out.member("title", item.display.title)
        out.member("link", item.display.link)
        out.member("image", item.display.image)
        if let price = item.display.price {
            out.member("price", price)
            out.member("currency", answer.currency)
        }
        out.member("category", item.display.category)
        out.member("score", number: item.score, decimals: 7)
        out.member("reason", item.reasons.first?.sentence)
        out.endObject()
    }
}
