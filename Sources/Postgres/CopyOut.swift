import CPostgres

/// One row of binary COPY TO STDOUT, read column by column in order.
public struct CopyReader: ~Copyable {
    private let row: UnsafeRawBufferPointer
    private var offset: Int
    private var column = 0
    public let columnCount: Int

    fileprivate init(_ bytes: UnsafeRawBufferPointer, from offset: Int, columnCount: Int) {
        row = bytes
        self.offset = offset
        self.columnCount = columnCount
    }

    public mutating func int16() throws(PostgresError) -> Int16 { try fixed("smallint") }
    public mutating func int32() throws(PostgresError) -> Int32 { try fixed("integer") }
    public mutating func int64() throws(PostgresError) -> Int64 { try fixed("bigint") }
    public mutating func float() throws(PostgresError) -> Float { Float(bitPattern: try fixed("real")) }
    public mutating func double() throws(PostgresError) -> Double { Double(bitPattern: try fixed("double precision")) }
    public mutating func bool() throws(PostgresError) -> Bool { try (fixed("bool") as UInt8) != 0 }
    public mutating func timestamp() throws(PostgresError) -> PGTimestamp { PGTimestamp(since2000: try fixed("timestamptz")) }
    public mutating func text() throws(PostgresError) -> String { String(decoding: try required("text"), as: UTF8.self) }
    /// bytea, or a text's UTF-8.
    public mutating func bytes() throws(PostgresError) -> [UInt8] { Array(try required("bytea or text")) }

    public mutating func optionalInt16() throws(PostgresError) -> Int16? { try optionalFixed("smallint") }
    public mutating func optionalInt32() throws(PostgresError) -> Int32? { try optionalFixed("integer") }
    public mutating func optionalInt64() throws(PostgresError) -> Int64? { try optionalFixed("bigint") }
    public mutating func optionalFloat() throws(PostgresError) -> Float? {
        try optionalFixed("real").map { Float(bitPattern: $0) }
    }
    public mutating func optionalDouble() throws(PostgresError) -> Double? {
        try optionalFixed("double precision").map { Double(bitPattern: $0) }
    }
    public mutating func optionalText() throws(PostgresError) -> String? {
        try field().map { String(decoding: $0, as: UTF8.self) }
    }
    public mutating func optionalBytes() throws(PostgresError) -> [UInt8]? {
        try field().map { Array($0) }
    }

    /// Lends the next value's bytes without a copy; nil for NULL.
    public mutating func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer?) throws(PostgresError) -> Result
    ) throws(PostgresError) -> Result {
        try body(try field())
    }

    public mutating func skip() throws(PostgresError) {
        _ = try field()
    }

    @inline(__always)
    private mutating func fixed<Value: FixedWidthInteger>(_ expected: String) throws(PostgresError) -> Value {
        guard let field = try field() else { throw .decoding("\(column - 1)", expected, "NULL") }
        guard let value = field.whole(as: Value.self) else { throw .decoding("\(column - 1)", expected, "\(field.count) bytes long") }
        return value
    }

    private mutating func optionalFixed<Value: FixedWidthInteger>(_ expected: String) throws(PostgresError) -> Value? {
        guard let field = try field() else { return nil }
        guard let value = field.whole(as: Value.self) else { throw .decoding("\(column - 1)", expected, "\(field.count) bytes long") }
        return value
    }

    private mutating func required(_ expected: String) throws(PostgresError) -> UnsafeRawBufferPointer {
        guard let field = try field() else { throw .decoding("\(column - 1)", expected, "NULL") }
        return field
    }

    @inline(__always)
    private mutating func field() throws(PostgresError) -> UnsafeRawBufferPointer? {
        guard column < columnCount, let length = row.integer(at: offset, as: Int32.self) else {
            throw .decoding("\(column)", "present", "not in the row")
        }
        column += 1
        offset += 4
        guard length >= 0 else { return nil }
        guard Int(length) <= row.count - offset else { throw .decoding("\(column - 1)", "whole", "cut off") }
        defer { offset += Int(length) }
        return UnsafeRawBufferPointer(rebasing: row[offset..<(offset + Int(length))])
    }
}

