import CCrypto

/// SHA-256 (FIPS 180-4), at once or piece by piece. A value: a copy continues from the same state on its own.
public struct SHA256: Sendable {
    /// Bytes of a digest.
    public static let digestCount = 32
    static let blockCount = 64

    private var context = SHA256_CTX()

    public init() {
        _ = SHA256_Init(&context)
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        _ = SHA256_Update(&context, start, bytes.count)
    }

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    public mutating func update(_ text: String) {
        var text = text
        text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
    }

    /// The digest of what was given so far. The hasher is spent: make a copy first to go on.
    public mutating func finalize() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.digestCount) { buffer, count in
            if let start = buffer.baseAddress { _ = SHA256_Final(start, &context) }
            count = Self.digestCount
        }
    }

    public static func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var hasher = SHA256()
        hasher.update(bytes)
        return hasher.finalize()
    }

    public static func hash(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { hash($0) }
    }

    public static func hash(_ text: String) -> [UInt8] {
        var hasher = SHA256()
        hasher.update(text)
        return hasher.finalize()
    }
}
