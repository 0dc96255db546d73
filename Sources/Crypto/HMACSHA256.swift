/// HMAC with SHA-256 (RFC 2104). Holds the two half-finished hashes of a key, so that a key in frequent use is
/// absorbed once.
public struct HMACSHA256: Sendable {
    private let inner: SHA256
    private let outer: SHA256

    /// A key of any length; longer than 64 bytes is hashed first, as the RFC says.
    public init(key: [UInt8]) {
        var block = key.count > SHA256.blockCount ? SHA256.hash(key) : key
        block.append(contentsOf: repeatElement(0, count: SHA256.blockCount - block.count))
        var inner = SHA256()
        var outer = SHA256()
        inner.update(block.map { $0 ^ 0x36 })
        outer.update(block.map { $0 ^ 0x5C })
        self.inner = inner
        self.outer = outer
    }

    public func authenticate(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var inner = inner
        inner.update(bytes)
        var outer = outer
        outer.update(inner.finalize())
        return outer.finalize()
    }

    public func authenticate(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { authenticate($0) }
    }

    public func authenticate(_ text: String) -> [UInt8] {
        var text = text
        return text.withUTF8 { authenticate(UnsafeRawBufferPointer($0)) }
    }

    public static func authenticate(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        HMACSHA256(key: key).authenticate(bytes)
    }

    public static func authenticate(_ text: String, key: [UInt8]) -> [UInt8] {
        HMACSHA256(key: key).authenticate(text)
    }

    /// Compares in constant time.
    public static func isValid(_ code: [UInt8], for bytes: [UInt8], key: [UInt8]) -> Bool {
        ConstantTime.equal(code, authenticate(bytes, key: key))
    }
}
