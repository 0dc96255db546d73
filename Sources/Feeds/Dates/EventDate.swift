/// A moment as events and feeds write it: epoch seconds or milliseconds, RFC 3339 and its looser ISO 8601 kin, RFC 822.
public struct EventDate: Sendable, Equatable, Comparable {
    /// How a moment was written.
    public enum Format: String, Sendable, CaseIterable {
        case epochSeconds, epochMilliseconds, rfc3339, rfc822
    }

    /// Whole seconds since 1970 in UTC, rounded down.
    public var seconds: Int64
    /// 0 to 999,999,999.
    public var nanoseconds: Int32

    public init(seconds: Int64, nanoseconds: Int32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    public var milliseconds: Int64 { seconds * 1_000 + Int64(nanoseconds / 1_000_000) }

    public static func < (left: Self, right: Self) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    /// Parses one moment. A bare number of 10^11 or more counts milliseconds (as seconds it would be after the year 5138).
    /// nil for anything else, for days that do not exist, and for years outside 1 to 9999.
    public init?(parsing text: some Collection<UInt8>) {
        guard let (date, _) = Self.parse(text) else { return nil }
        self = date
    }

    public init?(parsing text: String) {
        self.init(parsing: Array(text.utf8))
    }

    /// Parses one moment and tells how it was written.
    public static func parse(_ text: some Collection<UInt8>) -> (date: EventDate, format: Format)? {
        guard text.count <= 64 else { return nil }
        var cursor = DateCursor(bytes: Array(text))
        cursor.trim()
        if let result = cursor.parseEpoch() { return result }
        cursor.position = 0
        if let date = cursor.parseRFC3339() { return (date, .rfc3339) }
        cursor.position = 0
        return cursor.parseRFC822().map { ($0, .rfc822) }
    }

    /// Parses a moment written in one known way.
    public init?(parsing text: some Collection<UInt8>, as format: Format) {
        if format == .epochSeconds, let value = Int64(exactly: text) { self.init(seconds: value); return }
        if format == .epochMilliseconds, let value = Int64(exactly: text) { self.init(epochMilliseconds: value); return }
        guard let (date, found) = Self.parse(text), found == format else { return nil }
        self = date
    }

    public init(epochMilliseconds value: Int64) {
        let seconds = value >= 0 ? value / 1_000 : -((999 - value) / 1_000)
        self.init(seconds: seconds, nanoseconds: Int32(value - seconds * 1_000) * 1_000_000)
    }
}

private struct DateCursor {
    var bytes: [UInt8]
    var position = 0

    mutating func trim() {
        while bytes.last == 0x20 { bytes.removeLast() }
        bytes.removeFirst(bytes.prefix { $0 == 0x20 }.count)
    }

    var isAtEnd: Bool { position == bytes.count }
    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    /// A number of `widths` digits.
    mutating func number(_ widths: ClosedRange<Int>) -> Int? {
        var value = 0
        var count = 0
        while count < widths.upperBound, let byte = next, (0x30...0x39).contains(byte) {
            value = value * 10 + Int(byte - 0x30)
            position += 1
            count += 1
        }
        return widths.contains(count) ? value : nil
    }

