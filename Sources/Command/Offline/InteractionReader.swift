import Feeds
import Foundation
import Ranking

/// Reads interactions.csv: USER_ID, ITEM_ID and TIMESTAMP, and EVENT_TYPE and EVENT_VALUE where they are.
struct InteractionReader {
    let path: String
    var users: IDTable
    var items: IDTable
    private(set) var data = TrainingData()
    private var types = IDTable()

    init(path: String, users: IDTable, items: IDTable) {
        (self.path, self.users, self.items) = (path, users, items)
    }

    mutating func read() throws {
        let reader = ColumnReader(
            path: path,
            columns: [
                .init("USER_ID"), .init("ITEM_ID"), .init("TIMESTAMP"), .init("EVENT_TYPE", required: false),
                .init("EVENT_VALUE", required: false),
            ])
        try reader.read { row, places in
            guard let user = places[0], let item = places[1], let time = places[2] else { return }
            data.users.append(try id(row, user, "USER_ID", &users))
            data.items.append(try id(row, item, "ITEM_ID", &items))
            data.timestamps.append(try timestamp(row, time))
            data.eventTypes.append(try places[3].map { place throws(Failure) in try type(row, place) } ?? typeWithoutColumn())
            data.values.append(try places[4].map { place throws(Failure) in try value(row, place) } ?? .nan)
        }
        data.eventTypeNames = (0..<types.count).map { String(decoding: types.bytes(of: Int32($0)), as: UTF8.self) }
    }

    private func problem(_ row: borrowing CSVRow, _ column: String, _ rule: String) -> Failure {
        Failure("\(path) line \(row.line): \(column) \(rule).")
    }

    private func id(_ row: borrowing CSVRow, _ place: Int, _ column: String, _ table: inout IDTable) throws(Failure) -> Int32 {
        let id: Int32? = row.withField(place) { $0.isEmpty || $0.count > 256 ? nil : table.intern($0) }
        guard let id else { throw problem(row, column, "has 1 to 256 bytes") }
        return id
    }

    private func timestamp(_ row: borrowing CSVRow, _ place: Int) throws(Failure) -> Int64 {
        let time: Int64? = row.withField(place) { bytes in
            if bytes.count <= 10, !bytes.isEmpty {
                var seconds: Int64 = 0
                var isNumber = true
                for byte in bytes {
                    isNumber = isNumber && byte >= 0x30 && byte <= 0x39
                    seconds = seconds &* 10 &+ Int64(byte &- 0x30)
                }
                if isNumber { return seconds }
            }
            return EventDate(parsing: bytes)?.seconds
        }
        guard let time else { throw problem(row, "TIMESTAMP", "is a number of seconds since 1970, or a date with time") }
        return time
    }

    private mutating func type(_ row: borrowing CSVRow, _ place: Int) throws(Failure) -> UInt8 {
        let type = row.withField(place) { types.intern($0) }
        guard type < 256 else { throw problem(row, "EVENT_TYPE", "has at most 256 different values") }
        return UInt8(type)
    }

    private mutating func typeWithoutColumn() -> UInt8 {
        if types.count == 0 { _ = types.intern("interaction".utf8) }
        return 0
    }

    private func value(_ row: borrowing CSVRow, _ place: Int) throws(Failure) -> Float {
        let value: Float? = row.withField(place) { bytes in bytes.isEmpty ? .nan : Double(decimal: bytes).map { Float($0) } }
        guard let value else { throw problem(row, "EVENT_VALUE", "is empty or a number") }
        return value
    }
}
