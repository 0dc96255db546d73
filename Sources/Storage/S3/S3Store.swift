import Crypto
import Foundation

/// An S3-compatible server and how to sign for it.
public struct S3Endpoint: Sendable {
    /// Scheme, host and port, without a slash at its end.
    public let url: String
    public let region: String
    public let accessKey: String
    let secretKey: String
    let sessionToken: String?
    /// The server is in a private network, as a MinIO of one's own would be.
    public let allowsPrivateAddresses: Bool

    public init(
        url: String, region: String = "us-east-1", accessKey: String, secretKey: String, sessionToken: String? = nil,
        allowsPrivateAddresses: Bool = false
    ) throws(StorageError) {
        let base = url.hasSuffix("/") ? String(url.dropLast()) : url
        guard let parts = URLComponents(string: base), parts.scheme == "http" || parts.scheme == "https", parts.host?.isEmpty == false,
            parts.path.isEmpty, parts.query == nil, parts.user == nil
        else { throw .invalid("an S3 endpoint is http:// or https:// with a host and a port") }
        self.url = base
        self.region = region
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
        self.allowsPrivateAddresses = allowsPrivateAddresses
    }

    /// As libcurl sends it: the port stands there unless it is the scheme's own.
    var host: String {
        let rest = url.drop { $0 != "/" }.dropFirst(2)
        let port = url.hasPrefix("https:") ? ":443" : ":80"
        return rest.hasSuffix(port) ? String(rest.dropLast(port.count)) : String(rest)
    }
}

/// A bucket of an S3-compatible server, addressed by path.
public struct S3Store: ArtifactStore {
    private static let listLimit = 1_000_000
    private static let listBytes = 16 << 20

    public let endpoint: S3Endpoint
    public let bucket: String
    private let client: HTTPClient
    /// Keys asked for at a time; nil leaves it to the server.
    private let pageSize: Int?

    public init(endpoint: S3Endpoint, bucket: String) {
        self.init(endpoint: endpoint, bucket: bucket, pageSize: nil)
    }

    init(endpoint: S3Endpoint, bucket: String, pageSize: Int?) {
        self.pageSize = pageSize
        self.endpoint = endpoint
        self.bucket = bucket
        // A redirect of S3 names another region, for which the signature would be wrong: it is reported, not followed.
        client = HTTPClient(allowsPrivateAddresses: endpoint.allowsPrivateAddresses, redirects: 0, sizeLimit: 1 << 40, totalSeconds: 3_600)
    }

    public func find(_ key: String) throws(StorageError) -> Artifact? {
        let (response, _) = try send("HEAD", key)
        if response.status == 404 { return nil }
        try check(response, key)
        guard let size = response.header("Content-Length").flatMap({ Int64($0) }) else {
            throw .unavailable("the server did not tell the size of \(key)")
        }
        return Artifact(key: key, size: size, version: response.header("ETag") ?? "")
    }

