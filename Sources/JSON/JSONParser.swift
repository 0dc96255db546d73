/// What a document may cost before it is refused.
public struct JSONLimits: Sendable {
    /// Nesting of arrays and objects.
    public var depth: Int
    /// Values of all kinds in the document.
    public var values: Int

    public init(depth: Int = 32, values: Int = 200_000) {
        self.depth = depth
        self.values = values
    }
}

/// Why a document was refused, and at which byte.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    public let offset: Int
    public let reason: String
    public var description: String { "\(reason) at byte \(offset)" }
}

extension JSONValue {
    /// Parses one document after RFC 8259: strict UTF-8, no lone surrogates, no U+0000, nothing after the value.
    public init(parsing bytes: some Sequence<UInt8>, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        let array = (bytes as? [UInt8]) ?? Array(bytes)
        self = try array.withUnsafeBufferPointerTyped { buffer throws(JSONError) in
            var parser = JSONParser(buffer: buffer, limits: limits)
            return try parser.parseDocument()
        }
    }

    public init(parsing text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), limits: limits)
    }
}

extension [UInt8] {
    /// `withUnsafeBufferPointer` with a typed error.
    fileprivate func withUnsafeBufferPointerTyped<T>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(JSONError) -> T
    ) throws(JSONError) -> T {
        let result: Result<T, JSONError> = withUnsafeBufferPointer { buffer in
            do throws(JSONError) { return .success(try body(buffer)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

private struct JSONParser {
    let buffer: UnsafeBufferPointer<UInt8>
    let limits: JSONLimits
    var position = 0
    var depth = 0
    var values = 0

    init(buffer: UnsafeBufferPointer<UInt8>, limits: JSONLimits) {
        self.buffer = buffer
        self.limits = limits
    }

    mutating func parseDocument() throws(JSONError) -> JSONValue {
        let value = try parseValue()
        skipSpace()
        guard position == buffer.count else { throw error("unexpected text after the value") }
        return value
    }

    func error(_ reason: String) -> JSONError { JSONError(offset: position, reason: reason) }

    mutating func skipSpace() {
        while position < buffer.count, [0x20, 0x09, 0x0A, 0x0D].contains(buffer[position]) { position += 1 }
    }

    var next: UInt8? { position < buffer.count ? buffer[position] : nil }

    mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    mutating func parseValue() throws(JSONError) -> JSONValue {
        skipSpace()
        values += 1
        guard values <= limits.values else { throw error("more than \(limits.values) values") }
        switch next {
        case UInt8(ascii: "{"): return try nested { parser throws(JSONError) in try parser.parseObject() }
        case UInt8(ascii: "["): return try nested { parser throws(JSONError) in try parser.parseArray() }
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        case nil: throw error("the document ends too early")
        default: return try parseNumber()
        }
    }

    mutating func nested(_ body: (inout JSONParser) throws(JSONError) -> JSONValue) throws(JSONError) -> JSONValue {
        depth += 1
        guard depth <= limits.depth else { throw error("nested deeper than \(limits.depth) levels") }
        position += 1
        let value = try body(&self)
        depth -= 1
        return value
    }

    mutating func parseObject() throws(JSONError) -> JSONValue {
        var object = JSONObject()
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(object) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw error("a member name in quotes was expected") }
            let name = try parseString()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("a colon was expected") }
            object.members.append(.init(name: name, value: try parseValue()))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(object) }
            guard take(UInt8(ascii: ",")) else { throw error("a comma or a closing brace was expected") }
        }
    }

    mutating func parseArray() throws(JSONError) -> JSONValue {
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try parseValue())
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw error("a comma or a closing bracket was expected") }
        }
    }

    mutating func parseWord(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for offset in 0..<word.utf8CodeUnitCount where !take(word.utf8Start[offset]) { throw error("an unknown word") }
        return value
    }

    mutating func digits() -> Int {
        let start = position
        while let byte = next, byte >= 0x30, byte <= 0x39 { position += 1 }
        return position - start
    }

    mutating func parseNumber() throws(JSONError) -> JSONValue {
        let start = position
        _ = take(UInt8(ascii: "-"))
        let leadingZero = next == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0 else { throw error("a value was expected") }
        guard !leadingZero || whole == 1 else { throw error("a number must not start with zero") }
        var isInteger = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            guard digits() > 0 else { throw error("digits were expected after the point") }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard digits() > 0 else { throw error("digits were expected in the exponent") }
        }
        guard position - start <= 400 else { throw error("a number of more than 400 characters") }
        let text = String(decoding: buffer[start..<position], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw error("a number out of range") }
        return .double(value)
    }

    mutating func parseString() throws(JSONError) -> String {
        position += 1
        let start = position
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if next == UInt8(ascii: "\"") {
            let text = try string(buffer[start..<position])
            position += 1
            return text
        }
        var bytes = Array(buffer[start..<position])
        while let byte = next {
            position += 1
            if byte == UInt8(ascii: "\"") {
                return try bytes.withUnsafeBufferPointerTyped { slice throws(JSONError) in try string(slice[...]) }
            }
            if byte == UInt8(ascii: "\\") {
                try parseEscape(into: &bytes)
            } else if byte >= 0x20 {
                bytes.append(byte)
            } else {
                throw error("a control character in a string")
            }
        }
        throw error("a string is not closed")
    }

    func string(_ slice: Slice<UnsafeBufferPointer<UInt8>>) throws(JSONError) -> String {
        guard let text = String(validating: slice, as: UTF8.self) else { throw error("a string is not valid UTF-8") }
        return text
    }

    mutating func parseEscape(into bytes: inout [UInt8]) throws(JSONError) {
        guard let byte = next else { throw error("a string is not closed") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"): bytes.append(contentsOf: Array(String(try parseUnicodeEscape()).utf8))
        default: throw error("an unknown escape")
        }
    }

    mutating func parseUnicodeEscape() throws(JSONError) -> Character {
        let high = try fourHexDigits()
        var code = UInt32(high)
        if high >= 0xD800, high < 0xDC00 {
            guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw error("a lone surrogate") }
            let low = try fourHexDigits()
            guard low >= 0xDC00, low < 0xE000 else { throw error("a lone surrogate") }
            code = 0x10000 + (UInt32(high - 0xD800) << 10) + UInt32(low - 0xDC00)
        }
        guard code != 0 else { throw error("U+0000 is not allowed") }
        guard let scalar = Unicode.Scalar(code) else { throw error("a lone surrogate") }
        return Character(scalar)
    }

    mutating func fourHexDigits() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw error("four hexadecimal digits were expected")
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }
}
