/// A URL that may stand in a link, a form or a Location header: a path of this site, or absolute with http or https.
/// Anything else, `javascript:` before all, cannot be made.
public struct URLValue: Sendable, Hashable {
    public let text: String

    /// Nil for another scheme, for `//host`, and for a text that starts like neither a path nor http.
    /// Bytes that no URL may hold are percent-encoded.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        let isRelative = bytes.isEmpty || bytes[0] == UInt8(ascii: "?") || bytes[0] == UInt8(ascii: "#") || Self.isPath(bytes)
        guard isRelative || Self.hasScheme(bytes, "http://") || Self.hasScheme(bytes, "https://") else { return nil }
        self.text = Self.encode(bytes)
    }

    /// A path of this site from its segments, each encoded: `["items", "a/b"]` is `/items/a%2Fb`.
    public init(path segments: [String], query: [(String, String)] = []) {
        var text = segments.isEmpty ? "/" : ""
        for segment in segments { text += "/" + Self.encodeSegment(segment) }
        for (index, item) in query.enumerated() {
            text += (index == 0 ? "?" : "&") + PercentCoding.encode(item.0) + "=" + PercentCoding.encode(item.1)
        }
        self.text = text.utf8.starts(with: "//".utf8) ? "/" : text
    }

    /// A URL written in our own code.
    public init(_ constant: StaticString) {
        text = constant.description
    }

    /// `.` and `..` would be resolved away by browsers even when encoded, so they lead nowhere.
    private static func encodeSegment(_ segment: String) -> String {
        segment.utf8.elementsEqual(".".utf8) || segment.utf8.elementsEqual("..".utf8) ? "-" : PercentCoding.encode(segment)
    }

    /// One slash, but neither two nor `/\`, which browsers read as another host.
    private static func isPath(_ bytes: [UInt8]) -> Bool {
        // Browsers drop tabs and newlines before they parse: "/\t/host" is "//host".
        let kept = bytes.lazy.filter { $0 > 0x20 }.prefix(2)
        guard bytes[0] == UInt8(ascii: "/") else { return false }
        return !kept.dropFirst().contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
    }

    private static func hasScheme(_ bytes: [UInt8], _ scheme: StaticString) -> Bool {
        let scheme = UnsafeBufferPointer(start: scheme.utf8Start, count: scheme.utf8CodeUnitCount)
        return bytes.count > scheme.count
            && zip(bytes, scheme).allSatisfy { $0 == $1 || ($0 | 0x20 == $1 && (97...122).contains($1)) }
    }

    private static func encode(_ bytes: [UInt8]) -> String {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(bytes.count)
        for byte in bytes {
            if PercentCoding.isUnreserved(byte) || ":/?#[]@!$&()*+,;=%".utf8.contains(byte) {
                encoded.append(byte)
            } else {
                PercentCoding.append(byte, to: &encoded)
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
