public import Tastemaker
public import Web

/// Writes numbers, moments and money for people of a dataset group.
public struct PageFormat: Sendable {
    public let time: LocalTime
    /// ISO 4217.
    public let currency: String

    /// UTC and dollars where there is no group.
    public init(_ group: DatasetGroup?) {
        time = LocalTime(zoneName: group?.timeZone ?? "UTC")
        currency = group?.currency ?? "USD"
    }

    /// `<time datetime="2026-11-21T09:12:00Z">21 Nov 2026, 10:12</time>`, in the group's zone.
    public func moment(_ moment: Moment) -> ViewValue {
        var writer = MarkupWriter(reserving: 80)
        writer.markup("<time datetime=\"")
        writer.text(LocalTime.machine(moment))
        writer.markup("\">")
        writer.text(time.text(moment))
        writer.markup("</time>")
        return .html(writer.html)
    }

    /// The same, or false so that a section around it is left out.
    public func moment(_ moment: Moment?) -> ViewValue {
        guard let moment else { return false }
        return self.moment(moment)
    }

    /// `1,204,331`
    public static func number(_ value: some BinaryInteger) -> String { NumberFormat.grouped(value) }

    /// Rounded to so many decimals: `0.0312`, `1,204.50`.
    public static func decimal(_ value: Double, places: Int) -> String { NumberFormat.decimal(value, places: places) }

    /// A share of one as per cent: `3.4 %`.
    public static func percent(_ share: Double, places: Int = 1) -> String { decimal(share * 100, places: places) + " %" }

    /// `€4,318.20`; another currency than the common ones stands after the number.
    public func money(_ value: Double) -> String { NumberFormat.money(value, currency: currency) }

    /// Bytes in the unit that keeps the number short: `3.2 MB`.
    public static func bytes(_ count: Int64) -> String {
        switch count {
        case ..<1000: "\(count) bytes"
        case ..<1_000_000: decimal(Double(count) / 1e3, places: 1) + " kB"
        case ..<1_000_000_000: decimal(Double(count) / 1e6, places: 1) + " MB"
        default: decimal(Double(count) / 1e9, places: 1) + " GB"
        }
    }

    /// `1 item`, `1,204 items`.
    public static func count(_ value: some BinaryInteger, _ one: String, _ many: String) -> String {
        "\(number(value)) \(value == 1 ? one : many)"
    }
}
