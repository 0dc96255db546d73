import JSON
import Tastemaker
import Web

/// The tracker's endpoint: batches from browsers and servers, single events from images.
enum TrackerRoutes {
    /// Beyond this the web server refuses, without a word that a page could read.
    private static let bodyLimit = 1 << 20

    static let all: [APIRoute] = [
        APIRoute(.post, "/e", name: "POST /e", access: .tracker, body: .streamed(limit: bodyLimit), handler: batch),
        APIRoute(.options, "/e", name: "OPTIONS /e", access: .tracker, handler: preflight),
        APIRoute(.get, "/e.gif", name: "GET /e.gif", access: .tracker, handler: image),
    ]

    private static func batch(_ context: inout APIContext, _ request: Request) throws -> Response {
        let origin = TrackerOrigin(request, publicURL: context.environment.settings.publicURL)
        var response: Response
        do {
            let summary = try store(try body(of: request), context, request, origin)
            response = Response(.accepted, contentType: WireStyle.plain.contentType, body: json(summary))
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
        response.setHeader("Access-Control-Allow-Methods", "POST")
        response.setHeader("Access-Control-Allow-Headers", "Content-Type, Content-Encoding, Authorization, X-Retry-Count")
        response.setHeader("Access-Control-Max-Age", "86400")
        return response
    }

    /// For pages without scripts and for mail: one event in the query, a transparent dot for an answer.
    private static func image(_ context: inout APIContext, _ request: Request) throws -> Response {
        let origin = TrackerOrigin(request, publicURL: context.environment.settings.publicURL)
        let summary = try store(TrackerForm.body(of: try request.queryItems()), context, request, origin)
        if let refused = summary.rejected.first { throw OperationError.invalidInput(refused.reason) }
        var response = Response(.ok, contentType: "image/gif", body: dot)
        response.setHeader("Cache-Control", "no-store")
        response.setHeader("Cross-Origin-Resource-Policy", "cross-origin")
        return response
    }

    /// Takes what is sound, keeps what is refused for the console, answers after the commit.
    private static func store(
        _ body: JSONObject, _ context: APIContext, _ request: Request, _ origin: TrackerOrigin
    ) throws -> TrackerBatch.Summary {
        let writer = context.services.events
        guard let key = body["key"]?.stringValue ?? body["writeKey"]?.stringValue, let door = try writer.doors.open(key) else {
            throw HTTPError(.unauthorized, code: "Unauthorized", message: "The tracker's key is not known.")
        }
        let delivery = TrackerBatch.Delivery(
            requestID: request.deliveryID, receivedAt: context.environment.now(), origin: origin.text,
            refusesTracking: request.header("Sec-GPC", is: "1"))
        guard origin.isAllowed(door) else {
            let reason = "The origin \(origin.text ?? "") is not in the tracker's list."
            // The refusal stands whether or not it can be written down.
            _ = try? writer.append([TrackerBatch.refusal(reason, door: door, delivery: delivery)])
            throw HTTPError(.forbidden, code: "OriginNotAllowed", message: reason)
        }
        let batch = try TrackerBatch(body: body, door: door, delivery: delivery)
        return batch.summary(try EventRoutes.append(batch.events, context.services))
    }

    private static func body(of request: Request) throws -> JSONObject {
        let sent = try request.bodyReader.readAll(limit: TrackerBatch.byteLimit)
        let bytes = try PackedBody.unpack(sent, encoding: request.header("Content-Encoding"), limit: TrackerBatch.byteLimit)
        // text/plain is what a page may send without asking first; JSON is inside.
        if request.mediaType == "application/x-www-form-urlencoded", bytes.first != UInt8(ascii: "{") {
            return try TrackerForm.body(of: Form(parsing: bytes))
        }
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch {
            throw OperationError.invalidInput("The body is not valid JSON: \(error.description).")
        }
        guard let object = value.objectValue else { throw OperationError.invalidInput("The body must be a JSON object.") }
        return object
    }

    private static func json(_ summary: TrackerBatch.Summary) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("accepted", integer: Int64(summary.accepted))
            writer.member("duplicate", integer: Int64(summary.duplicate))
            writer.list("rejected", summary.rejected) { writer, refused in
                writer.member("messageId", refused.messageID)
                writer.member("reason", refused.reason)
            }
        }
        return writer.bytes
    }

    /// A GIF of one transparent pixel.
    private static let dot: [UInt8] =
        [
            0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0x21, 0xF9, 4, 1, 0, 0, 0, 0,
            0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3B,
        ]
}

/// A single event in the fields of a form or a query: `data` holds a whole body as JSON, else each field is a member.
enum TrackerForm {
    private static let members: Set<String> = [
        "type", "event", "messageId", "timestamp", "anonymousId", "userId", "userSignature",
    ]

    static func body(of form: Form) throws(OperationError) -> JSONObject {
        if let data = form["data"] {
            guard let value = try? JSONValue(parsing: data), let object = value.objectValue else {
                throw .invalidInput("'data' must be a JSON object.", field: "data")
            }
            return object
        }
        var event = JSONObject()
        var properties = JSONObject()
        for item in form.items where item.name != "key" && item.name != "sentAt" && item.name != "consent" {
            if members.contains(item.name) {
                event[item.name] = .string(item.value)
            } else {
                properties[item.name] = .string(item.value)
            }
        }
        event["properties"] = .object(properties)
        if let consent = form["consent"] { event["context"] = ["consent": .string(consent)] }
        var body: JSONObject = ["batch": [.object(event)]]
        body["key"] = form["key"].map { .string($0) }
        body["sentAt"] = form["sentAt"].map { .string($0) }
        return body
    }
}
