/// A line of input that was refused, and why; the lines after it are read on.
public struct RowError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Counted from 1, the header included; of a record over several lines, the first.
    public let line: Int
    public let reason: String

    public init(line: Int, reason: String) {
        self.line = line
        self.reason = reason
    }

    public var description: String { "Line \(line): \(reason)" }
}

struct CSVField {
    var start: Int
    var count: Int
    /// The bytes stand in the buffer of unescaped text, not in the input.
    var isUnescaped: Bool
}

/// One record as byte ranges into the reader's buffer. It cannot be copied, so it cannot outlive the call it is given to.
public struct CSVRow: ~Copyable {
    let input: UnsafeBufferPointer<UInt8>
    let unescaped: UnsafeBufferPointer<UInt8>
    let fields: UnsafeBufferPointer<CSVField>
    public let line: Int

    public var count: Int { fields.count }

    /// The bytes of a field, quotes and escapes removed: valid UTF-8 without U+0000, valid during the call only.
    public func withField<Result, Failure: Error>(
        _ index: Int, _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let field = fields[index]
        let buffer = field.isUnescaped ? unescaped : input
        return try body(UnsafeBufferPointer(rebasing: buffer[field.start..<field.start + field.count]))
    }

    public func bytes(_ index: Int) -> [UInt8] { withField(index) { Array($0) } }
    public func text(_ index: Int) -> String { withField(index) { String(decoding: $0, as: UTF8.self) } }
}
