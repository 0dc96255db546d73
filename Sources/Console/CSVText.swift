/// A table as CSV (RFC 4180). A cell that a spreadsheet would take for a formula gets an apostrophe before it.
public struct CSVText: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init(columns: [String]) {
        append(columns)
    }

    public mutating func append(_ cells: [String]) {
        bytes += cells.map(Self.quoted).joined(separator: ",").utf8
        bytes += "\r\n".utf8
    }

    /// A number, also a negative one, is no formula.
    private static func quoted(_ cell: String) -> String {
        var cell = cell
        if let first = cell.utf8.first, "=+-@\t\r".utf8.contains(first), Double(cell) == nil { cell = "'" + cell }
        guard cell.utf8.contains(where: { "\",\r\n".utf8.contains($0) }) else { return cell }
        return "\"" + cell.replacing("\"", with: "\"\"") + "\""
    }
}
