/// SQL text with bound values.
///
/// The literal parts are `StaticString`, so a run-time `String` cannot become SQL text: it does not compile.
/// Every interpolated value travels beside the text as a parameter:
///
///     let sql: SQL = "SELECT name FROM campaign WHERE arn = \(arn) AND status = ANY(\(statuses))"
///
/// `\(part)` of another `SQL` splices it in and renumbers its parameters; an array of parts joins with `joined(separator:)`.
/// `\(identifier:)` and `\(literal:)` quote names and constants for statements that take no parameters (DDL).
public struct SQL: ExpressibleByStringInterpolation, Sendable {
    /// Literal bytes without placeholders; each slot says where its placeholder goes.
    private(set) var text: [UInt8] = []
    private(set) var slots: [Slot] = []
    /// Encoded values of all slots, one after another.
    private(set) var values: [UInt8] = []

    /// One bound value: where it stands in the text and where its bytes are.
    struct Slot: Sendable {
        var position: Int
        /// Object id of the type; 0 lets the server infer it.
        var type: UInt32
        var offset: Int
        /// Bytes, or -1 for NULL.
        var length: Int
        /// Sent in text format, with a terminating zero byte after `length` bytes.
        var isText = false
    }

    public init() {}

    /// Text that this module made itself; never open to other modules.
    init(verbatim bytes: some Sequence<UInt8>) {
        text = Array(bytes)
    }

    public init(stringLiteral value: StaticString) {
        append(value)
    }

    public init(stringInterpolation: StringInterpolation) {
        self = stringInterpolation.sql
    }

    public var isEmpty: Bool { text.isEmpty && slots.isEmpty }

    public static func + (left: SQL, right: SQL) -> SQL {
        var sum = left
        sum.append(right)
        return sum
    }

    public static func += (left: inout SQL, right: SQL) {
        left.append(right)
    }

    public mutating func append(_ part: SQL) {
        let shift = (text: text.count, values: values.count)
        text.append(contentsOf: part.text)
        values.append(contentsOf: part.values)
        for var slot in part.slots {
            slot.position += shift.text
            slot.offset += shift.values
            slots.append(slot)
        }
    }

    mutating func append(_ literal: StaticString) {
        literal.withUTF8Buffer { text.append(contentsOf: $0) }
    }

    mutating func append(quoted bytes: some Sequence<UInt8>, by quote: UInt8) {
        text.append(quote)
        for byte in bytes {
            if byte == quote { text.append(quote) }
            text.append(byte)
        }
        text.append(quote)
    }

    /// Binds what `encode` appends; NULL when it returns false.
    mutating func bind(_ type: UInt32, isText: Bool = false, _ encode: (inout [UInt8]) -> Bool) {
        let offset = values.count
        let present = encode(&values)
        let length = present ? values.count - offset : -1
        if isText { values.append(0) }
        slots.append(Slot(position: text.count, type: type, offset: offset, length: length, isText: isText))
    }

    /// The text with `$1, $2 …` at the places of the values, ending in a zero byte.
    func rendered() -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(text.count + slots.count * 4 + 1)
        render(into: &out) { number, _, out in
            out.append(UInt8(ascii: "$"))
            out.append(contentsOf: String(number).utf8)
        }
        out.append(0)
        return out
    }

    /// Text with `placeholder` called for each value, kept apart from a digit or letter that follows.
    func render(into out: inout [UInt8], placeholder: (Int, Slot, inout [UInt8]) -> Void) {
        var position = 0
        for (index, slot) in slots.enumerated() {
            out.append(contentsOf: text[position..<slot.position])
            placeholder(index + 1, slot, &out)
            position = slot.position
            if position < text.count, isWordByte(text[position]) { out.append(UInt8(ascii: " ")) }
        }
        out.append(contentsOf: text[position...])
    }

    private func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), 128...255:
            return true
        default:
            return false
        }
    }
}

extension Sequence where Element == SQL {
    /// The parts one after another with `separator` between them.
    public func joined(separator: SQL) -> SQL {
        var out = SQL()
        var isFirst = true
        for part in self {
            if !isFirst { out.append(separator) }
            out.append(part)
            isFirst = false
        }
        return out
    }
}