extension Connection {
    /// Streams the rows of a query through `row` in memory of constant size; gives their number.
    ///
    /// COPY takes no parameters, so bound values are written into the text as typed constants.
    /// An error of `row` cancels the statement and passes on.
    @discardableResult
    public func copyOut<Failure: PostgresFailure>(
        _ sql: SQL, _ row: (inout CopyReader) throws(Failure) -> Void
    ) throws(Failure) -> Int {
        do throws(PostgresError) { try startCopyOut(sql) } catch { throw Failure(error) }
        var stream = CopyStream(wire)
        while true {
            let hasRow: Bool
            do throws(PostgresError) { hasRow = try stream.advance() } catch { throw Failure(error) }
            guard hasRow else { return stream.rowCount }
            do throws(Failure) {
                try stream.withRow(row)
            } catch {
                abandonCopyOut(&stream)
                throw error
            }
        }
    }

    /// The same for a body that throws anything.
    @_disfavoredOverload
    @discardableResult
    public func copyOut(_ sql: SQL, _ row: (inout CopyReader) throws -> Void) throws -> Int {
        try startCopyOut(sql)
        var stream = CopyStream(wire)
        while try stream.advance() {
            do {
                try stream.withRow(row)
            } catch {
                abandonCopyOut(&stream)
                throw error
            }
        }
        return stream.rowCount
    }

    private func startCopyOut(_ sql: SQL) throws(PostgresError) {
        let text = ("COPY (\(sql)) TO STDOUT (FORMAT binary)" as SQL).inlined()
        try wire.startCopy(PGRES_COPY_OUT) { handle in
            text.withUnsafeBufferPointer { text in
                text.withMemoryRebound(to: CChar.self) { PQsendQuery(handle, $0.baseAddress) }
            }
        }
    }

    /// Tells the server to stop and drops what it had sent, so that the connection can go on.
    private func abandonCopyOut(_ stream: inout CopyStream) {
        makeCanceller()?.cancel()
        do throws(PostgresError) {
            while try stream.advance() {}
        } catch {
            if !wire.isOpen { close() }
        }
    }
}

/// The messages of one COPY TO STDOUT: each holds one row, the first also the header.
private struct CopyStream: ~Copyable {
    private let wire: Wire
    private var message: UnsafeRawBufferPointer?
    private var offset = 0
    private var columnCount = 0
    private var isFirst = true
    private(set) var rowCount = 0

    init(_ wire: Wire) {
        self.wire = wire
    }

    deinit {
        if let base = message?.baseAddress { PQfreemem(UnsafeMutableRawPointer(mutating: base)) }
    }

    /// Goes to the next row; false after the last.
    mutating func advance() throws(PostgresError) -> Bool {
        if let base = message?.baseAddress { PQfreemem(UnsafeMutableRawPointer(mutating: base)) }
        message = nil
        while let next = try wire.nextCopyMessage() {
            message = next
            offset = 0
            if isFirst {
                isFirst = false
                // Signature of 11 bytes, flags, extension length and the extension itself.
                offset = 19 + Int(next.integer(at: 15, as: Int32.self) ?? 0)
            }
            let count = next.integer(at: offset, as: Int16.self) ?? -1
            if count >= 0 {
                columnCount = Int(count)
                offset += 2
                rowCount += 1
                return true
            }
            PQfreemem(UnsafeMutableRawPointer(mutating: next.baseAddress))
            message = nil
        }
        try wire.finishCopyOut()
        return false
    }

    func withRow<Failure: Error>(_ body: (inout CopyReader) throws(Failure) -> Void) throws(Failure) {
        guard let message else { return }
        var reader = CopyReader(message, from: offset, columnCount: columnCount)
        try body(&reader)
    }
}
