/// Where Optimizely's SDKs put a unit, for experiments that must agree with them person by person.
public enum OptimizelyBucket {
    /// 0 ..< 10,000: floor(murmur3(unit + experiment) / 2³² · 10,000). The first entry of the traffic allocation whose end is greater wins.
    public static func value(unit: String, experiment: String) -> Int {
        Int((UInt64(murmur3(Array((unit + experiment).utf8), seed: 1)) * 10_000) >> 32)
    }

    /// MurmurHash3 x86 32 bit (Appleby, public domain).
    private static func murmur3(_ bytes: [UInt8], seed: UInt32) -> UInt32 {
        var hash = seed
        let whole = bytes.count & ~3
        for start in stride(from: 0, to: whole, by: 4) {
            let word = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
            hash = rotated(hash ^ mixed(word), by: 13) &* 5 &+ 0xE654_6B64
        }
        if whole < bytes.count {
            hash ^= mixed((whole..<bytes.count).reduce(UInt32(0)) { $0 | UInt32(bytes[$1]) << UInt32(8 * ($1 - whole)) })
        }
        hash ^= UInt32(truncatingIfNeeded: bytes.count)
        hash = (hash ^ hash >> 16) &* 0x85EB_CA6B
        hash = (hash ^ hash >> 13) &* 0xC2B2_AE35
        return hash ^ hash >> 16
    }

    private static func mixed(_ word: UInt32) -> UInt32 { rotated(word &* 0xCC9E_2D51, by: 15) &* 0x1B87_3593 }

    private static func rotated(_ word: UInt32, by bits: UInt32) -> UInt32 { word << bits | word >> (32 - bits) }
}
