import CXML

/// Turns HTML or XML text into plain text: no tags, no entities, no line breaks, tabs or repeated blanks.
///
/// A stripper of one pass instead of libxml2's HTML parser: it never refuses, has no depth to exhaust, keeps `5 < 6` and costs a
/// fiftieth, which counts at a description per item of an import. The names of entities come from libxml2's table (HTML 4).
public enum HTMLText {
    public static func plain(from html: String) -> String {
        var html = html
        return html.withUTF8 { String(decoding: plain(from: $0), as: UTF8.self) }
    }

    /// `html` must be valid UTF-8; so is the result.
    public static func plain(from html: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var stripper = HTMLStripper(html: html)
        return stripper.run()
    }

    /// Cuts after `limit` Unicode scalars.
    static func cut(_ text: [UInt8], scalars limit: Int) -> [UInt8] {
        guard text.count > limit else { return text }
        var count = 0
        for (position, byte) in text.enumerated() where byte & 0xC0 != 0x80 {
            if count == limit { return Array(text[..<position]) }
            count += 1
        }
        return text
    }
}

private struct HTMLStripper {
    let html: UnsafeBufferPointer<UInt8>
    var position = 0
    var text: [UInt8] = []
    var needsSpace = false
    /// No `>` follows: every further `<` is text.
    var hasNoMoreTags = false
    var isInSection = false

    /// A quoted attribute is passed over as a whole if its tag is not longer than this.
    static let quotedTagLimit = 1_024

    init(html: UnsafeBufferPointer<UInt8>) {
        self.html = html
        text.reserveCapacity(html.count)
    }

    mutating func run() -> [UInt8] {
        while position < html.count {
            let byte = html[position]
            switch byte {
            case UInt8(ascii: "<"): if !skipMarkup() { put(byte) }
            case UInt8(ascii: "&"): if !putEntity() { put(byte) }
            case UInt8(ascii: "]") where isInSection && starts(with: "]]>", at: position):
                isInSection = false
                position += 3
            case 0...0x20, 0x7F: space()
            case 0xC2 where position + 1 < html.count && html[position + 1] == 0xA0:
                space()
                position += 1
            default: put(byte)
            }
        }
        return text
    }

    mutating func space() {
        needsSpace = true
        position += 1
    }

    mutating func put(_ byte: UInt8) {
        separate()
        text.append(byte)
        position += 1
    }

    mutating func separate() {
        if needsSpace, !text.isEmpty { text.append(0x20) }
        needsSpace = false
    }

    func byte(_ index: Int) -> UInt8 { index < html.count ? html[index] : 0 }

    /// Passes over a tag, a comment, a declaration, or the whole of a script or style element. False if `<` is text.
    mutating func skipMarkup() -> Bool {
        guard !hasNoMoreTags else { return false }
        let next = byte(position + 1)
        let isLetter = (next | 0x20) >= UInt8(ascii: "a") && (next | 0x20) <= UInt8(ascii: "z")
        guard isLetter || next == UInt8(ascii: "/") || next == UInt8(ascii: "!") || next == UInt8(ascii: "?") else { return false }
        if starts(with: "<!--", at: position) { return skip(past: "-->", from: position + 4) }
        if starts(with: "<![CDATA[", at: position) {
            position += 9
            isInSection = true
            return true
        }
        guard let end = tagEnd() else {
            hasNoMoreTags = true
            return false
        }
        let name = tagName()
        position = end + 1
        if !Self.inline.contains(name) { needsSpace = true }
        if next != UInt8(ascii: "/"), name == "script" || name == "style" {
            _ = skip(past: name == "script" ? "</script" : "</style", from: position)
            if let end = html[min(position, html.count)...].firstIndex(of: UInt8(ascii: ">")) { position = end + 1 }
        }
        return true
    }

    static let inline: Set<String> = [
        "a", "abbr", "acronym", "b", "big", "cite", "code", "em", "font", "i", "ins", "del", "kbd", "mark", "q", "s", "samp", "small",
        "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr",
    ]

    func tagName() -> String {
        let start = position + (byte(position + 1) == UInt8(ascii: "/") ? 2 : 1)
        var end = start
        while end < html.count, end - start < 16, (html[end] | 0x20) >= 0x61, (html[end] | 0x20) <= 0x7A { end += 1 }
        return String(decoding: html[start..<max(start, end)].map { $0 | 0x20 }, as: UTF8.self)
    }

    /// The `>` of the tag at `position`, one inside quotes not counted.
    func tagEnd() -> Int? {
        var quote: UInt8 = 0
        var index = position + 1
        let limit = min(html.count, position + Self.quotedTagLimit)
        while index < limit {
            let byte = html[index]
            if quote != 0 {
                if byte == quote { quote = 0 }
            } else if byte == UInt8(ascii: ">") {
                return index
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            }
            index += 1
        }
        return html[position...].firstIndex(of: UInt8(ascii: ">"))
    }

    func starts(with word: StaticString, at start: Int) -> Bool {
        guard start + word.utf8CodeUnitCount <= html.count else { return false }
        for offset in 0..<word.utf8CodeUnitCount {
            let byte = html[start + offset]
            let folded = byte >= 0x41 && byte <= 0x5A && word.utf8Start[offset] >= 0x61 ? byte | 0x20 : byte
            if folded != word.utf8Start[offset] { return false }
        }
        return true
    }

    /// To after `word`, or to the end of the text.
    mutating func skip(past word: StaticString, from start: Int) -> Bool {
        needsSpace = true
        var index = start
        while index < html.count, !starts(with: word, at: index) { index += 1 }
        position = min(html.count, index + word.utf8CodeUnitCount)
        return true
    }

    mutating func putEntity() -> Bool {
        let limit = min(html.count, position + 12)
        guard let end = html[position..<limit].firstIndex(of: UInt8(ascii: ";")), end > position + 1 else { return false }
        let body = html[position + 1..<end]
        guard let code = body.first == UInt8(ascii: "#") ? Self.number(body.dropFirst()) : Self.named(body),
            let scalar = Unicode.Scalar(code), code != 0
        else { return false }
        position = end + 1
        if code <= 0x20 || code == 0xA0 || code == 0x7F {
            needsSpace = true
        } else {
            separate()
            text.append(contentsOf: String(Character(scalar)).utf8)
        }
        return true
    }

    static func number(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> UInt32? {
        let isHex = digits.first.map { $0 | 0x20 } == UInt8(ascii: "x")
        let body = isHex ? digits.dropFirst() : digits
        guard body.first.map({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) == true else { return nil }
        return UInt32(String(decoding: body, as: UTF8.self), radix: isHex ? 16 : 10)
    }

    static func named(_ name: Slice<UnsafeBufferPointer<UInt8>>) -> UInt32? {
        if name.elementsEqual("apos".utf8) { return 0x27 }
        guard !name.contains(0), let entity = htmlEntityLookup(Array(name) + [0]) else { return nil }
        return entity.pointee.value
    }
}
