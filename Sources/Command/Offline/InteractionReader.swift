import Feeds
import Foundation
import Ranking

/// Reads interactions.csv: USER_ID, ITEM_ID and TIMESTAMP, EVENT_TYPE, EVENT_VALUE and IMPRESSION where they are, and other columns
/// as context.
struct InteractionReader {
    let path: String
    private(set) var users = IDTable()
    private(set) var items = IDTable()
    private(set) var data = TrainingData()
    private var types = IDTable()

    private struct Context {
        var name: String
        var place: Int
        var table = IDTable()
        var codes: [Int32] = []
    }

    /// No context: keys, and what only one event or one list has.
    private static let ownColumns: Set<String> = [
        "USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE",
        "SESSION_ID", "EVENT_ID",
    ]
    private static let contextLimit = 150
    /// Values of one column; a column with more tells single events apart, not the contexts that they come in.
    private static let valueLimit = 10_000

    init(path: String) { self.path = path }

    mutating func read() throws {
        let reader = ColumnReader(
            path: path,
            columns: [
                .init("USER_ID"), .init("ITEM_ID"), .init("TIMESTAMP"), .init("EVENT_TYPE", required: false),
                .init("EVENT_VALUE", required: false), .init("IMPRESSION", required: false),
            ])
        var found: [Context] = []
        try reader.read(
            names: { names in
                let extra = names.enumerated().filter { !Self.ownColumns.contains($1.uppercased()) && !$1.isEmpty }
                found = extra.prefix(Self.contextLimit).map { Context(name: $1, place: $0) }
            },
            row: { row, places in
                guard let user = places[0], let item = places[1], let time = places[2] else { return }
                guard let user = Self.number(row, user, &users) else { throw problem(row, "USER_ID", "has 1 to 256 bytes") }
                guard let item = Self.number(row, item, &items) else { throw problem(row, "ITEM_ID", "has 1 to 256 bytes") }
                data.users.append(user)
                data.items.append(item)
                guard let time = Self.timestamp(row, time) else {
                    throw problem(row, "TIMESTAMP", "is a number of seconds since 1970, or a date with time")
                }
                data.timestamps.append(time)
                guard let type = type(row, places[3]) else { throw problem(row, "EVENT_TYPE", "has at most 256 different values") }
                data.eventTypes.append(type)
                guard let value = Self.value(row, places[4]) else { throw problem(row, "EVENT_VALUE", "is empty or a number") }
                data.values.append(value)
                if let place = places[5] { data.shown.append(event: data.count - 1, Self.shown(row, place, &items)) }
                for index in found.indices { Self.note(row, &found[index]) }
            })
        data.contexts = found.filter { $0.table.count <= Self.valueLimit }.map { context in
            let values = (0..<context.table.count).map { String(decoding: context.table.bytes(of: Int32($0)), as: UTF8.self) }
            return ContextColumn(name: context.name, values: values, codes: context.codes)
        }
        data.eventTypeNames = (0..<types.count).map { String(decoding: types.bytes(of: Int32($0)), as: UTF8.self) }
    }

    private static func note(_ row: borrowing CSVRow, _ context: inout Context) {
        guard context.place < row.count, context.table.count <= valueLimit else {
            context.codes.append(-1)
            return
        }
        let code = row.withField(context.place) { $0.isEmpty || $0.count > 256 ? -1 : context.table.intern($0) }
        context.codes.append(code)
    }

    /// The items that were shown beside the event, their ids separated by |; what is no id is passed over.
    private static func shown(_ row: borrowing CSVRow, _ place: Int, _ items: inout IDTable) -> [Int32] {
        row.withField(place) { bytes in
            bytes.split(separator: UInt8(ascii: "|")).prefix(ShownLists.listLimit).compactMap {
                $0.count > 256 ? nil : items.intern($0)
            }
        }
    }

    private func problem(_ row: borrowing CSVRow, _ column: String, _ rule: String) -> Failure {
        Failure("\(path) line \(row.line): \(column) \(rule).")
    }

    /// The number of an id, nil when it is empty or too long. Static: a method would hold a copy of the tables, and each new id would
    /// copy them whole.
    static func number(_ row: borrowing CSVRow, _ place: Int, _ table: inout IDTable) -> Int32? {
        row.withField(place) { $0.isEmpty || $0.count > 256 ? nil : table.intern($0) }
    }

    private static func timestamp(_ row: borrowing CSVRow, _ place: Int) -> Int64? {
        row.withField(place) { bytes in
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
    }

    /// All events of a file without the column have one type.
    private mutating func type(_ row: borrowing CSVRow, _ place: Int?) -> UInt8? {
        guard let place else {
            if types.count == 0 { _ = types.intern("interaction".utf8) }
            return 0
        }
        return UInt8(exactly: row.withField(place) { types.intern($0) })
    }

    private static func value(_ row: borrowing CSVRow, _ place: Int?) -> Float? {
        guard let place else { return .nan }
        return row.withField(place) { bytes in bytes.isEmpty ? .nan : Double(decimal: bytes).map { Float($0) } }
    }
}
