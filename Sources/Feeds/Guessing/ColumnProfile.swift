/// What the sampled values of one column look like.
struct ColumnProfile {
    private(set) var filled = 0
    private(set) var empty = 0
    private(set) var distinct = Set<[UInt8]>()
    private(set) var integers = 0
    private(set) var numbers = 0
    private(set) var booleans = 0
    private(set) var links = 0
    private(set) var lists = 0
    private(set) var scalars = 0
    private(set) var dates: [EventDate.Format: Int] = [:]
    private(set) var example = ""

    /// 1990 to 2100: a number outside is hardly a moment.
    private static let plausible: ClosedRange<Int64> = 631_152_000...4_102_444_800

    mutating func add(_ value: UnsafeBufferPointer<UInt8>) {
        guard !value.isEmpty else {
            empty += 1
            return
        }
        filled += 1
        if filled == 1 { example = String(String(decoding: value, as: UTF8.self).prefix(40)) }
        distinct.insert(Array(value))
        scalars += scalarCount(value)
        if Int64(exactly: value) != nil { integers += 1 }
        if Double(decimal: value) != nil { numbers += 1 }
        if value.elementsEqual("true".utf8) || value.elementsEqual("false".utf8) { booleans += 1 }
        if value.starts(with: "http://".utf8) || value.starts(with: "https://".utf8) { links += 1 }
        if value.contains(UInt8(ascii: "|")) { lists += 1 }
        if let (date, format) = EventDate.parse(value), Self.plausible.contains(date.seconds) || format == .rfc3339 || format == .rfc822 {
            dates[format, default: 0] += 1
        }
    }

    var rows: Int { filled + empty }
    var isUnique: Bool { filled > 0 && empty == 0 && distinct.count == filled }
    var meanLength: Double { filled == 0 ? 0 : Double(scalars) / Double(filled) }

    /// The one way in which all sampled values are moments.
    var dateFormat: EventDate.Format? { strayDates == 0 ? likelyDateFormat : nil }

    /// The way in which nine tenths of the sampled values and more are moments.
    var likelyDateFormat: EventDate.Format? {
        guard let (format, count) = dates.max(by: { $0.value < $1.value }), count * 10 >= filled * 9 else { return nil }
        return format
    }

    /// Values that are not moments, or moments in another way than most.
    var strayDates: Int { filled - (dates.values.max() ?? 0) }

    /// The type that all sampled values have.
    var type: ColumnType {
        guard filled > 0 else { return .string }
        if booleans == filled { return .boolean }
        if integers == filled { return .long }
        return numbers == filled ? .float : .string
    }

    /// Few values that come again, or lists of them.
    var looksCategorical: Bool {
        guard filled > 0, meanLength <= 80 else { return false }
        return lists * 4 >= filled || distinct.count <= max(2, filled / 2)
    }
}
