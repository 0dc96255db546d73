/// Finds the fields of one record; may stop at any byte and go on when more bytes are there.
/// Positions count from the start of the buffer that each call is given, which must keep its bytes between calls.
struct CSVScanner {
    enum Outcome: Equatable {
        case needsMore
        /// The record ends before `position`.
        case record
        case failed(String)
    }

    private enum State {
        case fieldStart, plain, quoted, afterQuote, afterBackslash
    }

    let delimiter: UInt8
    let usesBackslash: Bool
    let limits: CSVLimits
    private(set) var fields: [CSVField] = []
    private(set) var unescaped: [UInt8] = []
    /// The next byte to look at.
    private(set) var position = 0
    /// Line breaks passed since the start of the record.
    private(set) var lineBreaks = 0
    /// The bits of all bytes: 0x80 is set when a byte is not ASCII.
    private(set) var bits: UInt8 = 0
    private(set) var hasZero = false
    private var state = State.fieldStart
    private var fieldStart = 0
    /// Where the part of a quoted field begins that was not yet copied to `unescaped`.
    private var segmentStart = 0
    /// Start of the field in `unescaped` once it has an escape.
    private var unescapedStart = -1
    private var recordStart = 0

    init(delimiter: UInt8, usesBackslash: Bool, limits: CSVLimits) {
        self.delimiter = delimiter
        self.usesBackslash = usesBackslash
        self.limits = limits
    }

    var isQuoted: Bool { state == .quoted || state == .afterBackslash }

    mutating func begin(at start: Int) {
        fields.removeAll(keepingCapacity: true)
        unescaped.removeAll(keepingCapacity: true)
        position = start
        recordStart = start
        lineBreaks = 0
        bits = 0
        hasZero = false
        state = .fieldStart
    }

    /// The buffer lost its first `count` bytes.
    mutating func shift(by count: Int) {
        position -= count
        recordStart -= count
        fieldStart -= count
        segmentStart -= count
        for index in fields.indices where !fields[index].isUnescaped { fields[index].start -= count }
    }

    mutating func scan(_ bytes: UnsafeBufferPointer<UInt8>) -> Outcome {
        while position < bytes.count {
            let outcome: Outcome? =
                switch state {
                case .fieldStart: scanStart(bytes)
                case .plain: scanPlain(bytes)
                case .quoted: scanQuoted(bytes)
                case .afterQuote: scanAfterQuote(bytes)
                case .afterBackslash: scanAfterBackslash(bytes)
                }
            if let outcome { return outcome == .needsMore || outcome == .record ? checked(outcome) : outcome }
        }
        return checked(.needsMore)
    }

    private func checked(_ outcome: Outcome) -> Outcome {
        position - recordStart > limits.recordBytes ? .failed("a record of more than \(limits.recordBytes) bytes") : outcome
    }

    /// The input ends here: closes the last record, which needs no line break.
    mutating func finish(_ bytes: UnsafeBufferPointer<UInt8>) -> Outcome {
        let end = position
        position = bytes.count
        switch state {
        case .quoted, .afterBackslash: return .failed("a quoted field is not closed")
        case .fieldStart:
            fieldStart = end
            return endField(at: end) ?? .record
        case .plain:
            let isCRLF = end > fieldStart && bytes[end - 1] == 0x0D
            return endField(at: isCRLF ? end - 1 : end) ?? .record
        case .afterQuote: return endQuotedField(bytes, at: end) ?? .record
        }
    }

    private mutating func scanStart(_ bytes: UnsafeBufferPointer<UInt8>) -> Outcome? {
        fieldStart = position
        unescapedStart = -1
        if bytes[position] == UInt8(ascii: "\"") {
            position += 1
            fieldStart = position
            segmentStart = position
            state = .quoted
        } else {
            state = .plain
        }
        return nil
    }

