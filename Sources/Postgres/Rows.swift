import CPostgres
public import struct Foundation.UUID

/// The rows of a finished query, in the server's order. Values are decoded when asked for.
public struct Rows: RandomAccessCollection, Sendable {
    let result: ResultHandle
    public let startIndex = 0
    public let endIndex: Int

    init(_ result: ResultHandle) {
        self.result = result
        endIndex = result.rowCount
    }

    public subscript(position: Int) -> Row {
        precondition(position >= 0 && position < endIndex, "row index out of range")
        return Row(result: result, index: Int32(position))
    }

    /// Names of the columns in order.
    public var columnNames: [String] {
        (0..<result.columnCount).map(result.columnName)
    }

    /// Rows that the statement returned or changed.
    public var affectedRows: Int { result.affectedRows }
}

/// How a column is named: by place from 0, or by name as bytes are compared.
public protocol ColumnKey {
    func column(of row: Row) throws(PostgresError) -> Int32
}

extension Int: ColumnKey {
    public func column(of row: Row) throws(PostgresError) -> Int32 {
        guard self >= 0, self < row.columnCount else { throw .decoding("\(self)", "present", "not in the result") }
        return Int32(self)
    }
}

extension String: ColumnKey {
    public func column(of row: Row) throws(PostgresError) -> Int32 {
        for column in 0..<row.columnCount where row.hasName(self, column) { return Int32(column) }
        throw .decoding(self, "present", "not in the result")
    }
}

/// One row of a result. A method named after a type refuses NULL; its `optional…` twin gives nil.
///
/// Numbers widen (smallint reads as `Int`), never narrow silently: a value out of range is an error.
public struct Row: Sendable {
    let result: ResultHandle
    let index: Int32

    public var columnCount: Int { result.columnCount }

    public func isNull(_ column: some ColumnKey) throws(PostgresError) -> Bool {
        PQgetisnull(result.pointer, index, try column.column(of: self)) == 1
    }

    public func int(_ column: some ColumnKey) throws(PostgresError) -> Int {
        Int(try required(column, "an integer", decodeInteger))
    }
    public func optionalInt(_ column: some ColumnKey) throws(PostgresError) -> Int? {
        try optional(column, "an integer", decodeInteger).map { Int($0) }
    }
    public func int64(_ column: some ColumnKey) throws(PostgresError) -> Int64 {
        try required(column, "an integer", decodeInteger)
    }
    public func optionalInt64(_ column: some ColumnKey) throws(PostgresError) -> Int64? {
        try optional(column, "an integer", decodeInteger)
    }
    public func int32(_ column: some ColumnKey) throws(PostgresError) -> Int32 {
        try required(column, "an integer of 32 bits", decodeNarrow)
    }
    public func optionalInt32(_ column: some ColumnKey) throws(PostgresError) -> Int32? {
        try optional(column, "an integer of 32 bits", decodeNarrow)
    }
    public func int16(_ column: some ColumnKey) throws(PostgresError) -> Int16 {
        try required(column, "an integer of 16 bits", decodeNarrow)
    }
    public func optionalInt16(_ column: some ColumnKey) throws(PostgresError) -> Int16? {
        try optional(column, "an integer of 16 bits", decodeNarrow)
    }
    /// float4, float8, integers, and numeric rounded to the nearest double.
    public func double(_ column: some ColumnKey) throws(PostgresError) -> Double {
        try required(column, "a number", decodeDouble)
    }
    public func optionalDouble(_ column: some ColumnKey) throws(PostgresError) -> Double? {
        try optional(column, "a number", decodeDouble)
    }
    public func float(_ column: some ColumnKey) throws(PostgresError) -> Float {
        Float(try double(column))
    }
    public func optionalFloat(_ column: some ColumnKey) throws(PostgresError) -> Float? {
        try optionalDouble(column).map { Float($0) }
    }
    /// numeric as exact decimal text with all its digits, such as `12.50`.
    public func numeric(_ column: some ColumnKey) throws(PostgresError) -> String {
        try required(column, "numeric", decodeNumeric)
    }
    public func optionalNumeric(_ column: some ColumnKey) throws(PostgresError) -> String? {
        try optional(column, "numeric", decodeNumeric)
    }
    public func bool(_ column: some ColumnKey) throws(PostgresError) -> Bool {
        try required(column, "bool", decodeBool)
    }
    public func optionalBool(_ column: some ColumnKey) throws(PostgresError) -> Bool? {
        try optional(column, "bool", decodeBool)
    }
    /// text, varchar, char, name, enums, json, jsonb, and numeric and uuid as text.
    public func string(_ column: some ColumnKey) throws(PostgresError) -> String {
        try required(column, "text", decodeString)
    }
    public func optionalString(_ column: some ColumnKey) throws(PostgresError) -> String? {
        try optional(column, "text", decodeString)
    }
    /// bytea, or the UTF-8 bytes of a text.
    public func bytes(_ column: some ColumnKey) throws(PostgresError) -> [UInt8] {
        try required(column, "bytea or text", decodeBytes)
    }
    public func optionalBytes(_ column: some ColumnKey) throws(PostgresError) -> [UInt8]? {
        try optional(column, "bytea or text", decodeBytes)
    }
    /// json or jsonb as UTF-8 text.
    public func json(_ column: some ColumnKey) throws(PostgresError) -> [UInt8] {
        try required(column, "json", decodeJSON)
    }
    public func optionalJSON(_ column: some ColumnKey) throws(PostgresError) -> [UInt8]? {
        try optional(column, "json", decodeJSON)
    }
    public func timestamp(_ column: some ColumnKey) throws(PostgresError) -> PGTimestamp {
        try required(column, "timestamptz", decodeTimestamp)
    }
    public func optionalTimestamp(_ column: some ColumnKey) throws(PostgresError) -> PGTimestamp? {
        try optional(column, "timestamptz", decodeTimestamp)
    }
    /// date as days since 1970-01-01.
    public func days(_ column: some ColumnKey) throws(PostgresError) -> Int32 {
        try required(column, "date", decodeDays)
    }
    public func optionalDays(_ column: some ColumnKey) throws(PostgresError) -> Int32? {
        try optional(column, "date", decodeDays)
    }
    public func uuid(_ column: some ColumnKey) throws(PostgresError) -> UUID {
        try required(column, "uuid", decodeUUID)
    }
    public func optionalUUID(_ column: some ColumnKey) throws(PostgresError) -> UUID? {
        try optional(column, "uuid", decodeUUID)
    }

