import Foundation

extension SQL {
    /// The statement with each value as a typed constant, ending in a zero byte: for COPY, which takes no parameters.
    func inlined() -> [UInt8] {
        var out: [UInt8] = []
        values.withUnsafeBytes { values in
            render(into: &out) { _, slot, out in
                guard slot.length >= 0 else {
                    out.append(contentsOf: Array("NULL\(cast(slot.type))".utf8))
                    return
                }
                let bytes = UnsafeRawBufferPointer(rebasing: values[slot.offset..<(slot.offset + slot.length)])
                if slot.isText {
                    appendQuoted(bytes, slot.type, to: &out)
                } else {
                    appendConstant(Field(type: slot.type, bytes: bytes), to: &out)
                }
            }
        }
        out.append(0)
        return out
    }
}

private let namesOfTypes: [UInt32: String] = [
    16: "bool", 17: "bytea", 20: "int8", 21: "int2", 23: "int4", 25: "text", 700: "float4", 701: "float8", 1082: "date",
    1184: "timestamptz", 1700: "numeric", 2950: "uuid",
    1000: "bool[]", 1001: "bytea[]", 1016: "int8[]", 1005: "int2[]", 1007: "int4[]", 1009: "text[]", 1021: "float4[]", 1022: "float8[]",
    1182: "date[]", 1185: "timestamptz[]", 1231: "numeric[]", 2951: "uuid[]",
]

private func cast(_ type: UInt32) -> String {
    namesOfTypes[type].map { "::" + $0 } ?? ""
}

private func appendQuoted(_ bytes: some Collection<UInt8>, _ type: UInt32, to out: inout [UInt8]) {
    var quoted = SQL()
    quoted.appendLiteral(text: bytes)
    out.append(contentsOf: quoted.text)
    out.append(contentsOf: cast(type).utf8)
}

private func appendConstant(_ field: Field, to out: inout [UInt8]) {
    if namesOfTypes[field.type]?.hasSuffix("[]") == true { return appendArrayConstant(field, to: &out) }
    appendQuoted(Array(constantText(field).utf8), field.type, to: &out)
}

private func appendArrayConstant(_ field: Field, to out: inout [UInt8]) {
    var isFirst = true
    out.append(contentsOf: "ARRAY[".utf8)
    _ = field.forEachElement { element in
        if !isFirst { out.append(UInt8(ascii: ",")) }
        isFirst = false
        if let element { appendConstant(element, to: &out) } else { out.append(contentsOf: "NULL".utf8) }
        return true
    }
    out.append(contentsOf: "]\(cast(field.type))".utf8)
}

/// The value as the server reads it in text; text itself where no other form is known.
private func constantText(_ field: Field) -> String {
    switch field.type {
    case PostgresType.bytea.oid:
        let digits = Array("0123456789abcdef".utf8)
        return "\\x" + String(decoding: field.bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    case PostgresType.bool.oid:
        return decodeBool(field) == true ? "t" : "f"
    case PostgresType.float4.oid:
        return floatText(field.bytes.whole(as: UInt32.self).map { Float(bitPattern: $0) } ?? .nan)
    case PostgresType.float8.oid:
        return floatText(decodeDouble(field) ?? .nan)
    case PostgresType.timestamptz.oid:
        return decodeTimestamp(field)?.description ?? ""
    case PostgresType.date.oid:
        let days = Int64(decodeDays(field) ?? 0)
        return String(PGTimestamp(microseconds: days * 86_400_000_000).description.prefix { $0 != "T" })
    case PostgresType.uuid.oid:
        return decodeUUID(field)?.uuidString ?? ""
    default:
        return decodeInteger(field).map { String($0) } ?? String(decoding: field.bytes, as: UTF8.self)
    }
}

private func floatText<Value: BinaryFloatingPoint & CustomStringConvertible>(_ value: Value) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    return value.description
}
