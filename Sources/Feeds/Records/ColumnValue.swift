public import JSON

/// A value of a column, checked against the schema.
public enum ColumnValue: Sendable, Equatable {
    case null
    case string(String)
    /// `int` and `long`.
    case long(Int64)
    /// `float` and `double`, finite.
    case double(Double)
    case boolean(Bool)

    public var json: JSONValue {
        switch self {
        case .null: .null
        case .string(let text): .string(text)
        case .long(let number): .integer(number)
        case .double(let number): .double(number)
        case .boolean(let flag): .bool(flag)
        }
    }
}

/// Why a value was refused; names the column.
public struct ValueError: Error, Equatable, Sendable, CustomStringConvertible {
    public let column: String
    public let reason: String
    public var description: String { "\(column): \(reason)" }
}

/// Bounds of values, in Unicode scalars and epoch seconds.
public enum ValueLimits {
    public static let identifier = 256
    public static let string = 1_000
    public static let text = 20_000
    /// 2100-01-01: what lies beyond was most likely written in milliseconds.
    public static let latestTimestamp: Int64 = 4_102_444_800
    /// 1900-01-01, for things older than the Unix epoch.
    public static let earliestCreation: Int64 = -2_208_988_800
}

extension SchemaColumn {
    /// Reads a value from text, which must be valid UTF-8. An empty field is null.
    public func value(parsing text: UnsafeBufferPointer<UInt8>) throws(ValueError) -> ColumnValue {
        guard !text.isEmpty else { return try missing() }
        switch type {
        case .string: return try string(text)
        case .int, .long:
            guard let number = Int64(exactly: text) else { throw refuse("\(quoted(text)) is not a whole number") }
            return .long(try checked(number))
        case .float, .double:
            guard let number = Double(decimal: text) else { throw refuse("\(quoted(text)) is not a finite number") }
            return .double(try checked(number))
        case .boolean:
            if text.elementsEqual("true".utf8) { return .boolean(true) }
            if text.elementsEqual("false".utf8) { return .boolean(false) }
            throw refuse("\(quoted(text)) is not true or false")
        }
    }

    /// Reads a value from JSON, as single records carry it: numbers and booleans may also be written as strings.
    public func value(of json: JSONValue) throws(ValueError) -> ColumnValue {
        if json.isNull { return try missing() }
        if let text = json.stringValue { return try value(parsing: text) }
        switch type {
        case .string: break
        case .int, .long: if let number = json.intValue { return .long(try checked(number)) }
        case .float, .double: if let number = json.doubleValue { return .double(try checked(number)) }
        case .boolean: if let flag = json.boolValue { return .boolean(flag) }
        }
        throw refuse("\(json.text.prefix(40)) is not of type \(type.rawValue)")
    }

    public func value(parsing text: String) throws(ValueError) -> ColumnValue {
        var text = text
        let result: Result<ColumnValue, ValueError> = text.withUTF8 { bytes in
            do throws(ValueError) { return .success(try value(parsing: bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// An identifier: 1 to 256 Unicode scalars.
    func identifier(_ text: UnsafeBufferPointer<UInt8>) throws(ValueError) -> [UInt8] {
        guard !text.isEmpty else { throw refuse("is empty") }
        guard scalarCount(text) <= ValueLimits.identifier else { throw refuse("has more than \(ValueLimits.identifier) characters") }
        return Array(text)
    }

    func refuse(_ reason: String) -> ValueError { ValueError(column: name, reason: reason) }

    private func missing() throws(ValueError) -> ColumnValue {
        guard isNullable else { throw refuse("is empty and the schema does not allow null") }
        return .null
    }

    private func string(_ text: UnsafeBufferPointer<UInt8>) throws(ValueError) -> ColumnValue {
        if isTextual {
            let plain = HTMLText.cut(HTMLText.plain(from: text), scalars: ValueLimits.text)
            return plain.isEmpty ? try missing() : .string(String(decoding: plain, as: UTF8.self))
        }
        let limit = name == "RECOMMENDATION_ID" || name == "EVENT_TYPE" ? ValueLimits.identifier : ValueLimits.string
        guard scalarCount(text) <= limit else { throw refuse("has more than \(limit) characters") }
        return .string(String(decoding: text, as: UTF8.self))
    }

    private func checked(_ number: Int64) throws(ValueError) -> Int64 {
        if type == .int, Int32(exactly: number) == nil { throw refuse("\(number) does not fit an int") }
        guard isReserved else { return number }
        switch name {
        case "TIMESTAMP": try checkMoment(number, earliest: 0)
        case "CREATION_TIMESTAMP", "EXPIRATION_TIMESTAMP", "ACTION_EXPIRATION_TIMESTAMP":
            try checkMoment(number, earliest: ValueLimits.earliestCreation)
        case "VALUE": guard (1...10).contains(number) else { throw refuse("\(number) is not between 1 and 10") }
        case "REPEAT_FREQUENCY": guard (1...30).contains(number) else { throw refuse("\(number) is not between 1 and 30 days") }
        default: break
        }
        return number
    }

    private func checkMoment(_ seconds: Int64, earliest: Int64) throws(ValueError) {
        if seconds < earliest { throw refuse("\(seconds) is too early for epoch seconds") }
        if seconds > ValueLimits.latestTimestamp {
            let hint = seconds >= 100_000_000_000 ? "; it looks like milliseconds" : ""
            throw refuse("\(seconds) is too late for epoch seconds\(hint)")
        }
    }

    private func checked(_ number: Double) throws(ValueError) -> Double {
        guard number.isFinite else { throw refuse("is not a finite number") }
        if type == .float, !Float(number).isFinite { throw refuse("\(number) does not fit a float") }
        return number
    }

    private func quoted(_ text: UnsafeBufferPointer<UInt8>) -> String {
        let short = String(String.UnicodeScalarView(String(decoding: text.prefix(160), as: UTF8.self).unicodeScalars.prefix(40)))
        return text.count > short.utf8.count ? "\"\(short)…\"" : "\"\(short)\""
    }
}

func scalarCount(_ text: UnsafeBufferPointer<UInt8>) -> Int {
    var count = 0
    for byte in text where byte & 0xC0 != 0x80 { count += 1 }
    return count
}