    /// Digits after a point, as nanoseconds; those after the ninth are dropped.
    mutating func fraction(atMost limit: Int) -> Int32? {
        var value: Int32 = 0
        var count = 0
        while count < limit, let byte = next, (0x30...0x39).contains(byte) {
            if count < 9 { value = value * 10 + Int32(byte - 0x30) }
            position += 1
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in 0..<max(0, 9 - count) { value *= 10 }
        return value
    }

    mutating func parseEpoch() -> (EventDate, EventDate.Format)? {
        let isNegative = take(UInt8(ascii: "-"))
        guard let value = number(1...15) else { return nil }
        var nanoseconds: Int32 = 0
        if take(UInt8(ascii: ".")) {
            guard let fraction = fraction(atMost: 12) else { return nil }
            nanoseconds = fraction
        }
        guard isAtEnd else { return nil }
        let whole = isNegative ? -Int64(value) : Int64(value)
        if value >= 100_000_000_000 {
            guard value < 253_402_300_800_000 else { return nil }
            return (EventDate(epochMilliseconds: whole), .epochMilliseconds)
        }
        guard !isNegative || nanoseconds == 0 else {
            return (EventDate(seconds: whole - 1, nanoseconds: 1_000_000_000 - nanoseconds), .epochSeconds)
        }
        return (EventDate(seconds: whole, nanoseconds: nanoseconds), .epochSeconds)
    }

    /// `2026-11-21T10:46:57.123456789+01:00`; also a blank for T, no seconds, no offset (UTC), and the day alone.
    mutating func parseRFC3339() -> EventDate? {
        guard let year = number(4...4), take(UInt8(ascii: "-")), let month = number(2...2), take(UInt8(ascii: "-")),
            let day = number(2...2)
        else { return nil }
        if isAtEnd { return date(year, month, day, 0, 0, 0, 0, offset: 0) }
        guard take(UInt8(ascii: "T")) || take(UInt8(ascii: "t")) || take(0x20) else { return nil }
        guard let hour = number(2...2), take(UInt8(ascii: ":")), let minute = number(2...2) else { return nil }
        var second = 0
        var nanoseconds: Int32 = 0
        if take(UInt8(ascii: ":")) {
            guard let value = number(2...2) else { return nil }
            second = value
            if take(UInt8(ascii: ".")) || take(UInt8(ascii: ",")) {
                guard let value = fraction(atMost: 9) else { return nil }
                nanoseconds = value
            }
        }
        _ = take(0x20)
        guard let offset = isAtEnd ? 0 : parseOffset(), isAtEnd else { return nil }
        return date(year, month, day, hour, minute, second, nanoseconds, offset: offset)
    }

    /// Seconds east of Greenwich: `Z`, `UTC`, `+01:00`, `+0100`, `+01`.
    mutating func parseOffset() -> Int? {
        if take(UInt8(ascii: "Z")) || take(UInt8(ascii: "z")) { return 0 }
        if bytes[position...].elementsEqual("UTC".utf8) {
            position = bytes.count
            return 0
        }
        let isWest = next == UInt8(ascii: "-")
        guard isWest || next == UInt8(ascii: "+") else { return nil }
        position += 1
        guard let hours = number(2...2), hours < 24 else { return nil }
        if isAtEnd { return (isWest ? -1 : 1) * hours * 3_600 }
        _ = take(UInt8(ascii: ":"))
        guard let minutes = number(2...2), minutes < 60 else { return nil }
        return (isWest ? -1 : 1) * (hours * 3_600 + minutes * 60)
    }

    /// `Sat, 21 Nov 2026 10:46:57 +0100`: the weekday and the seconds may be missing, the year may have two digits (RFC 2822, 4.3).
    mutating func parseRFC822() -> EventDate? {
        if let comma = bytes.firstIndex(of: UInt8(ascii: ",")), comma <= 9 {
            guard bytes[..<comma].allSatisfy({ ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A }) else { return nil }
            position = comma + 1
        }
        skipSpaces()
        guard let day = number(1...2), skipSpaces() || take(UInt8(ascii: "-")), let month = parseMonth(),
            skipSpaces() || take(UInt8(ascii: "-"))
        else { return nil }
        let yearStart = position
        guard var year = number(2...4) else { return nil }
        if position - yearStart == 2 { year += year < 50 ? 2_000 : 1_900 }
        if position - yearStart == 3 { year += 1_900 }
        guard skipSpaces(), let hour = number(1...2), take(UInt8(ascii: ":")), let minute = number(2...2) else { return nil }
        var second = 0
        if take(UInt8(ascii: ":")) {
            guard let value = number(2...2) else { return nil }
            second = value
        }
        skipSpaces()
        guard let offset = parseZone(), isAtEnd else { return nil }
        return date(year, month, day, hour, minute, second, 0, offset: offset)
    }

    @discardableResult
    mutating func skipSpaces() -> Bool {
        let start = position
        while take(0x20) {}
        return position > start
    }

    mutating func parseMonth() -> Int? {
        let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        guard position + 3 <= bytes.count else { return nil }
        let word = bytes[position..<position + 3].map { $0 | 0x20 }
        guard let index = names.firstIndex(where: { $0.utf8.elementsEqual(word) }) else { return nil }
        position += 3
        return index + 1
    }

    mutating func parseZone() -> Int? {
        if isAtEnd { return 0 }
        if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { return parseOffset() }
        let hours = [
            "UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8,
            "PDT": -7,
        ]
        guard let value = hours[String(decoding: bytes[position...], as: UTF8.self)] else { return nil }
        position = bytes.count
        return value * 3_600
    }

    /// Days from the civil calendar: H. Hinnant, "chrono-compatible low-level date algorithms" (2013), days_from_civil.
    func date(
        _ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int, _ nanoseconds: Int32, offset: Int
    ) -> EventDate? {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...9_999).contains(year), (1...12).contains(month), (1...lengths[month - 1]).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        // A leap second counts as the last second of its minute.
        let time = hour * 3_600 + minute * 60 + min(second, 59)
        return EventDate(seconds: Int64(days * 86_400 + time - offset), nanoseconds: nanoseconds)
    }
}
