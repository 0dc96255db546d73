import CZlib

/// Packs chunk by chunk into one gzip member. The header holds no time, so equal input gives equal output.
public struct GzipDeflater: ~Copyable {
    /// zlib keeps the stream's address, so it stays where it is.
    private let stream: UnsafeMutablePointer<z_stream>
    private static let outputSize = 65_536

    /// `level` from 1 (fast) to 9 (small).
    public init(level: Int = 6) throws(GzipError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = deflateInit2_(
            stream, Int32(min(max(level, 1), 9)), Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            stream.deallocate()
            throw .outOfMemory
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    public mutating func deflate(_ chunk: [UInt8], _ body: ([UInt8]) throws -> Void) throws {
        try run(chunk, Z_NO_FLUSH, body)
    }

    /// Writes what is left and the checksum; nothing can be packed after it.
    public mutating func finish(_ body: ([UInt8]) throws -> Void) throws {
        try run([], Z_FINISH, body)
    }

    private mutating func run(_ chunk: [UInt8], _ flush: Int32, _ body: ([UInt8]) throws -> Void) throws {
        try chunk.withUnsafeBufferPointer { buffer in
            stream.pointee.next_in = buffer.baseAddress.map { UnsafeMutablePointer(mutating: $0) }
            stream.pointee.avail_in = UInt32(buffer.count)
            var isFull = true
            while isFull {
                let stream = stream
                let piece = [UInt8](unsafeUninitializedCapacity: Self.outputSize) { output, count in
                    stream.pointee.next_out = output.baseAddress
                    stream.pointee.avail_out = UInt32(Self.outputSize)
                    _ = CZlib.deflate(stream, flush)
                    count = Self.outputSize - Int(stream.pointee.avail_out)
                }
                isFull = piece.count == Self.outputSize
                if !piece.isEmpty { try body(piece) }
            }
        }
    }

    /// Packs what is held in memory.
    public static func deflate(_ bytes: [UInt8], level: Int = 6) throws -> [UInt8] {
        var deflater = try GzipDeflater(level: level)
        var result: [UInt8] = []
        try deflater.deflate(bytes) { result += $0 }
        try deflater.finish { result += $0 }
        return result
    }
}
