import CPostgres
import Glibc

/// One value as it came: its type and its bytes, valid while the result lives.
struct Field {
    var type: UInt32
    var bytes: UnsafeRawBufferPointer
}

extension Row {
    func hasName(_ name: String, _ column: Int) -> Bool {
        guard let found = PQfname(result.pointer, Int32(column)) else { return false }
        return strcmp(found, name) == 0
    }

    /// Decodes a value that may not be NULL; `decode` gives nil for a type or a size it does not know.
    func required<Value>(
        _ key: some ColumnKey, _ expected: String, _ decode: (Field) -> Value?
    ) throws(PostgresError) -> Value {
        let column = try key.column(of: self)
        guard let field = field(column) else { throw .decoding(result.columnName(Int(column)), expected, "NULL") }
        guard let value = decode(field) else { throw mismatch(column, expected) }
        return value
    }

    func optional<Value>(
        _ key: some ColumnKey, _ expected: String, _ decode: (Field) -> Value?
    ) throws(PostgresError) -> Value? {
        let column = try key.column(of: self)
        guard let field = field(column) else { return nil }
        guard let value = decode(field) else { throw mismatch(column, expected) }
        return value
    }

    func array<Value>(
        _ key: some ColumnKey, _ expected: String, _ decode: (Field) -> Value?
    ) throws(PostgresError) -> [Value] {
        let column = try key.column(of: self)
        guard let field = field(column) else { throw .decoding(result.columnName(Int(column)), expected, "NULL") }
        var values: [Value] = []
        let isWhole = field.forEachElement { element in
            guard let element, let value = decode(element) else { return false }
            values.append(value)
            return true
        }
        guard isWhole else { throw mismatch(column, "\(expected) without NULL elements") }
        return values
    }

    func sparseArray<Value>(
        _ key: some ColumnKey, _ expected: String, _ decode: (Field) -> Value?
    ) throws(PostgresError) -> [Value?] {
        let column = try key.column(of: self)
        guard let field = field(column) else { throw .decoding(result.columnName(Int(column)), expected, "NULL") }
        var values: [Value?] = []
        let isWhole = field.forEachElement { element in
            guard let element else {
                values.append(nil)
                return true
            }
            guard let value = decode(element) else { return false }
            values.append(value)
            return true
        }
        guard isWhole else { throw mismatch(column, expected) }
        return values
    }

    private func field(_ column: Int32) -> Field? {
        guard PQgetisnull(result.pointer, index, column) == 0, let value = PQgetvalue(result.pointer, index, column) else { return nil }
        let length = Int(PQgetlength(result.pointer, index, column))
        return Field(type: PQftype(result.pointer, column), bytes: UnsafeRawBufferPointer(start: value, count: length))
    }

    private func mismatch(_ column: Int32, _ expected: String) -> PostgresError {
        .decoding(result.columnName(Int(column)), expected, "of type \(typeName(PQftype(result.pointer, column))) with another value")
    }
}

extension Field {
    /// Calls `body` for each element of a one-dimensional array, nil for NULL; false when it is no such array or `body` says false.
    func forEachElement(_ body: (Field?) -> Bool) -> Bool {
        guard let dimensions = bytes.integer(at: 0, as: Int32.self), let element = bytes.integer(at: 8, as: UInt32.self) else {
            return false
        }
        guard dimensions != 0 else { return bytes.count == 12 }
        guard dimensions == 1, let count = bytes.integer(at: 12, as: Int32.self) else { return false }
        var offset = 20
        for _ in 0..<count {
            guard let length = bytes.integer(at: offset, as: Int32.self) else { return false }
            offset += 4
            guard length >= 0 else {
                if body(nil) { continue }
                return false
            }
            guard Int(length) <= bytes.count - offset else { return false }
            let part = UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + Int(length))])
            guard body(Field(type: element, bytes: part)) else { return false }
            offset += Int(length)
        }
        return true
    }
}

extension UnsafeRawBufferPointer {
    /// The big-endian integer at `offset`; nil past the end.
    @inline(__always)
    func integer<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type) -> Value? {
        guard offset >= 0, count - offset >= MemoryLayout<Value>.size else { return nil }
        return Value(bigEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }

    /// The big-endian integer that fills the whole value.
    @inline(__always)
    func whole<Value: FixedWidthInteger>(as type: Value.Type) -> Value? {
        count == MemoryLayout<Value>.size ? integer(at: 0, as: type) : nil
    }
}
