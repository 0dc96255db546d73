import Crypto
import JSON
public import Web

/// A message on the page after a change, with an Undo where there is one. Kept in a signed cookie for one page.
public struct Flash: Sendable, Equatable {
    public enum Kind: String, Sendable {
        case good, warn, bad
    }

    public var kind: Kind
    public var text: String
    /// The target of a form that takes the change back.
    public var undo: URLValue?

    public static func good(_ text: String, undo: URLValue? = nil) -> Flash { Flash(kind: .good, text: text, undo: undo) }
    public static func warn(_ text: String) -> Flash { Flash(kind: .warn, text: text) }
    public static func bad(_ text: String) -> Flash { Flash(kind: .bad, text: text) }

    static let cookie = "tastemaker_flash"

    func sealed(key: [UInt8]) -> String {
        let json: JSONValue = [
            "kind": .string(kind.rawValue), "text": .string(String(text.prefix(600))), "undo": undo.map { .string($0.text) } ?? .null,
        ]
        let bytes = json.serialized()
        return Base64.encodeURL(bytes) + "." + Hex.encode(HMACSHA256.authenticate(bytes, key: key).prefix(16))
    }

    init(kind: Kind, text: String, undo: URLValue? = nil) {
        self.kind = kind
        self.text = text
        self.undo = undo
    }

    init?(sealed: String, key: [UInt8]) {
        let parts = sealed.split(separator: ".")
        guard parts.count == 2, let bytes = Base64.decodeURL(String(parts[0])), let json = try? JSONValue(parsing: bytes),
            ConstantTime.equal(Hex.encode(HMACSHA256.authenticate(bytes, key: key).prefix(16)), String(parts[1])),
            let kind = json["kind"]?.stringValue.flatMap(Kind.init), let text = json["text"]?.stringValue
        else { return nil }
        self.init(kind: kind, text: text, undo: json["undo"]?.stringValue.flatMap { URLValue($0) })
    }

    var value: ViewValue {
        .object(["kind": .text(kind.rawValue), "text": .text(text), "undoURL": undo.map { .url($0) } ?? false])
    }
}
