import CCrypto

/// Comparison whose duration depends on the lengths only, never on where the bytes differ.
public enum ConstantTime {
    public static func equal(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Bool {
        guard first.count == second.count else { return false }
        guard let left = first.baseAddress, let right = second.baseAddress else { return true }
        return CRYPTO_memcmp(left, right, first.count) == 0
    }

    public static func equal(_ first: [UInt8], _ second: [UInt8]) -> Bool {
        first.withUnsafeBytes { left in second.withUnsafeBytes { right in equal(left, right) } }
    }

    public static func equal(_ first: String, _ second: String) -> Bool {
        equal(Array(first.utf8), Array(second.utf8))
    }
}