    private mutating func scanPlain(_ bytes: UnsafeBufferPointer<UInt8>) -> Outcome? {
        var index = position
        var seen = bits
        let end = bytes.count
        let delimiter = delimiter
        while index < end {
            let byte = bytes[index]
            if byte == delimiter || byte == 0x0A || byte == 0 { break }
            seen |= byte
            index += 1
        }
        position = index
        bits = seen
        guard index < end else {
            return index - fieldStart > limits.fieldBytes ? tooLong : nil
        }
        let byte = bytes[index]
        position += 1
        if byte == 0 {
            hasZero = true
            return nil
        }
        if byte == delimiter {
            state = .fieldStart
            return endField(at: index)
        }
        lineBreaks += 1
        let isCRLF = index > fieldStart && bytes[index - 1] == 0x0D
        return endField(at: isCRLF ? index - 1 : index) ?? .record
    }

    private var tooLong: Outcome {
        .failed(
            isQuoted ? "a quoted field is not closed within \(limits.fieldBytes) bytes" : "a field of more than \(limits.fieldBytes) bytes")
    }

    private mutating func endField(at end: Int) -> Outcome? {
        append(CSVField(start: fieldStart, count: end - fieldStart, isUnescaped: false))
    }

    private mutating func append(_ field: CSVField) -> Outcome? {
        guard field.count <= limits.fieldBytes else { return .failed("a field of more than \(limits.fieldBytes) bytes") }
        guard fields.count < limits.columns else { return .failed("more than \(limits.columns) columns") }
        fields.append(field)
        return nil
    }

    private mutating func scanQuoted(_ bytes: UnsafeBufferPointer<UInt8>) -> Outcome? {
        var index = position
        var seen = bits
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") || (byte == UInt8(ascii: "\\") && usesBackslash) { break }
            if byte == 0x0A { lineBreaks += 1 }
            if byte == 0 { hasZero = true }
            seen |= byte
            index += 1
        }
        position = index
        bits = seen
        guard index - fieldStart <= limits.fieldBytes * 2 + 2 else { return tooLong }
        guard index < bytes.count else { return nil }
        state = bytes[index] == UInt8(ascii: "\"") ? .afterQuote : .afterBackslash
        position += 1
        return nil
    }

    private mutating func copySegment(_ bytes: UnsafeBufferPointer<UInt8>, upTo end: Int) {
        if unescapedStart < 0 { unescapedStart = unescaped.count }
        unescaped.append(contentsOf: bytes[segmentStart..<end])
    }

    /// After a quote inside quotes: another quote stands for one, a delimiter or a line break ends the field.
    private mutating func scanAfterQuote(_ bytes: UnsafeBufferPointer<UInt8>) -> Outcome? {
        let byte = bytes[position]
        switch byte {
        case UInt8(ascii: "\""):
            copySegment(bytes, upTo: position)
            position += 1
            segmentStart = position
            state = .quoted
            return nil
        case delimiter:
            if let failure = endQuotedField(bytes, at: position) { return failure }
            position += 1
            state = .fieldStart
            return nil
        case 0x0A:
            if let failure = endQuotedField(bytes, at: position) { return failure }
            position += 1
            lineBreaks += 1
            return .record
        case 0x0D:
            guard position + 1 < bytes.count else { return .needsMore }
            guard bytes[position + 1] == 0x0A else { return .failed("text after a closing quote") }
            if let failure = endQuotedField(bytes, at: position) { return failure }
            position += 2
            lineBreaks += 1
            return .record
        default: return .failed("text after a closing quote")
        }
    }

    private mutating func endQuotedField(_ bytes: UnsafeBufferPointer<UInt8>, at end: Int) -> Outcome? {
        guard unescapedStart >= 0 else {
            return append(CSVField(start: fieldStart, count: end - 1 - fieldStart, isUnescaped: false))
        }
        copySegment(bytes, upTo: end - 1)
        return append(CSVField(start: unescapedStart, count: unescaped.count - unescapedStart, isUnescaped: true))
    }

    /// Only a quote and a backslash are escaped; before anything else the backslash stands for itself.
    private mutating func scanAfterBackslash(_ bytes: UnsafeBufferPointer<UInt8>) -> Outcome? {
        let byte = bytes[position]
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
            copySegment(bytes, upTo: position - 1)
            segmentStart = position
            position += 1
        }
        state = .quoted
        return nil
    }
}
