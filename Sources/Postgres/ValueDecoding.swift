import Foundation

// Decoders give nil when the type or the size does not fit; the caller names the column.

private enum OID {
    static let char: UInt32 = 18
    static let name: UInt32 = 19
    static let oid: UInt32 = 26
    static let unknown: UInt32 = 705
    static let bpchar: UInt32 = 1042
    static let varchar: UInt32 = 1043
    static let timestamp: UInt32 = 1114
    /// Types made in the database (enums among them) are numbered from here.
    static let firstOwn: UInt32 = 16_384
}

func decodeInteger(_ field: Field) -> Int64? {
    switch field.type {
    case PostgresType.int8.oid: return field.bytes.whole(as: Int64.self)
    case PostgresType.int4.oid: return field.bytes.whole(as: Int32.self).map(Int64.init)
    case PostgresType.int2.oid: return field.bytes.whole(as: Int16.self).map(Int64.init)
    case OID.oid: return field.bytes.whole(as: UInt32.self).map(Int64.init)
    default: return nil
    }
}

func decodeNarrow<Value: FixedWidthInteger>(_ field: Field) -> Value? {
    decodeInteger(field).flatMap { Value(exactly: $0) }
}

func decodeDouble(_ field: Field) -> Double? {
    switch field.type {
    case PostgresType.float8.oid: return field.bytes.whole(as: UInt64.self).map(Double.init(bitPattern:))
    case PostgresType.float4.oid: return field.bytes.whole(as: UInt32.self).map { Double(Float(bitPattern: $0)) }
    case PostgresType.numeric.oid: return decodeNumeric(field).flatMap { Double($0) }
    default: return decodeInteger(field).map(Double.init)
    }
}

func decodeBool(_ field: Field) -> Bool? {
    guard field.type == PostgresType.bool.oid, field.bytes.count == 1 else { return nil }
    return field.bytes[0] != 0
}

private func isText(_ type: UInt32) -> Bool {
    switch type {
    case PostgresType.text.oid, OID.varchar, OID.bpchar, OID.name, OID.char, OID.unknown: return true
    default: return type >= OID.firstOwn
    }
}

func decodeString(_ field: Field) -> String? {
    switch field.type {
    case PostgresType.numeric.oid: return decodeNumeric(field)
    case PostgresType.uuid.oid: return decodeUUID(field)?.uuidString.lowercased()
    case PostgresType.json.oid, PostgresType.jsonb.oid: return jsonText(field).map { String(decoding: $0, as: UTF8.self) }
    default: return isText(field.type) ? String(decoding: field.bytes, as: UTF8.self) : nil
    }
}

func decodeBytes(_ field: Field) -> [UInt8]? {
    field.type == PostgresType.bytea.oid || isText(field.type) ? Array(field.bytes) : nil
}

func decodeJSON(_ field: Field) -> [UInt8]? {
    jsonText(field).map { Array($0) }
}

/// jsonb is its text behind one byte that says version 1.
private func jsonText(_ field: Field) -> Slice<UnsafeRawBufferPointer>? {
    switch field.type {
    case PostgresType.json.oid: return field.bytes[...]
    case PostgresType.jsonb.oid: return field.bytes.first == 1 ? field.bytes.dropFirst() : nil
    default: return nil
    }
}

func decodeTimestamp(_ field: Field) -> PGTimestamp? {
    guard field.type == PostgresType.timestamptz.oid || field.type == OID.timestamp else { return nil }
    return field.bytes.whole(as: Int64.self).map(PGTimestamp.init(since2000:))
}

/// Days since 1970-01-01; the server counts from 2000, and has its extremes for infinity.
func decodeDays(_ field: Field) -> Int32? {
    guard field.type == PostgresType.date.oid, let days = field.bytes.whole(as: Int32.self) else { return nil }
    return days == .max || days == .min ? days : days &+ PGTimestamp.daysFrom1970To2000
}

func decodeUUID(_ field: Field) -> UUID? {
    guard field.type == PostgresType.uuid.oid, field.bytes.count == 16 else { return nil }
    return UUID(uuid: field.bytes.loadUnaligned(as: uuid_t.self))
}

/// numeric is base-10000 digits with the weight of the first one, a sign and the number of decimals to show (utils/adt/numeric.c).
func decodeNumeric(_ field: Field) -> String? {
    let bytes = field.bytes
    guard field.type == PostgresType.numeric.oid,
        let count = bytes.integer(at: 0, as: Int16.self), let weight = bytes.integer(at: 2, as: Int16.self),
        let sign = bytes.integer(at: 4, as: UInt16.self), let scale = bytes.integer(at: 6, as: Int16.self),
        bytes.count == 8 + 2 * Int(count)
    else { return nil }
    switch sign {
    case 0xC000: return "NaN"
    case 0xD000: return "Infinity"
    case 0xF000: return "-Infinity"
    default: break
    }
    func digits(_ place: Int) -> String {
        let value = bytes.integer(at: 8 + 2 * (Int(weight) - place), as: Int16.self)
        let isStored = place <= Int(weight) && Int(weight) - place < Int(count)
        let text = isStored ? String(value ?? 0) : "0"
        return String(repeating: "0", count: 4 - text.utf8.count) + text
    }
    var whole = ""
    if weight >= 0 {
        for place in stride(from: Int(weight), through: 0, by: -1) { whole += digits(place) }
    }
    let significant = whole.drop { $0 == "0" }
    var text = (sign == 0x4000 ? "-" : "") + (significant.isEmpty ? "0" : significant)
    guard scale > 0 else { return text }
    var fraction = ""
    var place = -1
    while fraction.utf8.count < Int(scale) {
        fraction += digits(place)
        place -= 1
    }
    text += "." + fraction.prefix(Int(scale))
    return text
}

/// A name for error messages.
func typeName(_ type: UInt32) -> String {
    let names: [UInt32: String] = [
        16: "bool", 17: "bytea", 20: "bigint", 21: "smallint", 23: "integer", 25: "text", 114: "json", 700: "real", 701: "double precision",
        1009: "text[]", 1043: "varchar", 1082: "date", 1114: "timestamp", 1184: "timestamptz", 1700: "numeric", 2950: "uuid", 3802: "jsonb",
    ]
    return names[type] ?? "with number \(type)"
}
