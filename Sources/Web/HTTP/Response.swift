/// An answer: status, headers, body.
public struct Response: Sendable {
    public struct Header: Sendable, Equatable {
        public let name: String
        public let value: String
    }

    public var status: Status
    public private(set) var headers: [Header] = []
    public var body: [UInt8]

    /// `contentType` is left away when the status forbids a body.
    public init(_ status: Status, contentType: String? = nil, body: [UInt8] = []) {
        self.status = status
        self.body = body
        if let contentType { setHeader("Content-Type", contentType) }
    }

    /// Sets a header, replacing one of that name in any case. CR, LF and other control characters in the value become
    /// spaces (RFC 9110, 5.5).
    public mutating func setHeader(_ name: StaticString, _ value: String) {
        let bytes = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        if !headers.isEmpty {
            headers.removeAll { $0.name.utf8.elementsEqual(bytes, by: Self.matches) }
        }
        addHeader(name, value)
    }

    /// Adds a header beside others of the same name, as Set-Cookie needs it.
    public mutating func addHeader(_ name: StaticString, _ value: String) {
        headers.append(Header(name: name.description, value: Self.clean(value)))
    }

    public func header(_ name: String) -> String? {
        headers.first { $0.name.utf8.elementsEqual(name.utf8, by: Self.matches) }?.value
    }

    public mutating func setCookie(_ cookie: Cookie) {
        addHeader("Set-Cookie", cookie.serialized)
    }

    private static func matches(_ first: UInt8, _ second: UInt8) -> Bool {
        first == second || (first | 0x20 == second | 0x20 && (97...122).contains(first | 0x20))
    }

    private static func clean(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 < 0x20 && $0 != 9 || $0 == 0x7F }) else { return value }
        return String(decoding: value.utf8.map { $0 < 0x20 && $0 != 9 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
    }
}

extension Response {
    public static func json(_ body: [UInt8], status: Status = .ok) -> Response {
        Response(status, contentType: "application/json", body: body)
    }

    public static func html(_ body: [UInt8], status: Status = .ok) -> Response {
        Response(status, contentType: "text/html; charset=utf-8", body: body)
    }

    public static func text(_ text: String, status: Status = .ok) -> Response {
        Response(status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    public static func empty(_ status: Status = .noContent) -> Response {
        Response(status)
    }

    /// 303 to a page of this site, after a form was taken.
    public static func redirect(_ location: URLValue, status: Status = .seeOther) -> Response {
        var response = Response(status)
        response.setHeader("Location", location.text)
        return response
    }

    /// 200 with `X-Accel-Redirect`: nginx sends the file of an internal location, the worker is free at once.
    public static func file(internalPath: URLValue, contentType: String, name: String) -> Response {
        var response = Response(.ok, contentType: contentType)
        response.setHeader("X-Accel-Redirect", internalPath.text)
        response.setHeader("Content-Disposition", "attachment; filename*=UTF-8''\(PercentCoding.encode(name))")
        return response
    }

    /// Writes head and body as FastCGI wants them, into a buffer that is used again for each answer of a thread.
    func write(to buffer: inout [UInt8], requestID: String, isHead: Bool) {
        buffer.removeAll(keepingCapacity: true)
        let hasBody = !status.forbidsBody
        Self.append("Status: ", to: &buffer)
        buffer.append(contentsOf: String(status.code).utf8)
        buffer.append(0x20)
        Self.append(status.reason, to: &buffer)
        var isSentByNginx = false
        for header in headers where hasBody || !header.name.utf8.elementsEqual("Content-Type".utf8) {
            if header.name.utf8.count == 16, header.name.utf8.elementsEqual("X-Accel-Redirect".utf8) { isSentByNginx = true }
            Self.append("\r\n", to: &buffer)
            buffer.append(contentsOf: header.name.utf8)
            Self.append(": ", to: &buffer)
            buffer.append(contentsOf: header.value.utf8)
        }
        Self.append("\r\nx-amzn-RequestId: ", to: &buffer)
        buffer.append(contentsOf: requestID.utf8)
        if hasBody, !isSentByNginx {
            Self.append("\r\nContent-Length: ", to: &buffer)
            buffer.append(contentsOf: String(body.count).utf8)
        }
        Self.append("\r\n\r\n", to: &buffer)
        if hasBody, !isHead { buffer.append(contentsOf: body) }
    }

    private static func append(_ text: StaticString, to buffer: inout [UInt8]) {
        buffer.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
