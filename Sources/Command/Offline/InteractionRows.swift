import Feeds
import Foundation
import Ranking

/// The interactions of a stretch of a file: USER_ID, ITEM_ID and TIMESTAMP, EVENT_TYPE, EVENT_VALUE and IMPRESSION where they
/// are, and other columns as context. Ids are numbered by their first appearance in it.
struct InteractionRows: Sendable {
    private(set) var users = IDTable()
    private(set) var items = IDTable()
    private(set) var data = TrainingData()
    private var types = IDTable()
    private var contexts: [Context] = []

    private struct Context: Sendable {
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

    /// Reads what `source` hands over: a header and rows, on `lineOffset` lines less than in the file.
    mutating func read(path: String, lineOffset: Int, from source: ByteSource) throws {
        var reader = ColumnReader(
            path: path,
            columns: [
                .init("USER_ID"), .init("ITEM_ID"), .init("TIMESTAMP"), .init("EVENT_TYPE", required: false),
                .init("EVENT_VALUE", required: false), .init("IMPRESSION", required: false),
            ])
        reader.lineOffset = lineOffset
        var header: [String] = []
        func problem(_ row: borrowing CSVRow, _ column: String, _ rule: String) -> Failure {
            Failure("\(path) line \(row.line + lineOffset): \(column) \(rule).")
        }
        try reader.read(
            from: source, names: { header = $0 },
            row: { row, places in
                guard let user = places[0], let item = places[1], let time = places[2] else { return }
                if !header.isEmpty {
                    begin(header)
                    header = []
                }
                guard let user = Self.number(row, user, &users) else { throw problem(row, "USER_ID", "has 1 to 256 bytes") }
                guard let item = Self.number(row, item, &items) else { throw problem(row, "ITEM_ID", "has 1 to 256 bytes") }
                guard let time = Self.timestamp(row, time) else {
                    throw problem(row, "TIMESTAMP", "is a number of seconds since 1970, or a date with time")
                }
                guard let type = type(row, places[3]) else { throw problem(row, "EVENT_TYPE", Self.typeRule) }
                guard let value = Self.value(row, places[4]) else { throw problem(row, "EVENT_VALUE", "is empty or a number") }
                data.append(user: user, item: item, eventType: type, value: value, timestamp: time)
                if let place = places[5] { data.shown.append(event: data.count - 1, Self.shown(row, place, &items)) }
                for index in contexts.indices { Self.note(row, &contexts[index]) }
            })
    }

    private static let typeRule = "has at most 256 different values"

    /// Takes the columns that are context from the header; a later stretch of a file has the same.
    private mutating func begin(_ names: [String]) {
        guard contexts.isEmpty else { return }
        let extra = names.enumerated().filter { !Self.ownColumns.contains($1.uppercased()) && !$1.isEmpty }
        contexts = extra.prefix(Self.contextLimit).map { Context(name: $1, place: $0) }
    }

    /// Adds what a later stretch of the same file holds; numbers are then those of reading both at once.
    mutating func append(_ later: InteractionRows, path: String) throws {
        let (userNumbers, itemNumbers) = (users.intern(all: later.users), items.intern(all: later.items))
        let typeNumbers = try types.intern(all: later.types).map { number in
            guard let number = UInt8(exactly: number) else { throw Failure("\(path): EVENT_TYPE \(Self.typeRule).") }
            return number
        }
        data.shown.append(later.data.shown, after: data.count) { itemNumbers[Int($0)] }
        data.users.append(contentsOf: later.data.users.lazy.map { userNumbers[Int($0)] })
        data.items.append(contentsOf: later.data.items.lazy.map { itemNumbers[Int($0)] })
        data.eventTypes.append(contentsOf: later.data.eventTypes.lazy.map { typeNumbers[Int($0)] })
        data.values.append(contentsOf: later.data.values)
        data.timestamps.append(contentsOf: later.data.timestamps)
        if contexts.isEmpty { contexts = later.contexts.map { Context(name: $0.name, place: $0.place) } }
        for (index, context) in later.contexts.enumerated() {
            let numbers = contexts[index].table.intern(all: context.table)
            contexts[index].codes.append(contentsOf: context.codes.lazy.map { $0 < 0 ? -1 : numbers[Int($0)] })
        }
    }

    /// The data with names in place of numbers where it has names.
    func named() -> TrainingData {
        var data = data
        data.contexts = contexts.filter { $0.table.count <= Self.valueLimit }.map { context in
            ContextColumn(name: context.name, values: Self.texts(context.table), codes: context.codes)
        }
        data.eventTypeNames = Self.texts(types)
        return data
    }

    private static func texts(_ table: IDTable) -> [String] {
        (0..<table.count).map { String(decoding: table.bytes(of: Int32($0)), as: UTF8.self) }
    }

    private static func note(_ row: borrowing CSVRow, _ context: inout Context) {
        guard context.place < row.count, context.table.count <= valueLimit else {
            context.codes.append(-1)
            return
        }
        let code = row.withField(context.place) { $0.isEmpty || $0.count > 256 ? -1 : context.table.intern($0) }
        context.codes.append(code)
    }

    /// The number of an id, nil when it is empty or too long. Static: a method would hold a copy of the tables, and each new id would
    /// copy them whole.
    static func number(_ row: borrowing CSVRow, _ place: Int, _ table: inout IDTable) -> Int32? {
        row.withField(place) { $0.isEmpty || $0.count > 256 ? nil : table.intern($0) }
    }

    /// The items that were shown beside the event, their ids separated by |; what is no id is passed over.
    private static func shown(_ row: borrowing CSVRow, _ place: Int, _ items: inout IDTable) -> [Int32] {
        row.withField(place) { bytes in
            bytes.split(separator: UInt8(ascii: "|")).prefix(ShownLists.listLimit).compactMap {
                $0.count > 256 ? nil : items.intern($0)
            }
        }
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
