import Glibc
public import Ranking

/// A file mapped read-only and shared: processes that map the same model hold one copy of its pages. Unmapped when the last user lets go.
///
/// Sendable because the mapping is made once and only read; model files are never truncated or written in place.
public final class MappedFile: ModelMemory, @unchecked Sendable {
    public let bytes: UnsafeRawBufferPointer

    public init(path: String) throws(ModelError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .damaged("The model file cannot be opened (\(String(cString: strerror(errno)))).") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size > 0 else { throw .damaged("The model file is empty.") }
        let count = Int(status.st_size)
        guard let memory = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0), memory != MAP_FAILED else {
            throw .damaged("The model file cannot be mapped (\(String(cString: strerror(errno)))).")
        }
        bytes = UnsafeRawBufferPointer(start: memory, count: count)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    }
}
