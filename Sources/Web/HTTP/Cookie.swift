/// A cookie to set. HttpOnly, SameSite=Lax and path `/` unless said otherwise.
public struct Cookie: Sendable, Equatable {
    public enum SameSite: String, Sendable {
        case strict = "Strict"
        case lax = "Lax"
        case none = "None"
    }

    public var name: String
    public var value: String
    public var path = "/"
    /// Seconds to live; nil ends with the browser's session, 0 deletes.
    public var maxAge: Int?
    public var sameSite = SameSite.lax
    /// Must be false on plain http, where browsers drop Secure cookies.
    public var isSecure: Bool
    public var isHTTPOnly = true

    /// Nil unless name and value consist of the characters that RFC 6265 (4.1.1) allows.
    public init?(name: String, value: String, isSecure: Bool, maxAge: Int? = nil) {
        guard !name.isEmpty, name.utf8.allSatisfy(Self.isToken), value.utf8.allSatisfy(Self.isValue) else { return nil }
        self.name = name
        self.value = value
        self.isSecure = isSecure
        self.maxAge = maxAge
    }

    var serialized: String {
        var text = "\(name)=\(value); Path=\(path)"
        if let maxAge { text += "; Max-Age=\(maxAge)" }
        if isSecure { text += "; Secure" }
        if isHTTPOnly { text += "; HttpOnly" }
        return text + "; SameSite=\(sameSite.rawValue)"
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !"()<>@,;:\\\"/[]?={}".utf8.contains(byte)
    }

    private static func isValue(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !"\",;\\".utf8.contains(byte)
    }
}

extension Request {
    /// The first cookie of that name, as sent. At most 8 kB of Cookie header are looked at.
    public func cookie(_ name: String) -> String? {
        guard let header = headerBytes("Cookie")?.prefix(8192) else { return nil }
        for pair in header.split(separator: UInt8(ascii: ";")) {
            let trimmed = pair.drop { $0 == 0x20 }
            guard let equals = trimmed.firstIndex(of: UInt8(ascii: "=")), trimmed[..<equals].elementsEqual(name.utf8) else { continue }
            return String(decoding: trimmed[(equals + 1)...], as: UTF8.self)
        }
        return nil
    }
}
