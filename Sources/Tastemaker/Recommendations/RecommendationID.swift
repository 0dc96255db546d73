import Crypto
public import Postgres

/// `RID-` + 25 characters of base32 + `-CID-` + 6 hexadecimal digits: 40 characters, the contract's limit. The 25 characters hold, in 125 bits,
/// time (32), placement (20), arm (20), random (21) and a truncated MAC (32), so that attribution needs no look-up and cannot be forged.
public struct RecommendationID: Sendable, Equatable {
    /// Seconds since 1970.
    public let seconds: UInt32
    /// 0: asked for by campaign, not by placement. At most 2^20 − 1.
    public let placementID: Int32
    /// 0: no experiment.
    public let armID: Int32
    /// 21 random bits.
    public let random: UInt32
    /// Last 24 bits of the campaign's id; 0 without a campaign.
    public let campaignID: Int32

    public init(at time: PGTimestamp, placementID: Int32 = 0, armID: Int32 = 0, campaignID: Int32 = 0, random: UInt32) {
        seconds = UInt32(clamping: time.microseconds / 1_000_000)
        self.placementID = placementID & 0xFFFFF
        self.armID = armID & 0xFFFFF
        self.random = random & 0x1FFFFF
        self.campaignID = campaignID & 0xFFFFFF
    }

    /// The key under which the shown list is stored: unique but for a chance of one in two million within one second.
    public var key: Int64 { Int64(seconds) << 21 | Int64(random) }

    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    private var body: [UInt8] {
        // 93 bits of payload and the campaign, as the MAC sees them.
        [UInt32(placementID), UInt32(armID), random, UInt32(campaignID), seconds].flatMap { word in
            withUnsafeBytes(of: word.bigEndian) { Array($0) }
        }
    }

    private func tag(_ key: [UInt8]) -> UInt32 {
        HMACSHA256.authenticate(body, key: key).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// `key`: `Sealer.derivedKey("recommendation-id")`.
    public func text(key: [UInt8]) -> String {
        let high = UInt64(seconds) << 31 | UInt64(placementID) << 11 | UInt64(armID) >> 9  // 63 bits
        let low = UInt64(UInt32(armID) & 0x1FF) << 53 | UInt64(random) << 32 | UInt64(tag(key))  // 62 bits
        var digits: [UInt8] = []
        var value = (UInt128(high) << 62) | UInt128(low)
        for _ in 0..<25 {
            digits.append(RecommendationID.alphabet[Int(truncatingIfNeeded: value & 31)])
            value >>= 5
        }
        let campaign = String(campaignID, radix: 16)
        return "RID-" + String(decoding: digits.reversed(), as: UTF8.self) + "-CID-"
            + String(repeating: "0", count: 6 - campaign.utf8.count) + campaign
    }

    /// Nil for anything that this installation did not make.
    public init?(verifying text: String, key: [UInt8]) {
        let bytes = Array(text.utf8)
        guard bytes.count == 40, bytes.starts(with: "RID-".utf8), bytes[29..<34].elementsEqual("-CID-".utf8),
            let campaign = Int32(String(decoding: bytes[34...], as: UTF8.self), radix: 16)
        else { return nil }
        var value: UInt128 = 0
        for byte in bytes[4..<29] {
            guard let digit = RecommendationID.alphabet.firstIndex(of: byte) else { return nil }
            value = value << 5 | UInt128(digit)
        }
        let low = UInt64(truncatingIfNeeded: value & ((1 << 62) - 1))
        let high = UInt64(truncatingIfNeeded: value >> 62)
        seconds = UInt32(truncatingIfNeeded: high >> 31)
        placementID = Int32(truncatingIfNeeded: (high >> 11) & 0xFFFFF)
        armID = Int32(truncatingIfNeeded: (high & 0x7FF) << 9 | low >> 53)
        random = UInt32(truncatingIfNeeded: (low >> 32) & 0x1FFFFF)
        campaignID = campaign
        let given = withUnsafeBytes(of: UInt32(truncatingIfNeeded: low).bigEndian) { Array($0) }
        let expected = withUnsafeBytes(of: tag(key).bigEndian) { Array($0) }
        guard ConstantTime.equal(given, expected) else { return nil }
    }
}