    // MARK: Arrays without NULL elements, of one dimension

    public func strings(_ column: some ColumnKey) throws(PostgresError) -> [String] {
        try array(column, "text[]", decodeString)
    }
    public func ints(_ column: some ColumnKey) throws(PostgresError) -> [Int] {
        try array(column, "an array of integers") { field in decodeInteger(field).map { Int($0) } }
    }
    public func int64s(_ column: some ColumnKey) throws(PostgresError) -> [Int64] {
        try array(column, "an array of integers", decodeInteger)
    }
    public func int32s(_ column: some ColumnKey) throws(PostgresError) -> [Int32] {
        try array(column, "integer[]", decodeNarrow)
    }
    public func int16s(_ column: some ColumnKey) throws(PostgresError) -> [Int16] {
        try array(column, "smallint[]", decodeNarrow)
    }
    public func doubles(_ column: some ColumnKey) throws(PostgresError) -> [Double] {
        try array(column, "an array of numbers", decodeDouble)
    }
    public func floats(_ column: some ColumnKey) throws(PostgresError) -> [Float] {
        try array(column, "an array of numbers") { field in decodeDouble(field).map { Float($0) } }
    }
    public func bools(_ column: some ColumnKey) throws(PostgresError) -> [Bool] {
        try array(column, "bool[]", decodeBool)
    }
    public func timestamps(_ column: some ColumnKey) throws(PostgresError) -> [PGTimestamp] {
        try array(column, "timestamptz[]", decodeTimestamp)
    }
    public func uuids(_ column: some ColumnKey) throws(PostgresError) -> [UUID] {
        try array(column, "uuid[]", decodeUUID)
    }
    /// bytea[], or text[] as UTF-8 bytes.
    public func byteStrings(_ column: some ColumnKey) throws(PostgresError) -> [[UInt8]] {
        try array(column, "bytea[] or text[]", decodeBytes)
    }

    // MARK: Arrays with NULL elements

    public func optionalElementStrings(_ column: some ColumnKey) throws(PostgresError) -> [String?] {
        try sparseArray(column, "text[]", decodeString)
    }
    public func optionalElementInts(_ column: some ColumnKey) throws(PostgresError) -> [Int?] {
        try sparseArray(column, "an array of integers") { field in decodeInteger(field).map { Int($0) } }
    }
    public func optionalElementDoubles(_ column: some ColumnKey) throws(PostgresError) -> [Double?] {
        try sparseArray(column, "an array of numbers", decodeDouble)
    }

    /// nil for NULL instead of an array.
    public func optionalStrings(_ column: some ColumnKey) throws(PostgresError) -> [String]? {
        try isNull(column) ? nil : strings(column)
    }
    public func optionalInts(_ column: some ColumnKey) throws(PostgresError) -> [Int]? {
        try isNull(column) ? nil : ints(column)
    }
    public func optionalInt32s(_ column: some ColumnKey) throws(PostgresError) -> [Int32]? {
        try isNull(column) ? nil : int32s(column)
    }
    public func optionalDoubles(_ column: some ColumnKey) throws(PostgresError) -> [Double]? {
        try isNull(column) ? nil : doubles(column)
    }
}
