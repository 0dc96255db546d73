import CCrypto

/// Randomness from libcrypto's generator, which the kernel seeds.
public enum SecureRandom {
    /// `count` random bytes. Ends the program when the system has no randomness: nothing safe can follow.
    public static func bytes(_ count: Int) -> [UInt8] {
        precondition(count >= 0 && count <= 1 << 20, "random bytes are asked for in small amounts")
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let start = buffer.baseAddress, count > 0 {
                precondition(RAND_bytes(start, Int32(count)) == 1, "the system's random generator failed")
            }
            initialized = count
        }
    }

    public enum Alphabet: Sendable {
        /// Lower-case Crockford base32: 5 bits a character, safe to read aloud.
        case base32
        /// 6 bits a character, safe in URLs.
        case base64URL
    }

    /// A random text of exactly `length` characters.
    public static func token(_ alphabet: Alphabet = .base64URL, length: Int) -> String {
        let letters: [UInt8] =
            switch alphabet {
            case .base32: Base32.alphabet
            case .base64URL: Base64.urlAlphabet
            }
        // Both alphabets have a power of two letters, so masking keeps the choice uniform.
        let mask = UInt8(letters.count - 1)
        return String(decoding: bytes(length).map { letters[Int($0 & mask)] }, as: UTF8.self)
    }

    /// A version 4 UUID (RFC 9562) in lower case with hyphens.
    public static func uuid() -> String {
        var random = bytes(16)
        random[6] = random[6] & 0x0F | 0x40
        random[8] = random[8] & 0x3F | 0x80
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (index, byte) in random.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
            Hex.append(byte, to: &text)
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// The system's randomness as a generator, for Swift's own random functions.
public struct SecureRandomGenerator: RandomNumberGenerator, Sendable {
    public init() {}

    public mutating func next() -> UInt64 {
        SecureRandom.bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
