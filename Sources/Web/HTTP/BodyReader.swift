import CFastCGI

/// The body of one request, read once from front to back and never past the announced length.
public final class BodyReader {
    private enum Source {
        case stream(UnsafeMutablePointer<FCGX_Stream>)
        case bytes([UInt8])
        case finished
    }

    private var source: Source
    /// Bytes announced by Content-Length.
    public let length: Int
    /// Bytes read so far.
    public private(set) var position = 0

    init(stream: UnsafeMutablePointer<FCGX_Stream>?, length: Int) {
        source = stream.map { .stream($0) } ?? .finished
        self.length = length
    }

    init(bytes: [UInt8]) {
        source = .bytes(bytes)
        length = bytes.count
    }

    public var isAtEnd: Bool { position == length }

    /// The next bytes, at most `limit`; empty at the end. Throws 400 when the client sent fewer than it announced.
    public func read(upTo limit: Int) throws(HTTPError) -> [UInt8] {
        let wanted = min(limit, length - position)
        guard wanted > 0 else { return [] }
        let chunk: [UInt8]
        switch source {
        case .bytes(let bytes): chunk = Array(bytes[position..<position + wanted])
        case .stream(let stream): chunk = Self.read(stream, count: wanted)
        case .finished: chunk = []
        }
        guard !chunk.isEmpty else { throw .malformed("The body ended before the length that Content-Length announces.") }
        position += chunk.count
        return chunk
    }

    /// All that is left, or 413 before anything is read when that is over the limit.
    public func readAll(limit: Int) throws(HTTPError) -> [UInt8] {
        guard length - position <= limit else { throw .tooLarge("The body has \(length) bytes; at most \(limit) are allowed.") }
        var body = try read(upTo: length - position)
        while !isAtEnd { body += try read(upTo: length - position) }
        return body
    }

    private static func read(_ stream: UnsafeMutablePointer<FCGX_Stream>, count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let start = buffer.baseAddress else { return }
            let read = FCGX_GetStr(
                UnsafeMutableRawPointer(start).assumingMemoryBound(to: CChar.self), Int32(clamping: count), stream)
            initialized = max(0, Int(read))
        }
    }

    /// Reads away what the handler left, so that a kept connection starts its next request at a record border.
    /// False when more than `limit` bytes are left: then the connection has to be closed.
    func discardRest(limit: Int = 8 << 20) -> Bool {
        defer { source = .finished }
        guard case .stream(let stream) = source, !isAtEnd else { return true }
        guard length - position <= limit else { return false }
        while !isAtEnd {
            let chunk = Self.read(stream, count: min(65536, length - position))
            if chunk.isEmpty { return false }
            position += chunk.count
        }
        return true
    }
}
