#if canImport(Glibc)
    import Glibc
#endif

/// A point in time with the server's precision: timestamptz, in and out.
public struct PGTimestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Microseconds since 1970-01-01 00:00 UTC.
    public var microseconds: Int64

    /// The server's `infinity` and `-infinity`.
    public static let distantFuture = PGTimestamp(microseconds: .max)
    public static let distantPast = PGTimestamp(microseconds: .min)

    static let daysFrom1970To2000: Int32 = 10_957
    private static let offset: Int64 = 946_684_800_000_000

    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// Seconds since 1970, rounded to microseconds; values out of range become `distantPast` or `distantFuture`, NaN 1970.
    public init(seconds: Double) {
        let scaled = (seconds * 1e6).rounded()
        if scaled.isNaN {
            microseconds = 0
        } else if scaled >= 9.2e18 {
            microseconds = .max
        } else if scaled <= -9.2e18 {
            microseconds = .min
        } else {
            microseconds = Int64(scaled)
        }
    }

    public init(seconds: Int) {
        let (scaled, overflow) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000)
        microseconds = overflow ? (seconds > 0 ? .max : .min) : scaled
    }

    init(since2000 value: Int64) {
        switch value {
        case .max, .min: microseconds = value
        default: microseconds = value &+ Self.offset
        }
    }

    var microsecondsSince2000: Int64 {
        switch microseconds {
        case .max, .min: return microseconds
        default: return microseconds.subtractingReportingOverflow(Self.offset).partialValue
        }
    }

    /// Seconds since 1970.
    public var seconds: Double { Double(microseconds) / 1e6 }

    public static var now: PGTimestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return PGTimestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }

    public static func < (left: PGTimestamp, right: PGTimestamp) -> Bool {
        left.microseconds < right.microseconds
    }

    /// ISO 8601 in UTC as the server reads it, such as `2024-02-29T12:00:00.000001Z`; `infinity` at the ends.
    public var description: String {
        switch microseconds {
        case .max: return "infinity"
        case .min: return "-infinity"
        default: break
        }
        let day = microseconds.floorDivided(by: 86_400_000_000)
        let rest = microseconds - day * 86_400_000_000
        let (year, month, date) = Self.civil(fromDays: day)
        let seconds = rest / 1_000_000
        let clock = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { Self.padded($0, 2) }.joined(separator: ":")
        let isBeforeChrist = year <= 0
        let text = "\(Self.padded(isBeforeChrist ? 1 - year : year, 4))-\(Self.padded(month, 2))-\(Self.padded(date, 2))"
        return "\(text)T\(clock).\(Self.padded(rest % 1_000_000, 6))Z" + (isBeforeChrist ? " BC" : "")
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Proleptic Gregorian date of a day counted from 1970-01-01 (Howard Hinnant, chrono-compatible date algorithms, civil_from_days).
    private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
