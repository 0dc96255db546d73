import Crypto

/// One HTTP request as FastCGI brought it. Only REQUEST_URI is believed for the path; text is made when asked for.
///
/// Belongs to the thread that received it and is valid until its handler returns.
public struct Request {
    let parameters: RequestParameters
    public let method: Method
    /// Path and query as the client sent them.
    public let target: [UInt8]
    private let pathEnd: Int
    /// The whole body. Empty on a route that streams: read `bodyReader` there.
    public internal(set) var body: [UInt8] = []
    public let bodyReader: BodyReader
    /// 36 characters in the form of a UUID: the trace id of a valid `traceparent`, else random. Stands in logs and answers.
    public let requestID: String
    private let proxies: TrustedProxies
    /// Decoded values of the matched pattern, in its order.
    var pathValues: [String] = []
    var pathNames: [String] = []

    init(parameters: RequestParameters, body: BodyReader, requestID: String, proxies: TrustedProxies) throws(HTTPError) {
        guard let name = parameters.value("REQUEST_METHOD"), let method = Method(name) else {
            throw HTTPError(.methodNotAllowed, code: "MethodNotAllowed", message: "The request method is not supported.")
        }
        guard let sent = parameters.value("REQUEST_URI") else { throw .malformed("The request has no path.") }
        guard let target = Self.originForm(sent), target.first == UInt8(ascii: "/"), target.count <= 8192 else {
            throw .malformed("The request target must be a path of at most 8192 bytes.")
        }
        self.parameters = parameters
        self.method = method
        self.target = target
        pathEnd = target.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? target.count
        bodyReader = body
        self.requestID = Self.traceID(parameters) ?? requestID
        self.proxies = proxies
    }

    /// The path as sent, without the query.
    public var rawPath: ArraySlice<UInt8> { target[..<pathEnd] }

    /// The query as sent, without the question mark.
    public var rawQuery: ArraySlice<UInt8> {
        guard pathEnd < target.count, target[pathEnd] == UInt8(ascii: "?") else { return [] }
        return target[(pathEnd + 1)...].prefix { $0 != UInt8(ascii: "#") }
    }

    /// A decoded value of the route's pattern. Nil for a name that the pattern lacks.
    public func pathValue(_ name: String) -> String? {
        pathNames.firstIndex(of: name).map { pathValues[$0] }
    }

    /// The first query value of that name; 400 when the query is malformed.
    public func query(_ name: String) throws(HTTPError) -> String? {
        rawQuery.isEmpty ? nil : try queryItems()[name]
    }

    /// All query items, within the default limits of a form.
    public func queryItems() throws(HTTPError) -> Form {
        try Form(parsing: rawQuery)
    }

