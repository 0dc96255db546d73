import CZlib

/// Unpacks gzip chunk by chunk, several members in a row included, and stops at a limit of bytes.
public struct GzipInflater: ~Copyable {
    /// zlib keeps the stream's address, so it stays where it is.
    private let stream: UnsafeMutablePointer<z_stream>
    private let limit: Int
    private var total = 0
    private var isBetweenMembers = true
    private var hasStarted = false
    private var hasFailed = false
    private static let outputSize = 65_536

    /// `limit` bounds the unpacked bytes in all.
    public init(limit: Int) throws(GzipError) {
        self.limit = limit
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window, and 16 more for gzip's header and checksum.
        guard inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            stream.deallocate()
            throw .outOfMemory
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Unpacks `chunk` and hands over pieces of at most 64 KB.
    public mutating func inflate(_ chunk: [UInt8], _ body: ([UInt8]) throws -> Void) throws {
        guard !hasFailed else { throw GzipError.damaged }
        if chunk.isEmpty { return }
        hasStarted = true
        hasFailed = true
        try chunk.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
            stream.pointee.avail_in = UInt32(buffer.count)
            var isFull = true
            while stream.pointee.avail_in > 0 || isFull {
                let piece = try step(&isFull)
                if !piece.isEmpty { try body(piece) }
                if stream.pointee.avail_in == 0, isBetweenMembers { break }
            }
        }
        hasFailed = false
    }

    private mutating func step(_ isFull: inout Bool) throws(GzipError) -> [UInt8] {
        if isBetweenMembers {
            guard inflateReset(stream) == Z_OK else { throw .damaged }
            isBetweenMembers = false
        }
        var status: Int32 = Z_OK
        let stream = stream
        let piece = [UInt8](unsafeUninitializedCapacity: Self.outputSize) { output, count in
            stream.pointee.next_out = output.baseAddress
            stream.pointee.avail_out = UInt32(Self.outputSize)
            status = CZlib.inflate(stream, Z_NO_FLUSH)
            count = Self.outputSize - Int(stream.pointee.avail_out)
        }
        isFull = piece.count == Self.outputSize
        switch status {
        case Z_STREAM_END: isBetweenMembers = true
        case Z_OK: break
        // No progress: all input is used and no output waits.
        case Z_BUF_ERROR: isFull = false
        case Z_MEM_ERROR: throw .outOfMemory
        default: throw .damaged
        }
        total += piece.count
        guard total <= limit else { throw .tooLarge(limit) }
        return piece
    }

    /// Throws `truncated` when the last member lacks its end.
    public func finish() throws(GzipError) {
        guard isBetweenMembers, hasStarted else { throw .truncated }
    }

    /// Unpacks what is held in memory.
    public static func inflate(_ bytes: [UInt8], limit: Int) throws -> [UInt8] {
        var inflater = try GzipInflater(limit: limit)
        var result: [UInt8] = []
        try inflater.inflate(bytes) { result += $0 }
        try inflater.finish()
        return result
    }

    /// The first two bytes of every gzip file.
    public static func isGzip(_ bytes: some Sequence<UInt8>) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }
}
