/// An object in a store.
public struct Artifact: Sendable, Equatable {
    public let key: String
    public let size: Int64
    /// Changes when the content does.
    public let version: String
}

/// What is put: bytes, or a file on this host.
public enum ArtifactContent: Sendable {
    case bytes([UInt8])
    case file(path: String)
}

public enum StorageError: Error, Equatable, Sendable, CustomStringConvertible {
    case notFound(String)
    case alreadyExists(String)
    /// The key or the location breaks a rule.
    case invalid(String)
    /// The object changed while it was read.
    case changed(String)
    case tooLarge(String)
    /// The store refused; a code such as AccessDenied, and its words.
    case refused(code: String, message: String)
    case unavailable(String)

    public var description: String {
        switch self {
        case .notFound(let key): "NoSuchKey: there is no object \(key)"
        case .alreadyExists(let key): "PreconditionFailed: the object \(key) exists already"
        case .invalid(let reason): reason
        case .changed(let key): "the object \(key) changed while it was read"
        case .tooLarge(let reason): reason
        case .refused(let code, let message): message.isEmpty ? code : "\(code): \(message)"
        case .unavailable(let reason): reason
        }
    }
}

/// A place for files named by keys: a folder, or a bucket of an S3-compatible server. Calls block.
public protocol ArtifactStore: Sendable {
    /// nil if there is no such object.
    func find(_ key: String) throws(StorageError) -> Artifact?

    /// The bytes of `range` that the object has. `version` refuses an object that has changed since.
    func read(_ key: String, range: Range<Int64>, version: String?) throws(StorageError) -> [UInt8]

    /// Stores an object whole or not at all; with `ifAbsent`, `alreadyExists` when there is one.
    func put(_ key: String, _ content: ArtifactContent, ifAbsent: Bool) throws(StorageError)

    /// All objects whose key begins with `prefix`, ordered by the bytes of their keys.
    func list(prefix: String) throws(StorageError) -> [Artifact]

    /// No error if there is no such object.
    func delete(_ key: String) throws(StorageError)
}

extension ArtifactStore {
    /// An object of at most `limit` bytes as a whole.
    public func get(_ key: String, limit: Int) throws(StorageError) -> [UInt8] {
        guard let artifact = try find(key) else { throw .notFound(key) }
        guard artifact.size <= Int64(limit) else { throw .tooLarge("the object \(key) has more than \(limit) bytes") }
        return artifact.size == 0 ? [] : try read(key, range: 0..<artifact.size, version: artifact.version)
    }

    /// Opens an object for reading in chunks; memory is bounded by one chunk.
    public func open(_ key: String, chunkSize: Int = 4 << 20) throws(StorageError) -> ArtifactReader {
        guard let artifact = try find(key) else { throw .notFound(key) }
        return ArtifactReader(store: self, artifact: artifact, chunkSize: chunkSize)
    }
}

/// Reads one object front to back, or on from an offset.
public struct ArtifactReader: Sendable {
    public let artifact: Artifact
    /// The next byte to read.
    public var offset: Int64 = 0
    private let store: any ArtifactStore
    private let chunkSize: Int

    init(store: any ArtifactStore, artifact: Artifact, chunkSize: Int) {
        self.store = store
        self.artifact = artifact
        self.chunkSize = chunkSize
    }

    /// The next chunk, empty at the end. After an error the same chunk may be asked for again.
    public mutating func next() throws(StorageError) -> [UInt8] {
        guard offset < artifact.size else { return [] }
        let end = min(artifact.size, offset + Int64(chunkSize))
        let chunk = try store.read(artifact.key, range: offset..<end, version: artifact.version)
        guard chunk.count == Int(end - offset) else { throw .changed(artifact.key) }
        offset = end
        return chunk
    }
}

/// Keys are paths: parts joined by slashes.
enum ArtifactKey {
    /// Refuses what could leave a folder or name nothing.
    static func parts(_ key: String) throws(StorageError) -> [String] {
        guard (1...1_024).contains(key.utf8.count) else { throw .invalid("a key has 1 to 1024 bytes") }
        guard !key.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { throw .invalid("a key holds a control character") }
        let parts = key.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        for part in parts {
            guard !part.isEmpty, part != ".", part != "..", part.utf8.count <= 255 else {
                throw .invalid("the key \(key) has an empty, dotted or too long part")
            }
        }
        return parts
    }
}
