import JSON

/// A refusal that a handler or the router answers with: status, a code for programs and a sentence for people.
public struct HTTPError: Error, Sendable, Equatable {
    public var status: Status
    /// For programs, in the style of AWS (`InvalidInputException`).
    public var code: String
    public var message: String
    /// Whole seconds for the Retry-After header.
    public var retryAfter: Int?

    public init(_ status: Status, code: String, message: String, retryAfter: Int? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    static func malformed(_ message: String) -> HTTPError {
        HTTPError(.badRequest, code: "BadRequest", message: message)
    }

    static func tooLarge(_ message: String) -> HTTPError {
        HTTPError(.contentTooLarge, code: "ContentTooLarge", message: message)
    }

    /// `{"__type": code, "message": message}`, which AWS clients read and others understand.
    public func jsonResponse() -> Response {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("__type")
        writer.string(code)
        writer.key("message")
        writer.string(message)
        writer.endObject()
        var response = Response.json(writer.bytes, status: status)
        if let retryAfter { response.setHeader("Retry-After", String(retryAfter)) }
        return response
    }
}
