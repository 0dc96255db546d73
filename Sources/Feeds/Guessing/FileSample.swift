/// The first part of a file, read as CSV: header, rows and what the columns look like.
struct FileSample {
    /// Rows looked at.
    static let rowLimit = 500

    let delimiter: UInt8
    private(set) var header: [String] = []
    private(set) var rows: [[[UInt8]]] = []
    private(set) var profiles: [ColumnProfile] = []

    /// A sample cut in mid-row loses that row, so it should hold more than one.
    init(_ bytes: [UInt8]) throws(FeedError) {
        let delimiter = Self.delimiter(of: bytes)
        var reader = CSVReader(delimiter: delimiter)
        let end = bytes.lastIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
        var names: [String] = []
        var rows: [[[UInt8]]] = []
        do {
            try reader.read(bytes[..<end]) {
                names = $0
            } row: { row in
                if rows.count < Self.rowLimit { rows.append((0..<row.count).map { row.bytes($0) }) }
            } rejected: { _ in
            }
            if names.isEmpty { try reader.finish(header: { names = $0 }, row: { _ in }, rejected: { _ in }) }
        } catch {
            throw FeedError(line: 1, reason: "the header line cannot be read: \(error)")
        }
        guard !names.isEmpty else { throw FeedError(line: 1, reason: "the file is empty, a header line was expected") }
        self.init(header: names, rows: rows, delimiter: delimiter)
    }

    init(header: [String], rows: [[[UInt8]]], delimiter: UInt8 = UInt8(ascii: ",")) {
        self.delimiter = delimiter
        self.header = header
        self.rows = Array(rows.prefix(Self.rowLimit).filter { $0.count == header.count })
        profiles = header.indices.map { column in
            var profile = ColumnProfile()
            for row in self.rows { row[column].withUnsafeBufferPointer { profile.add($0) } }
            return profile
        }
    }

    /// The one of comma, semicolon and tab that occurs most often in the first line, quotes left out.
    static func delimiter(of bytes: [UInt8]) -> UInt8 {
        var counts: [UInt8: Int] = [:]
        var isQuoted = false
        for byte in bytes.prefix(65_536) {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if isQuoted { continue }
            if byte == 0x0A { break }
            if byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") || byte == 0x09 { counts[byte, default: 0] += 1 }
        }
        let candidates: [UInt8] = [UInt8(ascii: ","), 0x09, UInt8(ascii: ";")]
        return candidates.max { counts[$0, default: 0] < counts[$1, default: 0] } ?? UInt8(ascii: ",")
    }
}
