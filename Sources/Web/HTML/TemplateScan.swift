/// Walks the text of a template as a browser would and notes where its tags stand.
///
/// Finds what escaping cannot mend: a value outside quotes in a tag, in a script, a style, a comment or an event
/// attribute, and Mustache features that print unchecked text or depend on the library's escaping.
struct TemplateScan {
    private enum Place: Equatable {
        case text
        case tag
        case attribute(quote: UInt8, name: String, isStart: Bool)
        case raw(element: String, isJSON: Bool)
        case comment
    }

    private(set) var faults: [String] = []
    private(set) var partials: Set<String> = []
    /// Variables at the very start of an attribute that leads somewhere.
    private(set) var urlNames: Set<String> = []

    private static let urlAttributes: Set<String> = ["href", "src", "action", "formaction", "poster", "cite", "data", "srcset", "ping"]

    private var place = Place.text
    private let bytes: [UInt8]
    private var index = 0
    /// The bytes of the tag being read, up to here.
    private var tag: [UInt8] = []

    init(_ text: String) {
        bytes = Array(text.utf8)
        while index < bytes.count {
            if starts(with: "{{") {
                readMustache()
            } else {
                step(bytes[index])
                index += 1
            }
        }
    }

    private func starts(with text: StaticString, at position: Int? = nil) -> Bool {
        bytes[(position ?? index)...].starts(with: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func readMustache() {
        let isTriple = starts(with: "{{{")
        let start = index + (isTriple ? 3 : 2)
        let end = bytes[start...].firstIndex(of: UInt8(ascii: "}")) ?? bytes.count
        index = min(bytes.count, end + (isTriple ? 3 : 2))
        let content = String(decoding: bytes[start..<end].filter { $0 != 0x20 && $0 != 0x0A }, as: UTF8.self)
        guard let kind = content.utf8.first else {
            faults.append("an empty tag")
            return
        }
        switch kind {
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "^"), UInt8(ascii: "/"), UInt8(ascii: "$"): return
        case UInt8(ascii: ">"), UInt8(ascii: "<"): partials.insert(String(content.dropFirst()))
        case UInt8(ascii: "="), UInt8(ascii: "%"): faults.append("'{{\(content)}}': delimiters and pragmas are not used here")
        case UInt8(ascii: "&"): check(variable: String(content.dropFirst()))
        default: check(variable: content)
        }
    }

    private mutating func check(variable name: String) {
        switch place {
        case .text: return
        case .attribute(_, let attribute, let isStart):
            if attribute.hasPrefix("on") || attribute == "style" || attribute == "srcdoc" {
                faults.append("'\(name)' in the attribute '\(attribute)', which is code")
            }
            if isStart, Self.urlAttributes.contains(attribute) { urlNames.insert(Self.lastPart(name)) }
            if case .attribute(let quote, let attribute, _) = place { place = .attribute(quote: quote, name: attribute, isStart: false) }
        case .tag: faults.append("'\(name)' in a tag outside of a quoted attribute")
        case .raw(_, isJSON: true): return
        case .raw(let element, isJSON: false):
            if element != "title", element != "textarea" { faults.append("'\(name)' inside <\(element)>") }
        case .comment: faults.append("'\(name)' inside a comment")
        }
    }

    private static func lastPart(_ name: String) -> String {
        String(name.split(separator: ".").last ?? "")
    }

    private mutating func step(_ byte: UInt8) {
        switch place {
        case .text:
            guard byte == UInt8(ascii: "<") else { return }
            if starts(with: "<{{") || starts(with: "</{{") { faults.append("the name of an element comes from a value") }
            if starts(with: "<!--") {
                place = .comment
            } else if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "/") || (97...122).contains(bytes[index + 1] | 0x20) {
                place = .tag
                tag = []
            }
        case .comment:
            if byte == UInt8(ascii: ">"), index >= 2, bytes[index - 1] == 0x2D, bytes[index - 2] == 0x2D { place = .text }
        case .tag: stepInTag(byte)
        case .attribute(let quote, let name, _):
            if byte == quote { place = .tag } else { place = .attribute(quote: quote, name: name, isStart: false) }
        case .raw(let element, _):
            if byte == UInt8(ascii: "<"), bytes[(index + 1)...].starts(with: "/\(element)".utf8) {
                place = .tag
                tag = []
            }
        }
    }

    private mutating func stepInTag(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            let name = tag.dropLast(tag.last == UInt8(ascii: "=") ? 1 : 0).reversed().prefix { $0 > 0x20 }.reversed()
            place = .attribute(quote: byte, name: String(decoding: name, as: UTF8.self).lowercased(), isStart: true)
        case UInt8(ascii: ">"): place = placeAfterTag()
        default: tag.append(byte)
        }
    }

    /// Scripts and the like hold no tags until their own end.
    private func placeAfterTag() -> Place {
        let name = String(decoding: tag.prefix { $0 > 0x20 && $0 != UInt8(ascii: "/") }, as: UTF8.self).lowercased()
        guard ["script", "style", "title", "textarea"].contains(name) else { return .text }
        let opening = bytes[..<index].lastIndex(of: UInt8(ascii: "<")).map { bytes[$0..<index] } ?? []
        let isJSON = String(decoding: opening, as: UTF8.self).contains("application/json")
        return .raw(element: name, isJSON: name == "script" && isJSON)
    }
}
