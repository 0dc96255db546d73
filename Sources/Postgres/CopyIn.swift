import CPostgres

/// Writes rows of binary COPY FROM STDIN: `startRow`, then one value per column in order.
///
/// Values must have the exact width of the column's type: the server refuses anything else.
public struct CopyWriter: ~Copyable {
    private let wire: Wire
    private var buffer: [UInt8] = []
    private static let pieceSize = 64 * 1024

    fileprivate init(_ wire: Wire) {
        self.wire = wire
        buffer.reserveCapacity(Self.pieceSize * 2)
        // Signature, flags, length of the header's extension.
        buffer.append(contentsOf: Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00])
        buffer.appendBigEndian(Int64(0))
    }

    /// Begins a row of so many columns; sends what has gathered when it is enough.
    public mutating func startRow(columns: Int) throws(PostgresError) {
        if buffer.count >= Self.pieceSize { try send() }
        buffer.appendBigEndian(Int16(truncatingIfNeeded: columns))
    }

    public mutating func null() {
        buffer.appendBigEndian(Int32(-1))
    }
    public mutating func bool(_ value: Bool) {
        buffer.appendBigEndian(Int32(1))
        buffer.append(value ? 1 : 0)
    }
    public mutating func int16(_ value: Int16) {
        buffer.appendBigEndian(Int32(2))
        buffer.appendBigEndian(value)
    }
    public mutating func int32(_ value: Int32) {
        buffer.appendBigEndian(UInt64(4) << 32 | UInt64(UInt32(bitPattern: value)))
    }
    public mutating func int64(_ value: Int64) {
        buffer.appendBigEndian(Int32(8))
        buffer.appendBigEndian(value)
    }
    public mutating func float(_ value: Float) {
        buffer.appendBigEndian(UInt64(4) << 32 | UInt64(value.bitPattern))
    }
    public mutating func double(_ value: Double) {
        buffer.appendBigEndian(Int32(8))
        buffer.appendBigEndian(value.bitPattern)
    }
    public mutating func timestamp(_ value: PGTimestamp) {
        buffer.appendBigEndian(Int32(8))
        buffer.appendBigEndian(value.microsecondsSince2000)
    }
    public mutating func text(_ value: String) {
        append(value.utf8)
    }
    /// UTF-8 bytes.
    public mutating func text(bytes: some Collection<UInt8>) {
        append(bytes)
    }
    public mutating func bytea(_ bytes: some Collection<UInt8>) {
        append(bytes)
    }
    /// A JSON text for a column of type jsonb; one of type json takes `text(bytes:)`.
    public mutating func jsonb(_ bytes: some Collection<UInt8>) {
        buffer.appendBigEndian(Int32(bytes.count + 1))
        buffer.append(1)
        buffer.append(contentsOf: bytes)
    }
    /// Any bindable value, such as a UUID.
    public mutating func value<Value: SQLBindable>(_ value: Value?) {
        let lengthAt = buffer.count
        buffer.appendBigEndian(Int32(-1))
        guard let value else { return }
        value.appendBinary(to: &buffer)
        buffer.setBigEndian(Int32(buffer.count - lengthAt - 4), at: lengthAt)
    }
    /// A one-dimensional array.
    public mutating func array<Element: SQLBindable>(_ values: [Element]) {
        let lengthAt = buffer.count
        buffer.appendBigEndian(Int32(0))
        appendArray(values.lazy.map { Optional($0) }, count: values.count, hasNull: false, to: &buffer)
        buffer.setBigEndian(Int32(buffer.count - lengthAt - 4), at: lengthAt)
    }

    private mutating func append(_ bytes: some Collection<UInt8>) {
        buffer.appendBigEndian(Int32(bytes.count))
        buffer.append(contentsOf: bytes)
    }

    fileprivate mutating func finish() throws(PostgresError) -> Int {
        buffer.appendBigEndian(Int16(-1))
        try send()
        return try wire.finishCopyIn(failing: nil)
    }

    private mutating func send() throws(PostgresError) {
        let wire = wire
        try buffer.withUnsafeBufferPointer { (bytes) throws(PostgresError) in try wire.put(UnsafeRawBufferPointer(bytes)) }
        buffer.removeAll(keepingCapacity: true)
    }
}

extension Connection {
    /// Streams rows into `target`, such as `staging (user_id, item_id, time)`, in memory of constant size.
    ///
    /// All rows are stored or none: an error of `rows` or of the server ends the copy. Gives the number of rows.
    @discardableResult
    public func copyIn<Failure: PostgresFailure>(
        _ target: SQL, rows: (inout CopyWriter) throws(Failure) -> Void
    ) throws(Failure) -> Int {
        do throws(PostgresError) { try startCopyIn(target) } catch { throw Failure(error) }
        var writer = CopyWriter(wire)
        do throws(Failure) {
            try rows(&writer)
        } catch {
            abandonCopyIn()
            throw error
        }
        do throws(PostgresError) { return try writer.finish() } catch { throw Failure(error) }
    }

    /// The same for rows that throw anything.
    @_disfavoredOverload
    @discardableResult
    public func copyIn(_ target: SQL, rows: (inout CopyWriter) throws -> Void) throws -> Int {
        try startCopyIn(target)
        var writer = CopyWriter(wire)
        do {
            try rows(&writer)
        } catch {
            abandonCopyIn()
            throw error
        }
        return try writer.finish()
    }

    private func startCopyIn(_ target: SQL) throws(PostgresError) {
        let text = ("COPY \(target) FROM STDIN (FORMAT binary)" as SQL).inlined()
        try wire.startCopy(PGRES_COPY_IN) { handle in
            text.withUnsafeBufferPointer { text in
                text.withMemoryRebound(to: CChar.self) { PQsendQuery(handle, $0.baseAddress) }
            }
        }
    }

    private func abandonCopyIn() {
        // The server answers with an error of its own; the caller's error is the one that counts.
        do throws(PostgresError) {
            _ = try wire.finishCopyIn(failing: "the program gave up")
        } catch {
            if !wire.isOpen { close() }
        }
    }
}
