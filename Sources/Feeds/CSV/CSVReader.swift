/// What a CSV file may cost.
public struct CSVLimits: Sendable {
    /// Bytes of one field, quotes and escapes removed.
    public var fieldBytes: Int
    /// Bytes of one record as written.
    public var recordBytes: Int
    public var columns: Int

    public init(fieldBytes: Int = 65_536, recordBytes: Int = 1_048_576, columns: Int = 1_000) {
        self.fieldBytes = fieldBytes
        self.recordBytes = recordBytes
        self.columns = columns
    }
}

/// Reads CSV from chunks of any size, in memory bounded by the longest record and chunk.
///
/// RFC 4180 with doubled quotes, and inside quotes also `\"` and `\\`. Lines end in LF or CRLF; a byte order mark and empty lines are
/// passed over. A quote opens a quoted field only as its first byte. The first record is the header; a later record with another
/// number of fields, with invalid UTF-8 or with U+0000 is reported by line and the rest is read on. After a quote that is never
/// closed, reading goes on at the next line.
public struct CSVReader: ~Copyable {
    /// The names of the columns, once the first record was read.
    public private(set) var header: [String]?

    private let limits: CSVLimits
    private var scanner: CSVScanner
    /// From the start of the record being read.
    private var pending: [UInt8] = []
    private var recordStart = 0
    private var line = 1
    private var isAtStart = true
    /// A record was refused and the next line break was not met yet.
    private var isSkipping = false

    public init(delimiter: UInt8 = UInt8(ascii: ","), backslashEscapes: Bool = true, limits: CSVLimits = CSVLimits()) {
        self.limits = limits
        scanner = CSVScanner(delimiter: delimiter, usesBackslash: backslashEscapes, limits: limits)
    }

    /// Reads the records that `chunk` completes; `header` is called once, before the first row. Throws a `RowError` when the header
    /// cannot be read, and what the closures throw.
    public mutating func read(
        _ chunk: some Sequence<UInt8>, header: ([String]) throws -> Void = { _ in }, row: (borrowing CSVRow) throws -> Void,
        rejected: (RowError) throws -> Void
    ) throws {
        pending.append(contentsOf: chunk)
        guard passByteOrderMark(atEnd: false) else { return }
        try consume(atEnd: false, header: header, row: row, rejected: rejected)
    }

    /// Reads the last record, if no line break ended it.
    public mutating func finish(
        header: ([String]) throws -> Void = { _ in }, row: (borrowing CSVRow) throws -> Void, rejected: (RowError) throws -> Void
    ) throws {
        guard passByteOrderMark(atEnd: true) else { return }
        try consume(atEnd: true, header: header, row: row, rejected: rejected)
    }

    /// False while it takes more bytes to tell.
    private mutating func passByteOrderMark(atEnd: Bool) -> Bool {
        guard isAtStart else { return true }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        if !atEnd, pending.count < 3, pending.elementsEqual(mark.prefix(pending.count)) { return false }
        isAtStart = false
        recordStart = pending.starts(with: mark) ? 3 : 0
        scanner.begin(at: recordStart)
        return true
    }

    private mutating func consume(
        atEnd: Bool, header: ([String]) throws -> Void, row: (borrowing CSVRow) throws -> Void, rejected: (RowError) throws -> Void
    ) throws {
        // Taken out so that the buffer's address holds while the scanner works on it; given back whatever is thrown.
        var bytes: [UInt8] = []
        swap(&bytes, &pending)
        defer {
            swap(&bytes, &pending)
            dropUsed()
        }
        try bytes.withUnsafeBufferPointer { buffer in
            while recordStart < buffer.count {
                if isSkipping, !skipLine(buffer) { return }
                guard recordStart < buffer.count else { return }
                var outcome = scanner.scan(buffer)
                if outcome == .needsMore {
                    guard atEnd else { return }
                    outcome = scanner.finish(buffer)
                }
                if case .failed(let reason) = outcome {
                    try refuse(reason, buffer, rejected)
                } else {
                    // The next record begins behind this one also when a closure throws.
                    defer { begin(at: scanner.position, lines: scanner.lineBreaks) }
                    try deliver(buffer, header, row, rejected)
                }
            }
        }
    }

    private mutating func dropUsed() {
        let used = recordStart
        pending.removeFirst(used)
        recordStart = 0
        scanner.shift(by: used)
    }

    private mutating func begin(at position: Int, lines: Int) {
        line += lines
        recordStart = position
        scanner.begin(at: position)
    }

    /// Passes over the rest of a refused line; false when its end is not there yet.
    private mutating func skipLine(_ buffer: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let lineBreak = buffer[recordStart...].firstIndex(of: 0x0A) else {
            begin(at: buffer.count, lines: 0)
            return false
        }
        isSkipping = false
        begin(at: lineBreak + 1, lines: 1)
        return true
    }

    private mutating func refuse(
        _ reason: String, _ buffer: UnsafeBufferPointer<UInt8>, _ rejected: (RowError) throws -> Void
    ) throws {
        let error = RowError(line: line, reason: reason)
        // A quote that is never closed has swallowed good lines: go back to the line after it. Otherwise the bad record ends at
        // the next line break, or at the one before the byte that was refused.
        if !scanner.isQuoted { begin(at: max(recordStart, scanner.position - 1), lines: linesBefore(scanner.position - 1, buffer)) }
        isSkipping = true
        if header == nil { throw error }
        try rejected(error)
    }

    private func linesBefore(_ end: Int, _ buffer: UnsafeBufferPointer<UInt8>) -> Int {
        guard end > recordStart else { return 0 }
        return buffer[recordStart..<end].count { $0 == 0x0A }
    }

    private mutating func deliver(
        _ buffer: UnsafeBufferPointer<UInt8>, _ named: ([String]) throws -> Void, _ row: (borrowing CSVRow) throws -> Void,
        _ rejected: (RowError) throws -> Void
    ) throws {
        guard !isBlank else { return }
        if let reason = problem(buffer) {
            let error = RowError(line: line, reason: reason)
            if header == nil { throw error }
            return try rejected(error)
        }
        guard header == nil else { return try withRecord(buffer) { try row($0) } }
        let names = withRecord(buffer) { record in (0..<record.count).map { trimmed(record.text($0)) } }
        header = names
        try named(names)
    }

    private func withRecord<Result>(
        _ buffer: UnsafeBufferPointer<UInt8>, _ body: (borrowing CSVRow) throws -> Result
    ) rethrows -> Result {
        try scanner.fields.withUnsafeBufferPointer { fields in
            try scanner.unescaped.withUnsafeBufferPointer { unescaped in
                try body(CSVRow(input: buffer, unescaped: unescaped, fields: fields, line: line))
            }
        }
    }

    private var isBlank: Bool {
        scanner.fields.count == 1 && scanner.fields[0].count == 0 && !scanner.fields[0].isUnescaped
    }

    private func problem(_ buffer: UnsafeBufferPointer<UInt8>) -> String? {
        if scanner.hasZero { return "contains the character U+0000" }
        if scanner.bits >= 0x80, !isUTF8(UnsafeBufferPointer(rebasing: buffer[recordStart..<scanner.position])) {
            return "is not valid UTF-8"
        }
        if let header, scanner.fields.count != header.count {
            return "has \(scanner.fields.count) fields where the header has \(header.count)"
        }
        return nil
    }
}

func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    (try? UTF8Span(validating: bytes.span)) != nil
}

func trimmed(_ text: String) -> String {
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
    let bytes = Array(text.utf8.drop(while: isSpace))
    let end = bytes.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? 0
    return String(decoding: bytes[..<end], as: UTF8.self)
}
