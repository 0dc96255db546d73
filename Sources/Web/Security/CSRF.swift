import Crypto

/// Protection against forged requests: a token bound to the session, and a look at where the browser says it comes from.
public struct CSRF: Sendable {
    private let key: HMACSHA256

    /// `key` is derived from the server's secret for this purpose alone.
    public init(key: [UInt8]) {
        self.key = HMACSHA256(key: key)
    }

    /// The token that a form of this session carries, in base64 for URLs.
    public func token(session: String) -> String {
        Base64.encodeURL(key.authenticate(session))
    }

    public func isValid(_ token: String, session: String) -> Bool {
        ConstantTime.equal(self.token(session: session), token)
    }

    /// Throws 403 for a changing request that another site may have caused.
    ///
    /// The token is looked for in the header `X-CSRF-Token` and in the field `csrf` of an urlencoded body. On a route that
    /// streams its body only the origin is checked here: the handler has to check the token of the first part.
    public func check(_ request: Request, session: String) throws(HTTPError) {
        guard !request.method.isSafe else { return }
        try Self.checkOrigin(request)
        guard request.body.count == request.bodyReader.length else { return }
        let sent: String?
        if let header = request.header("X-CSRF-Token") {
            sent = header
        } else if request.mediaType == "application/x-www-form-urlencoded" {
            sent = try Form(parsing: request.body)["csrf"]
        } else {
            sent = nil
        }
        guard let sent, isValid(sent, session: session) else {
            throw Self.forged("The form is out of date. Go back, load the page again and repeat.")
        }
    }

    /// The browser's own word (Fetch Metadata), then Origin against Host. A request with neither comes from no browser
    /// that a forger could use, and still needs the token.
    public static func checkOrigin(_ request: Request) throws(HTTPError) {
        if let site = request.header("Sec-Fetch-Site"), site != "same-origin", site != "none" {
            throw forged("The request comes from another site.")
        }
        guard let origin = request.headerBytes("Origin") else { return }
        guard let host = request.headerBytes("Host") else { throw forged("The request names no host.") }
        for scheme in ["http://", "https://"] where origin.starts(with: scheme.utf8) {
            if origin.dropFirst(scheme.utf8.count).elementsEqual(host) { return }
        }
        throw forged("The request comes from another site.")
    }

    private static func forged(_ message: String) -> HTTPError {
        HTTPError(.forbidden, code: "Forged", message: message)
    }
}
