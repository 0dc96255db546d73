/// Tells addresses of the public Internet from private, local and special ones (IANA special-purpose registries, RFC 6890).
enum PublicAddress {
    private static let special: [(UInt32, Int)] = [
        (0x0000_0000, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16), (0xAC10_0000, 12),
        (0xC000_0000, 24), (0xC000_0200, 24), (0xC058_6300, 24), (0xC0A8_0000, 16), (0xC612_0000, 15), (0xC633_6400, 24),
        (0xCB00_7100, 24), (0xE000_0000, 3),
    ]

    /// Four bytes in network order.
    static func isPublic(v4 bytes: [UInt8]) -> Bool {
        guard bytes.count == 4 else { return false }
        let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return !special.contains { (address ^ $0.0) >> (32 - $0.1) == 0 }
    }

    /// Sixteen bytes in network order. Addresses that carry an IPv4 address are judged by it.
    static func isPublic(v6 bytes: [UInt8]) -> Bool {
        guard bytes.count == 16 else { return false }
        if bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) { return isPublic(v4: Array(bytes[12...])) }
        if bytes.starts(with: [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]) { return isPublic(v4: Array(bytes[12...])) }
        if bytes.starts(with: [0x20, 0x02]) { return isPublic(v4: Array(bytes[2..<6])) }
        if bytes.starts(with: [0x20, 0x01, 0, 0]) || bytes.starts(with: [0x20, 0x01, 0x0D, 0xB8]) { return false }
        // Only 2000::/3 is handed out.
        return bytes[0] >> 5 == 1
    }
}
