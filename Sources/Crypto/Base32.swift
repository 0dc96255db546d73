/// Crockford's base32 in lower case, without padding or check character: no i, l, o or u to be misread.
public enum Base32 {
    static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    public static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 8 + 4) / 5)
        var pending = 0
        var bits = 0
        for byte in bytes {
            pending = pending << 8 | Int(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(alphabet[pending >> bits & 31])
            }
            pending &= (1 << bits) - 1
        }
        if bits > 0 { text.append(alphabet[pending << (5 - bits) & 31]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads what `encode` wrote. Nil for a byte outside the alphabet or bits that are left over.
    public static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var pending = 0
        var bits = 0
        for character in text.utf8 {
            guard let five = alphabet.firstIndex(of: character) else { return nil }
            pending = pending << 5 | five
            bits += 5
            guard bits >= 8 else { continue }
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: pending >> bits))
            pending &= (1 << bits) - 1
        }
        return pending == 0 && bits < 5 ? bytes : nil
    }
}
