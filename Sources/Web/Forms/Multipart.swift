import Glibc

/// A multipart/form-data body (RFC 7578) read piece by piece, so that an upload is never whole in memory.
///
/// `next` gives the parts in order; the content of a part is then read with `read` until it is empty.
public struct MultipartReader: ~Copyable {
    public struct Limits: Sendable {
        public var parts = 100
        /// Bytes of the head of one part.
        public var head = 8192
        /// Bytes of a part that `text` reads.
        public var text = 65_536

        public init() {}
    }

    public struct Part: Sendable, Equatable {
        public var name: String
        /// As the browser gives it, without any folder. Never use it as a path.
        public var fileName: String?
        /// In lower case, without parameters; empty when there is none.
        public var mediaType: String
    }

    private let source: BodyReader
    private let limits: Limits
    /// CR LF and two hyphens before the boundary's text.
    private let delimiter: [UInt8]
    private var buffer: [UInt8] = []
    private var start = 0
    private var partCount = 0
    private var isInPart = false
    private var isFinished = false
    private static let chunk = 65_536
    private static let lineBreak: [UInt8] = [0x0D, 0x0A]

    /// 415 unless the request is multipart/form-data with a usable boundary.
    public init(_ request: Request, limits: Limits = Limits()) throws(HTTPError) {
        guard request.mediaType == "multipart/form-data", let boundary = Self.boundary(request) else {
            throw HTTPError(.unsupportedMediaType, code: "UnsupportedMediaType", message: "The form must be multipart/form-data.")
        }
        source = request.bodyReader
        self.limits = limits
        delimiter = Array("\r\n--".utf8) + boundary
        // The first delimiter may stand at the very start, without a line break before it.
        buffer = Array("\r\n".utf8)
    }

    /// The next part, or nil after the last. What was not read of the part before is skipped.
    public mutating func next() throws(HTTPError) -> Part? {
        guard !isFinished else { return nil }
        if !isInPart { isInPart = true }
        while true {
            let rest = try read()
            if rest.isEmpty { break }
        }
        try skipDelimiter()
        if isFinished { return nil }
        partCount += 1
        guard partCount <= limits.parts else { throw .tooLarge("The form has more than \(limits.parts) parts.") }
        isInPart = true
        return try readHead()
    }

    /// The next bytes of the current part; empty at its end.
    public mutating func read() throws(HTTPError) -> [UInt8] {
        guard isInPart else { return [] }
        while true {
            if let end = ByteSearch.first(delimiter, in: buffer, from: start) {
                let piece = Array(buffer[start..<end])
                start = end
                if piece.isEmpty { isInPart = false }
                return piece
            }
            // The tail may be the beginning of a delimiter: it is kept until more has come.
            let safe = buffer.count - (delimiter.count - 1)
            if safe > start {
                let piece = Array(buffer[start..<safe])
                start = safe
                return piece
            }
            try fill()
        }
    }

    /// The whole current part as text: 413 over the limit, 400 for invalid UTF-8.
    public mutating func text() throws(HTTPError) -> String {
        var bytes: [UInt8] = []
        while true {
            let piece = try read()
            if piece.isEmpty { break }
            bytes += piece
            guard bytes.count <= limits.text else { throw .tooLarge("A field of the form has more than \(limits.text) bytes.") }
        }
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
            throw .malformed("A field of the form is not UTF-8.")
        }
        return text
    }

    /// Hands the current part to `sink` piece by piece and returns its length; 413 over `limit`.
    public mutating func stream(limit: Int, to sink: ([UInt8]) throws -> Void) throws -> Int {
        var count = 0
        while true {
            let piece = try read()
            if piece.isEmpty { return count }
            count += piece.count
            guard count <= limit else { throw HTTPError.tooLarge("The file has more than \(limit) bytes.") }
            try sink(piece)
        }
    }

    private mutating func fill() throws(HTTPError) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        let more = try source.read(upTo: Self.chunk)
        guard !more.isEmpty else { throw .malformed("The multipart body ends before its last delimiter.") }
        buffer += more
    }

    private mutating func need(_ count: Int) throws(HTTPError) {
        while buffer.count - start < count { try fill() }
    }

    /// After a delimiter: two hyphens end the form, blanks and a line break begin a part.
    private mutating func skipDelimiter() throws(HTTPError) {
        start += delimiter.count
        try need(2)
        if buffer[start] == 0x2D, buffer[start + 1] == 0x2D {
            isFinished = true
            return
        }
        var blanks = 0
        while buffer[start] == 0x20 || buffer[start] == 0x09 {
            blanks += 1
            guard blanks < 100 else { throw .malformed("A multipart delimiter is followed by too many blanks.") }
            start += 1
            try need(2)
        }
        guard buffer[start] == 0x0D, buffer[start + 1] == 0x0A else { throw .malformed("A multipart delimiter does not end its line.") }
        start += 2
    }

    private mutating func readHead() throws(HTTPError) -> Part {
        var head: [UInt8] = []
        while true {
            try need(2)
            if let end = ByteSearch.first(Self.lineBreak, in: buffer, from: start) {
                let line = buffer[start..<end]
                start = end + 2
                if line.isEmpty { return try MultipartHead.part(head) }
                head += line
                head.append(0x0A)
            } else {
                guard buffer.count - start <= limits.head else { throw headTooLong }
                try fill()
            }
            guard head.count <= limits.head else { throw headTooLong }
        }
    }

    private var headTooLong: HTTPError { .tooLarge("The head of a part is longer than \(limits.head) bytes.") }

    private static func boundary(_ request: Request) -> [UInt8]? {
        guard let header = request.headerBytes("Content-Type"),
            let parameter = MultipartHead.parameter("boundary", in: Array(header))
        else { return nil }
        guard (1...70).contains(parameter.count), parameter.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        return parameter
    }
}

enum ByteSearch {
    /// Where the needle, which is not empty, first begins at or after `from`.
    static func first(_ needle: [UInt8], in bytes: [UInt8], from: Int) -> Int? {
        bytes.withUnsafeBytes { haystack in
            guard let base = haystack.baseAddress, haystack.count >= needle.count else { return nil }
            let last = haystack.count - needle.count
            var position = from
            while position <= last, let hit = memchr(base + position, Int32(needle[0]), last - position + 1) {
                position = UnsafeRawPointer(hit) - base
                if memcmp(hit, needle, needle.count) == 0 { return position }
                position += 1
            }
            return nil
        }
    }
}
