import CCurl

/// One request to another host.
public struct HTTPRequest: Sendable {
    /// What is sent along.
    public enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// A file from its start, `size` bytes of it.
        case file(path: String, size: Int64)
    }

    public var method: String
    public var url: String
    public var headers: [(name: String, value: String)]
    public var body: Body

    public init(method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: Body = .none) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

public struct HTTPResponse: Sendable {
    public let status: Int
    public let headers: [(name: String, value: String)]
    /// The start of the answer's body when the status is not 2xx, at most 64 KB.
    public let errorBody: [UInt8]

    /// The first header of that name, in any case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

public enum HTTPError: Error, Equatable, Sendable, CustomStringConvertible {
    case invalidRequest(String)
    /// A private address, which the client was not allowed to reach.
    case addressRefused
    case unreachable(String)
    case timedOut
    /// More bytes than allowed.
    case tooLarge(Int64)
    /// The receiver of the body threw; see the thrown error's own words.
    case interrupted(String)

    public var description: String {
        switch self {
        case .invalidRequest(let reason): reason
        case .addressRefused: "the address is private and not allowed"
        case .unreachable(let reason): reason
        case .timedOut: "the server did not answer in time"
        case .tooLarge(let limit): "the answer has more than \(limit) bytes"
        case .interrupted(let reason): reason
        }
    }
}

/// The one way out: plain synchronous HTTP over libcurl. Only http and https, also after a redirect; every address is checked at the
/// moment of connecting, so that neither a redirect nor a name server leads to a private network; size and time are bounded.
/// Proxies named in the environment are not used, since the check would see the proxy's address only.
public struct HTTPClient: Sendable {
    public var allowsPrivateAddresses: Bool
    /// Redirects to follow.
    public var redirects: Int
    /// Bytes of one answer.
    public var sizeLimit: Int64
    public var connectSeconds: Int
    /// For the whole exchange.
    public var totalSeconds: Int
    /// Less than 100 bytes a second for so long is an end.
    public var stallSeconds: Int

    public init(
        allowsPrivateAddresses: Bool = false, redirects: Int = 5, sizeLimit: Int64 = 1 << 30, connectSeconds: Int = 10,
        totalSeconds: Int = 600, stallSeconds: Int = 30
    ) {
        self.allowsPrivateAddresses = allowsPrivateAddresses
        self.redirects = redirects
        self.sizeLimit = sizeLimit
        self.connectSeconds = connectSeconds
        self.totalSeconds = totalSeconds
        self.stallSeconds = stallSeconds
    }

    /// Sends and hands over the body of a 2xx answer in chunks of at most 16 KB.
    public func send(_ request: HTTPRequest, _ body: ([UInt8]) throws -> Void) throws(HTTPError) -> HTTPResponse {
        guard Self.isReady, let handle = curl_easy_init() else { throw .unreachable("the HTTP client could not be started") }
        defer { curl_easy_cleanup(handle) }
        let result: Result<HTTPResponse, HTTPError> = withoutActuallyEscaping(body) { body in
            let exchange = HTTPExchange(limit: sizeLimit, allowsPrivateAddresses: allowsPrivateAddresses, receive: body)
            do throws(HTTPError) { return .success(try perform(request, handle, exchange)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Sends and gives the whole body, at most `limit` bytes.
    public func send(_ request: HTTPRequest, limit: Int) throws(HTTPError) -> (response: HTTPResponse, body: [UInt8]) {
        var client = self
        client.sizeLimit = min(sizeLimit, Int64(limit))
        var content: [UInt8] = []
        let response = try client.send(request) { content += $0 }
        return (response, content)
    }

    /// libcurl's own set-up, once per process.
    private static let isReady = curl_global_init(3) == CURLE_OK

    private func perform(_ request: HTTPRequest, _ handle: UnsafeMutableRawPointer, _ exchange: HTTPExchange) throws(HTTPError)
        -> HTTPResponse
    {
        try configure(handle, request)
        let address = Unmanaged.passUnretained(exchange).toOpaque()
        exchange.connect(handle, address)
        let headers = try headerList(request)
        defer { curl_slist_free_all(headers) }
        _ = curl_set_list(handle, CURLOPT_HTTPHEADER, headers)
        let code = try exchange.perform(request.body, handle)
        if let failure = exchange.failure { throw failure }
        switch code {
        case CURLE_OK: break
        case CURLE_OPERATION_TIMEDOUT: throw .timedOut
        case CURLE_FILESIZE_EXCEEDED: throw .tooLarge(sizeLimit)
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: throw .invalidRequest("the address is not a web address")
        default: throw .unreachable(String(cString: curl_easy_strerror(code)))
        }
        var status = 0
        _ = curl_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
        return HTTPResponse(status: status, headers: exchange.headers, errorBody: exchange.errorBody)
    }

    private func configure(_ handle: UnsafeMutableRawPointer, _ request: HTTPRequest) throws(HTTPError) {
        guard request.url.utf8.count <= 8_192, request.url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .invalidRequest("the address has more than 8192 bytes, or bytes that are not allowed")
        }
        _ = curl_set_string(handle, CURLOPT_URL, request.url)
        _ = curl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        _ = curl_set_string(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
        _ = curl_set_string(handle, CURLOPT_PROXY, "")
        _ = curl_set_string(handle, CURLOPT_USERAGENT, "tastemaker")
        _ = curl_set_string(handle, CURLOPT_CUSTOMREQUEST, request.method == "HEAD" ? nil : request.method)
        _ = curl_set_long(handle, CURLOPT_NOBODY, request.method == "HEAD" ? 1 : 0)
        _ = curl_set_long(handle, CURLOPT_FOLLOWLOCATION, redirects > 0 ? 1 : 0)
        _ = curl_set_long(handle, CURLOPT_MAXREDIRS, redirects)
        _ = curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        _ = curl_set_long(handle, CURLOPT_PATH_AS_IS, 1)
        _ = curl_set_long(handle, CURLOPT_CONNECTTIMEOUT, connectSeconds)
        _ = curl_set_long(handle, CURLOPT_TIMEOUT, totalSeconds)
        _ = curl_set_long(handle, CURLOPT_LOW_SPEED_LIMIT, 100)
        _ = curl_set_long(handle, CURLOPT_LOW_SPEED_TIME, stallSeconds)
    }

    private func headerList(_ request: HTTPRequest) throws(HTTPError) -> UnsafeMutablePointer<curl_slist>? {
        // Without this, a body waits a second for servers that do not know the header.
        var list = curl_slist_append(nil, "Expect:")
        for (name, value) in request.headers {
            guard !"\(name)\(value)".utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
                curl_slist_free_all(list)
                throw .invalidRequest("a header holds a control character")
            }
            list = curl_slist_append(list, value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        return list
    }
}
