import Foundation
public import Postgres

/// Writes moments as people of a time zone read them.
public struct LocalTime: Sendable {
    /// IANA name.
    public let zoneName: String
    private let zone: TimeZone

    /// UTC for a name that is no time zone.
    public init(zoneName: String) {
        let zone = TimeZone(identifier: zoneName)
        self.zone = zone ?? .gmt
        self.zoneName = zone == nil ? "UTC" : zoneName
    }

    /// `21 Nov 2026, 10:12`
    public func text(_ time: PGTimestamp) -> String {
        let parts = parts(time)
        return "\(date(parts)), \(parts.hour):\(parts.minute)"
    }

    /// `21 Nov 2026`
    public func day(_ time: PGTimestamp) -> String { date(parts(time)) }

    /// `2026-11-21T09:12:00Z`, for programs.
    public static func machine(_ time: PGTimestamp) -> String { String(time.description.prefix(19)) + "Z" }

    /// `2026-11-21`, the day in the zone.
    public func machineDay(_ time: PGTimestamp) -> String {
        String(local(time).description.prefix(10))
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// The moment whose UTC reading is the zone's.
    private func local(_ time: PGTimestamp) -> PGTimestamp {
        let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: time.seconds))
        return PGTimestamp(microseconds: time.microseconds + Int64(offset) * 1_000_000)
    }

    private func parts(_ time: PGTimestamp) -> (year: Substring, month: Int, day: Int, hour: Substring, minute: Substring) {
        let text = local(time).description
        let pieces = text.split(whereSeparator: { "-T:.".contains($0) })
        guard pieces.count >= 5 else { return ("–", 1, 1, "00", "00") }
        return (pieces[0], Int(pieces[1]) ?? 1, Int(pieces[2]) ?? 1, pieces[3], pieces[4])
    }

    private func date(_ parts: (year: Substring, month: Int, day: Int, hour: Substring, minute: Substring)) -> String {
        "\(parts.day) \(Self.months[(parts.month - 1) % 12]) \(parts.year)"
    }
}
