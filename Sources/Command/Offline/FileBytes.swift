import Glibc
import Storage

/// Reads a file piece by piece, unpacked when it is packed with gzip.
struct FileBytes {
    let path: String
    /// Unpacked bytes that are read at most.
    static let limit = 1 << 40
    /// Below the size from which the allocator asks the kernel for every piece.
    private static let pieceBytes = 1 << 16

    func read(_ body: ([UInt8]) throws -> Void) throws {
        let descriptor = open(absolutePath(path), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure("\(path) cannot be read: \(systemMessage()).") }
        defer { close(descriptor) }
        var piece = try next(descriptor)
        guard GzipInflater.isGzip(piece) else {
            while !piece.isEmpty {
                try body(piece)
                piece = try next(descriptor)
            }
            return
        }
        do {
            var inflater = try GzipInflater(limit: Self.limit)
            while !piece.isEmpty {
                try inflater.inflate(piece, body)
                piece = try next(descriptor)
            }
            try inflater.finish()
        } catch let error as GzipError {
            throw Failure("\(path) cannot be unpacked: \(error).")
        }
    }

    private func next(_ descriptor: Int32) throws(Failure) -> [UInt8] {
        var result = 0
        let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { buffer, count in
            repeat { result = Glibc.read(descriptor, buffer.baseAddress, buffer.count) } while result < 0 && errno == EINTR
            count = max(0, result)
        }
        guard result >= 0 else { throw Failure("\(path) cannot be read: \(systemMessage()).") }
        return piece
    }

    /// Every line without its break, with its number from 1; empty lines are passed over.
    func lines(limit: Int = 16 << 20, _ body: (ArraySlice<UInt8>, Int) throws -> Void) throws {
        var pending: [UInt8] = []
        var number = 0
        func deliver(_ line: ArraySlice<UInt8>) throws {
            number += 1
            let line = line.last == 0x0D ? line.dropLast() : line
            if !line.isEmpty { try body(line, number) }
        }
        try read { piece in
            var start = 0
            while let end = piece[start...].firstIndex(of: 0x0A) {
                if pending.isEmpty {
                    try deliver(piece[start..<end])
                } else {
                    pending += piece[start..<end]
                    try deliver(pending[...])
                    pending.removeAll(keepingCapacity: true)
                }
                start = end + 1
            }
            pending += piece[start...]
            guard pending.count <= limit else { throw Failure("\(path) line \(number + 1): a line has at most \(limit) bytes.") }
        }
        if !pending.isEmpty { try deliver(pending[...]) }
    }
}
