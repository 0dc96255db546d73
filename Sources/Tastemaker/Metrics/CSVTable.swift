/// A table to be opened in a spreadsheet: RFC 4180, UTF-8 with CRLF, and no cell that a spreadsheet runs as a formula.
public struct CSVTable: Sendable, Equatable {
    public enum Cell: Sendable, Equatable {
        case text(String)
        case integer(Int)
        /// Not finite: an empty cell.
        case number(Double)
        case empty
    }

    public let columns: [String]
    public private(set) var rows: [[Cell]] = []

    public init(columns: [String]) {
        self.columns = columns
    }

    public mutating func add(_ cells: [Cell]) { rows.append(cells) }

    public var bytes: [UInt8] {
        var out: [UInt8] = []
        Self.write(columns.map { .text($0) }, to: &out)
        for row in rows { Self.write(row, to: &out) }
        return out
    }

    private static func write(_ cells: [Cell], to out: inout [UInt8]) {
        for (index, cell) in cells.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            switch cell {
            case .text(let text): write(text, to: &out)
            case .integer(let value): out += String(value).utf8
            case .number(let value): if value.isFinite { out += "\(value)".utf8 }
            case .empty: break
            }
        }
        out += "\r\n".utf8
    }

    /// A text that begins like a formula gets an apostrophe before it, also behind white space (OWASP, CSV injection).
    private static func write(_ text: String, to out: inout [UInt8]) {
        let bytes = Array(text.utf8)
        let first = bytes.first { $0 != 0x20 && $0 != 0x0A }
        let isFormula = first.map { "=+-@\t\r".utf8.contains($0) } ?? false
        guard isFormula || bytes.contains(where: { ",\"\r\n".utf8.contains($0) }) else {
            out += bytes
            return
        }
        out.append(UInt8(ascii: "\""))
        if isFormula { out.append(UInt8(ascii: "'")) }
        for byte in bytes {
            if byte == UInt8(ascii: "\"") { out.append(byte) }
            out.append(byte)
        }
        out.append(UInt8(ascii: "\""))
    }
}

extension MetricsReport {
    /// Tables of the report by name: `days`, `events`, `placements`, `campaigns`, `requests`.
    public func table(_ name: String) -> CSVTable? {
        switch name {
        case "days": dayTable
        case "events": eventTable
        case "placements": table(placements, "placement")
        case "campaigns": table(campaigns, "campaign")
        case "requests": requestTable
        default: nil
        }
    }

    private var dayTable: CSVTable {
        var table = CSVTable(
            columns: [
                "day", "requests", "client_errors", "server_errors", "p50_ms", "p95_ms", "p99_ms", "events", "lists", "clicks",
                "click_through",
                "purchases_after_click", "revenue_through_recommendations", "revenue", "currency", "amounts_in_other_currencies",
            ])
        for day in days {
            table.add(
                [.text(day.day), .integer(day.requests.requests), .integer(day.requests.clientErrors), .integer(day.requests.serverErrors)]
                    + Self.latency(day.requests) + [.integer(day.events)] + Self.cells(day.activity)
                    + [.number(day.revenue), .text(currency), .integer(day.foreignAmounts)])
        }
        return table
    }

    private var eventTable: CSVTable {
        var table = CSVTable(columns: ["day"] + events.map(\.type))
        for (position, day) in days.enumerated() { table.add([.text(day.day)] + events.map { .integer($0.counts[position]) }) }
        return table
    }

    private var requestTable: CSVTable {
        var table = CSVTable(columns: ["operation", "target", "requests", "client_errors", "server_errors", "p50_ms", "p95_ms", "p99_ms"])
        for entry in operations {
            table.add(
                [
                    .text(entry.operation), .text(entry.target), .integer(entry.figures.requests), .integer(entry.figures.clientErrors),
                    .integer(entry.figures.serverErrors),
                ] + Self.latency(entry.figures))
        }
        return table
    }

    private func table(_ entries: [Named], _ kind: String) -> CSVTable {
        var table = CSVTable(
            columns: [kind, "lists", "clicks", "click_through", "purchases_after_click", "revenue_through_recommendations", "currency"])
        for entry in entries { table.add([.text(entry.name ?? "")] + Self.cells(entry.activity) + [.text(currency)]) }
        return table
    }

    private static func cells(_ activity: Activity) -> [CSVTable.Cell] {
        [
            .integer(activity.lists), .integer(activity.clicks), activity.clickThrough.map { .number($0) } ?? .empty,
            .integer(activity.purchases), .number(activity.revenue),
        ]
    }

    private static func latency(_ figures: RequestFigures) -> [CSVTable.Cell] {
        [0.5, 0.95, 0.99].map { share in figures.latency(percentile: share).map { .number($0) } ?? .empty }
    }
}
