public import Foundation
public import Postgres

/// When a promotion is live: local dates and times in the dataset group's zone, so that "from Saturday 00:00" means the shop's Saturday,
/// also on days of 23 or 25 hours.
public struct PromotionSchedule: Sendable, Equatable {
    public let start: PGTimestamp?
    public let end: PGTimestamp?

    /// Reads the local texts of a definition. A time that the clock skips means the moment it jumps; one that comes twice means the first.
    public init(startsAt: String?, endsAt: String?, timeZone: TimeZone) throws(OperationError) {
        start = try PromotionSchedule.instant(startsAt, timeZone: timeZone, field: "startsAt")
        end = try PromotionSchedule.instant(endsAt, timeZone: timeZone, field: "endsAt")
        if let start, let end, end <= start { throw .invalidInput("The end must be after the start.", field: "endsAt") }
    }

    /// From the start on, until just before the end.
    public func isLive(at time: PGTimestamp) -> Bool {
        if let start, time < start { return false }
        if let end, time >= end { return false }
        return true
    }

    private static func instant(_ text: String?, timeZone: TimeZone, field: String) throws(OperationError) -> PGTimestamp? {
        guard let text else { return nil }
        guard let parts = components(text) else {
            throw .invalidInput("'\(text)' is not a date and time such as 2026-11-28T09:00.", field: field)
        }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        guard let date = calendar.date(from: parts), calendar.dateComponents([.day, .month], from: date).day == parts.day else {
            throw .invalidInput("'\(text)' is not a day of the calendar.", field: field)
        }
        return PGTimestamp(seconds: date.timeIntervalSince1970)
    }

    /// `yyyy-MM-ddTHH:mm`, digits and marks exactly there.
    private static func components(_ text: String) -> DateComponents? {
        let bytes = Array(text.utf8)
        guard bytes.count == 16, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] == 0x54, bytes[13] == 0x3A else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            bytes[range].allSatisfy { (0x30...0x39).contains($0) } ? Int(String(decoding: bytes[range], as: UTF8.self)) : nil
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16),
            year >= 2000, (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60
        else { return nil }
        return DateComponents(year: year, month: month, day: day, hour: hour, minute: minute)
    }
}