    public func read(_ key: String, range: Range<Int64>, version: String?) throws(StorageError) -> [UInt8] {
        guard !range.isEmpty else { return [] }
        var extra = [(name: "Range", value: "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
        if let version, !version.isEmpty { extra.append((name: "If-Match", value: version)) }
        let (response, body) = try send("GET", key, extra: extra, limit: range.count)
        if response.status == 412 { throw .changed(key) }
        if response.status == 416 { return [] }
        try check(response, key)
        guard response.status == 206 || range.lowerBound == 0 else { throw .unavailable("the server does not serve parts of \(key)") }
        if let version, !version.isEmpty, let tag = response.header("ETag"), tag != version { throw .changed(key) }
        return body
    }

    public func put(_ key: String, _ content: ArtifactContent, ifAbsent: Bool) throws(StorageError) {
        // Servers that do not know the condition would overwrite: look first, so that only a race is left to them.
        if ifAbsent, try find(key) != nil { throw .alreadyExists(key) }
        let (body, hash) = try payload(content)
        var extra = [(name: "Content-Type", value: "application/octet-stream")]
        if ifAbsent { extra.append((name: "If-None-Match", value: "*")) }
        let (response, _) = try send("PUT", key, extra: extra, body: body, payloadHash: hash)
        if ifAbsent, response.status == 412 || response.status == 409 { throw .alreadyExists(key) }
        try check(response, key)
    }

    public func delete(_ key: String) throws(StorageError) {
        let (response, _) = try send("DELETE", key)
        if response.status != 404 { try check(response, key) }
    }

    public func list(prefix: String) throws(StorageError) -> [Artifact] {
        var found: [Artifact] = []
        var token: String?
        repeat {
            var query = [("list-type", "2"), ("prefix", prefix), ("encoding-type", "url")]
            if let pageSize { query.append(("max-keys", String(pageSize))) }
            if let token { query.append(("continuation-token", token)) }
            let (response, body) = try send("GET", nil, query: query, limit: Self.listBytes)
            try check(response, prefix)
            let answer = S3Answer(body)
            for content in answer.all("Contents") {
                guard let encoded = content.value("Key"), let key = S3Encoding.decode(encoded),
                    let size = content.value("Size").flatMap({ Int64($0) })
                else { continue }
                found.append(Artifact(key: key, size: size, version: content.value("ETag") ?? ""))
            }
            guard found.count <= Self.listLimit else { throw .tooLarge("more than \(Self.listLimit) objects") }
            let next = answer.value("IsTruncated") == "true" ? answer.value("NextContinuationToken") : nil
            guard next == nil || next != token else { throw .unavailable("the server repeats a page of its listing") }
            token = next
        } while token != nil
        return found.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    private func send(
        _ method: String, _ key: String?, query: [(String, String)] = [], extra: [(name: String, value: String)] = [],
        body: HTTPRequest.Body = .none, payloadHash: String? = nil, limit: Int = 1 << 20
    ) throws(StorageError) -> (response: HTTPResponse, body: [UInt8]) {
        if let key { _ = try ArtifactKey.parts(key) }
        let path = "/\(bucket)" + (key.map { "/" + S3Encoding.encode($0, keepingSlashes: true) } ?? "")
        let headers = S3Signature(endpoint: endpoint).headers(
            method: method, path: path, query: query, extra: extra, payloadHash: payloadHash ?? Hex.encode(SHA256.hash([])), at: Date())
        let url = endpoint.url + path + (query.isEmpty ? "" : "?" + S3Encoding.query(query))
        do throws(HTTPError) {
            return try client.send(HTTPRequest(method: method, url: url, headers: headers, body: body), limit: limit)
        } catch {
            throw .unavailable("S3 at \(endpoint.host): \(error.description)")
        }
    }

    private func check(_ response: HTTPResponse, _ key: String) throws(StorageError) {
        if (200..<300).contains(response.status) { return }
        let answer = S3Answer(response.errorBody)
        let code = answer.value("Code") ?? Self.code(of: response.status)
        if code == "NoSuchKey" { throw .notFound(key) }
        throw .refused(code: code, message: answer.value("Message") ?? "the server answered \(response.status) for \(bucket)/\(key)")
    }

    /// An answer to HEAD has no body to name the code.
    private static func code(of status: Int) -> String {
        switch status {
        case 301, 307: "PermanentRedirect"
        case 400: "BadRequest"
        case 403: "AccessDenied"
        case 404: "NoSuchKey"
        case 412: "PreconditionFailed"
        case 503: "SlowDown"
        default: "HTTP\(status)"
        }
    }

    private func payload(_ content: ArtifactContent) throws(StorageError) -> (HTTPRequest.Body, String) {
        switch content {
        case .bytes(let bytes): return (.bytes(bytes), Hex.encode(SHA256.hash(bytes)))
        case .file(let path):
            guard let file = FileHandle(forReadingAtPath: path) else { throw .unavailable("the file \(path) cannot be opened") }
            defer { try? file.close() }
            var hasher = SHA256()
            var size: Int64 = 0
            while true {
                let chunk: Data?
                do { chunk = try file.read(upToCount: 1 << 20) } catch { throw .unavailable("the file \(path) cannot be read") }
                guard let chunk, !chunk.isEmpty else { break }
                size += Int64(chunk.count)
                hasher.update(Array(chunk))
            }
            return (.file(path: path, size: size), Hex.encode(hasher.finalize()))
        }
    }
}