    /// A request header by name in any case. Invalid UTF-8 is repaired, so compare secrets by `headerBytes`.
    public func header(_ name: StaticString) -> String? {
        headerBytes(name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes of a header, valid until the handler returns.
    public func headerBytes(_ name: StaticString) -> UnsafeBufferPointer<UInt8>? {
        parameters.header(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    /// A header whose name is known at run time only.
    func headerBytes(named name: [UInt8]) -> UnsafeBufferPointer<UInt8>? {
        name.withUnsafeBufferPointer { parameters.header($0) }
    }

    /// Whether a header's value is exactly this, byte for byte.
    public func header(_ name: StaticString, is value: StaticString) -> Bool {
        guard let bytes = headerBytes(name) else { return false }
        return bytes.elementsEqual(UnsafeBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
    }

    /// Content-Type without parameters, in lower case; empty when there is none.
    public var mediaType: String {
        guard let bytes = headerBytes("Content-Type") else { return "" }
        let bare = bytes.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }
        return String(decoding: bare, as: UTF8.self).lowercased()
    }

    /// The web server's own id of the request, which it repeats when it sends a request once more because a kept connection broke; a
    /// client cannot choose it. What is stored under it is stored once. Without a web server in front, the request's id.
    public var deliveryID: String {
        guard let id = parameters.value("REQUEST_ID"), id.count == 32, id.allSatisfy({ Hex.value($0) != nil }) else { return requestID }
        return String(decoding: id, as: UTF8.self)
    }

    /// The client's address. Taken from X-Forwarded-For only as far as trusted proxies vouch for it.
    public var remoteAddress: String {
        let peer = parameters.value("REMOTE_ADDR").map { String(decoding: $0, as: UTF8.self) } ?? ""
        guard !proxies.isEmpty, proxies.contains(peer), let forwarded = header("X-Forwarded-For") else { return peer }
        return proxies.client(forwardedFor: forwarded) ?? peer
    }

    /// `http` or `https`, as nginx says, or as a trusted proxy in front of it says.
    public var scheme: String {
        if let forwarded = headerBytes("X-Forwarded-Proto"), isFromTrustedProxy {
            return forwarded.elementsEqual("https".utf8) ? "https" : "http"
        }
        let scheme = parameters.value("REQUEST_SCHEME")
        return scheme?.elementsEqual("https".utf8) == true ? "https" : "http"
    }

    /// The Host header with its port; empty when there is none.
    public var host: String { header("Host") ?? "" }

    private var isFromTrustedProxy: Bool {
        guard !proxies.isEmpty, let peer = parameters.value("REMOTE_ADDR") else { return false }
        return proxies.contains(String(decoding: peer, as: UTF8.self))
    }

    /// Nil for a target that is neither a path nor an absolute URL.
    private static func originForm(_ sent: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        if sent.first == UInt8(ascii: "/") { return Array(sent) }
        for scheme in ["http://", "https://"] where sent.starts(with: scheme.utf8) {
            let rest = sent.dropFirst(scheme.utf8.count).drop { $0 != UInt8(ascii: "/") }
            return rest.isEmpty ? [UInt8(ascii: "/")] : Array(rest)
        }
        return nil
    }

    /// The trace id of a W3C `traceparent` of version 00, written like a UUID.
    private static func traceID(_ parameters: RequestParameters) -> String? {
        guard let parent = parameters.value("HTTP_TRACEPARENT"), parent.count == 55, parent.starts(with: "00-".utf8) else { return nil }
        let digits = parent[3..<35]
        guard digits.allSatisfy({ Hex.value($0) != nil && !(65...70).contains($0) }), digits.contains(where: { $0 != 48 }) else {
            return nil
        }
        var text: [UInt8] = []
        for (index, digit) in digits.enumerated() {
            if index == 8 || index == 12 || index == 16 || index == 20 { text.append(UInt8(ascii: "-")) }
            text.append(digit)
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension Request {
    /// A request made in process, for tests and for calls that need no socket. The caller's variables are those nginx
    /// would send; REMOTE_ADDR is 127.0.0.1 unless `remoteAddress` says otherwise.
    public init(
        _ method: Method, _ target: String, headers: [(String, String)] = [], body: [UInt8] = [],
        remoteAddress: String = "127.0.0.1", scheme: String = "http", proxies: TrustedProxies = TrustedProxies(),
        deliveryID: String? = nil
    ) throws(HTTPError) {
        var variables = [
            (name: "REQUEST_METHOD", value: method.rawValue), (name: "REQUEST_URI", value: target),
            (name: "REMOTE_ADDR", value: remoteAddress), (name: "REQUEST_SCHEME", value: scheme),
        ]
        if let deliveryID { variables.append((name: "REQUEST_ID", value: deliveryID)) }
        if !body.isEmpty { variables.append((name: "CONTENT_LENGTH", value: String(body.count))) }
        for (name, value) in headers {
            let variable = String(decoding: name.utf8.map(RequestParameters.variableByte), as: UTF8.self)
            let isBare = variable == "CONTENT_TYPE" || variable == "CONTENT_LENGTH"
            variables.append((name: isBare ? variable : "HTTP_" + variable, value: value))
        }
        try self.init(
            parameters: RequestParameters(copying: variables), body: BodyReader(bytes: body), requestID: SecureRandom.uuid(),
            proxies: proxies)
        self.body = body
    }
}
