public import struct Foundation.UUID

/// A type of the server with the type of its arrays, by object id (the ids of built-in types never change).
public struct PostgresType: Sendable, Hashable {
    public let oid: UInt32
    public let arrayOid: UInt32

    public static let bool = PostgresType(oid: 16, arrayOid: 1000)
    public static let bytea = PostgresType(oid: 17, arrayOid: 1001)
    public static let int8 = PostgresType(oid: 20, arrayOid: 1016)
    public static let int2 = PostgresType(oid: 21, arrayOid: 1005)
    public static let int4 = PostgresType(oid: 23, arrayOid: 1007)
    public static let text = PostgresType(oid: 25, arrayOid: 1009)
    public static let json = PostgresType(oid: 114, arrayOid: 199)
    public static let float4 = PostgresType(oid: 700, arrayOid: 1021)
    public static let float8 = PostgresType(oid: 701, arrayOid: 1022)
    public static let date = PostgresType(oid: 1082, arrayOid: 1182)
    public static let timestamptz = PostgresType(oid: 1184, arrayOid: 1185)
    public static let numeric = PostgresType(oid: 1700, arrayOid: 1231)
    public static let uuid = PostgresType(oid: 2950, arrayOid: 2951)
    public static let jsonb = PostgresType(oid: 3802, arrayOid: 3807)
}

/// A value that can stand in the interpolation of an `SQL` literal.
///
/// An enum with a bindable raw value only has to declare the conformance.
public protocol SQLBindable {
    static var postgresType: PostgresType { get }
    /// Appends the value in the server's binary format.
    func appendBinary(to out: inout [UInt8])
}

extension SQLBindable where Self: RawRepresentable, RawValue: SQLBindable {
    public static var postgresType: PostgresType { RawValue.postgresType }
    public func appendBinary(to out: inout [UInt8]) { rawValue.appendBinary(to: &out) }
}

extension Bool: SQLBindable {
    public static var postgresType: PostgresType { .bool }
    public func appendBinary(to out: inout [UInt8]) { out.append(self ? 1 : 0) }
}

extension Int: SQLBindable {
    public static var postgresType: PostgresType { .int8 }
    public func appendBinary(to out: inout [UInt8]) { out.appendBigEndian(Int64(self)) }
}

extension Int64: SQLBindable {
    public static var postgresType: PostgresType { .int8 }
    public func appendBinary(to out: inout [UInt8]) { out.appendBigEndian(self) }
}

extension Int32: SQLBindable {
    public static var postgresType: PostgresType { .int4 }
    public func appendBinary(to out: inout [UInt8]) { out.appendBigEndian(self) }
}

extension Int16: SQLBindable {
    public static var postgresType: PostgresType { .int2 }
    public func appendBinary(to out: inout [UInt8]) { out.appendBigEndian(self) }
}

extension Double: SQLBindable {
    public static var postgresType: PostgresType { .float8 }
    public func appendBinary(to out: inout [UInt8]) { out.appendBigEndian(bitPattern) }
}

extension Float: SQLBindable {
    public static var postgresType: PostgresType { .float4 }
    public func appendBinary(to out: inout [UInt8]) { out.appendBigEndian(bitPattern) }
}

extension String: SQLBindable {
    public static var postgresType: PostgresType { .text }
    public func appendBinary(to out: inout [UInt8]) { out.append(contentsOf: utf8) }
}

extension Substring: SQLBindable {
    public static var postgresType: PostgresType { .text }
    public func appendBinary(to out: inout [UInt8]) { out.append(contentsOf: utf8) }
}

extension UUID: SQLBindable {
    public static var postgresType: PostgresType { .uuid }
    public func appendBinary(to out: inout [UInt8]) {
        withUnsafeBytes(of: uuid) { out.append(contentsOf: $0) }
    }
}

extension PGTimestamp: SQLBindable {
    public static var postgresType: PostgresType { .timestamptz }
    public func appendBinary(to out: inout [UInt8]) { out.appendBigEndian(microsecondsSince2000) }
}

extension [UInt8] {
    @inline(__always)
    mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    mutating func setBigEndian(_ value: Int32, at offset: Int) {
        Swift.withUnsafeBytes(of: value.bigEndian) { source in
            for index in 0..<4 { self[offset + index] = source[index] }
        }
    }

    /// Dimensions, null flag, element type, length and lower bound of a one-dimensional array.
    mutating func appendArrayHeader(element: UInt32, count: Int, hasNull: Bool) {
        appendBigEndian(Int32(count == 0 ? 0 : 1))
        appendBigEndian(Int32(hasNull ? 1 : 0))
        appendBigEndian(element)
        guard count > 0 else { return }
        appendBigEndian(Int32(count))
        appendBigEndian(Int32(1))
    }
}
