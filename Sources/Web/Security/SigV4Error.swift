/// Why a signed request was refused. Each case is one error of the contract.
public enum SigV4Error: Error, Sendable, Equatable {
    /// No Authorization header, or no date.
    case missingAuthenticationToken(String)
    /// An Authorization header that does not follow the form, or a signature that does not cover what it must.
    case incompleteSignature(String)
    /// The access key id is unknown.
    case unrecognizedClient
    /// The signature does not match.
    case invalidSignature(String)
    /// The clock of the signer is more than 15 minutes away, or the date of the scope is another.
    case requestExpired(String)
    /// Signed for another service, or in a form that this server never takes.
    case accessDenied(String)

    /// The error code that SDKs read; the status is 400 for all.
    public var code: String {
        switch self {
        case .missingAuthenticationToken: "MissingAuthenticationTokenException"
        case .incompleteSignature: "IncompleteSignature"
        case .unrecognizedClient: "UnrecognizedClientException"
        case .invalidSignature: "InvalidSignatureException"
        case .requestExpired: "RequestExpired"
        case .accessDenied: "AccessDeniedException"
        }
    }

    public var message: String {
        switch self {
        case .missingAuthenticationToken(let text), .incompleteSignature(let text), .invalidSignature(let text),
            .requestExpired(let text), .accessDenied(let text):
            text
        case .unrecognizedClient: "The security token included in the request is invalid."
        }
    }

    public var httpError: HTTPError {
        HTTPError(.badRequest, code: code, message: message)
    }
}
