import JSON
import Tastemaker
import Web

/// An error as clients read it: code, status and sentence.
struct WireError {
    var code: String
    var status: Status
    var message: String
    /// Whole seconds.
    var retryAfter: Int?

    init(_ code: String, _ status: Status = .badRequest, message: String, retryAfter: Int? = nil) {
        self.code = code
        self.status = status
        self.message = message
        self.retryAfter = retryAfter
    }

    init(_ error: any Error, style: WireStyle) {
        switch error {
        case let error as OperationError: self.init(error, style: style)
        case let error as WireRefusal: self = error.error
        case let error as SigV4Error: self.init(error.code, message: error.message)
        case let error as HTTPError: self.init(error.code, error.status, message: error.message, retryAfter: error.retryAfter)
        default: self.init("InternalServerException", .internalServerError, message: "An internal error occurred.")
        }
    }

    /// The one place where an operation's error becomes a wire error.
    init(_ error: OperationError, style: WireStyle) {
        let message = error.message
        switch error {
        case .invalidInput: self.init("InvalidInputException", message: message)
        case .notFound: self.init("ResourceNotFoundException", style == .control ? .badRequest : .notFound, message: message)
        case .alreadyExists:
            self.init("ResourceAlreadyExistsException", style == .plain ? .conflict : .badRequest, message: message)
        case .inUse: self.init("ResourceInUseException", style == .control ? .badRequest : .conflict, message: message)
        case .limitExceeded: self.init("LimitExceededException", message: message)
        case .invalidNextToken: self.init("InvalidNextTokenException", message: message)
        case .tooManyTags: self.init("TooManyTagsException", message: message)
        case .tooManyTagKeys: self.init("TooManyTagKeysException", message: message)
        case .accessDenied: self.init("AccessDeniedException", style == .plain ? .forbidden : .badRequest, message: message)
        case .unavailable: self.init("ServiceUnavailable", .serviceUnavailable, message: message, retryAfter: 1)
        case .insufficientStorage: self.init("InsufficientStorage", .insufficientStorage, message: message, retryAfter: 30)
        }
    }

    /// Code in the body and in the header: SDKs of either protocol find it.
    func response(_ style: WireStyle) -> Response {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("__type", code)
        writer.member("message", message)
        writer.endObject()
        var response = Response(status, contentType: style.contentType, body: writer.bytes)
        response.setHeader("x-amzn-ErrorType", code)
        if let retryAfter { response.setHeader("Retry-After", String(retryAfter)) }
        return response
    }
}

/// A refusal that is no operation's: a body that does not parse, an unknown target.
struct WireRefusal: Error {
    let error: WireError

    static func serialization(_ message: String) -> WireRefusal {
        WireRefusal(error: WireError("SerializationException", message: message))
    }

    static func unknownOperation(_ style: WireStyle) -> WireRefusal {
        WireRefusal(
            error: WireError(
                "UnknownOperationException", style == .control ? .badRequest : .notFound, message: "The operation is not known here."))
    }
}
