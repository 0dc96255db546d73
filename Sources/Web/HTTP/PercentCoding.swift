import Crypto

/// Percent-encoding (RFC 3986, 2.1) on bytes.
public enum PercentCoding {
    /// Decodes to bytes. Nil for a `%` that two hexadecimal digits do not follow.
    static func decode(_ bytes: some Sequence<UInt8>, plusIsSpace: Bool = false) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.underestimatedCount)
        var iterator = bytes.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let first = iterator.next(), let high = Hex.value(first),
                    let second = iterator.next(), let low = Hex.value(second)
                else { return nil }
                decoded.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: decoded.append(UInt8(ascii: " "))
            default: decoded.append(byte)
            }
        }
        return decoded
    }

    /// Decodes to text. Nil for a wrong escape, invalid UTF-8 or U+0000.
    static func decodeText(_ bytes: some Collection<UInt8>, plusIsSpace: Bool = false) -> String? {
        guard let decoded = decode(bytes, plusIsSpace: plusIsSpace), !decoded.contains(0) else { return nil }
        return String(validating: decoded, as: UTF8.self)
    }

    /// Encodes all but the unreserved characters, for one path segment or one query value.
    public static func encode(_ text: String) -> String {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(text.utf8.count)
        for byte in text.utf8 { append(byte, to: &encoded) }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// Appends one byte, encoded unless it is unreserved.
    static func append(_ byte: UInt8, to encoded: inout [UInt8]) {
        if isUnreserved(byte) {
            encoded.append(byte)
        } else {
            encoded.append(UInt8(ascii: "%"))
            encoded.append(upperDigit(byte >> 4))
            encoded.append(upperDigit(byte & 15))
        }
    }

    /// Letters, digits and `-._~`.
    static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func upperDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}
