import Glibc

/// A file that appears under its name only when it is whole: written beside it and renamed at the end.
final class NewFile {
    private let path: String
    private let temporary: String
    private var descriptor: Int32
    private var buffer: [UInt8] = []
    private static let bufferBytes = 1 << 20

    init(path: String) throws(Failure) {
        self.path = absolutePath(path)
        temporary = self.path + ".unfinished-\(getpid())"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure("\(path) cannot be written: \(systemMessage()).") }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(temporary)
    }

    func write(_ bytes: some Collection<UInt8>) throws(Failure) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    /// Makes the file appear.
    func finish() throws(Failure) {
        try flush()
        guard fsync(descriptor) == 0, rename(temporary, path) == 0 else {
            throw Failure("\(path) cannot be written: \(systemMessage()).")
        }
        close(descriptor)
        descriptor = -1
    }

    private func flush() throws(Failure) {
        var start = 0
        while start < buffer.count {
            let written = buffer.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.map { $0 + start }, $0.count - start) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw Failure("\(path) cannot be written: \(systemMessage()).") }
            start += written
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
