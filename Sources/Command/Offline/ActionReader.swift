import Feeds
import Foundation
import Ranking

/// A folder with actions.csv, action_interactions.csv and, where it is, interactions.csv, in Personalize's layout.
struct ActionReader {
    private(set) var users = IDTable()
    private(set) var actions = IDTable()
    private(set) var data = ActionData(events: [], actions: [])

    init(folder: String) throws {
        if let path = OfflineData.file("actions", in: folder) { try readActions(path) }
        guard let path = OfflineData.file("action_interactions", in: folder) else {
            throw Failure("\(folder) has no action_interactions.csv and no action_interactions.csv.gz.")
        }
        try readEvents(path)
        if let path = OfflineData.file("interactions", in: folder) { try readVisits(path) }
    }

    /// Those with a record, and those that only responses name.
    var allActions: [ActionData.Action] {
        let recorded = Set(data.actions.map(\.id))
        return data.actions + Set(data.events.map(\.action)).subtracting(recorded).sorted().map { ActionData.Action(id: $0) }
    }

    private mutating func readActions(_ path: String) throws {
        let reader = ColumnReader(
            path: path,
            columns: [
                .init("ACTION_ID"), .init("VALUE", required: false), .init("EXPIRATION_TIMESTAMP", required: false),
                .init("ACTION_EXPIRATION_TIMESTAMP", required: false), .init("REPEAT_FREQUENCY", required: false),
            ])
        try reader.read { row, places in
            guard let place = places[0] else { return }
            var action = ActionData.Action(id: row.withField(place) { actions.intern($0) })
            if let value = try Self.number(row, places[1], path, "VALUE", 1...10) { action.value = Int(value) }
            action.expiresAt =
                try Self.number(row, places[2], path, "EXPIRATION_TIMESTAMP", 0...Int64.max)
                ?? Self.number(row, places[3], path, "ACTION_EXPIRATION_TIMESTAMP", 0...Int64.max)
            action.repeatDays = try Self.number(row, places[4], path, "REPEAT_FREQUENCY", 0...30).map { Int($0) }
            data.actions.append(action)
        }
    }

    private mutating func readEvents(_ path: String) throws {
        let reader = ColumnReader(
            path: path, columns: [.init("USER_ID"), .init("ACTION_ID"), .init("EVENT_TYPE"), .init("TIMESTAMP")])
        try reader.read { row, places in
            guard let user = places[0], let action = places[1], let type = places[2] else { return }
            guard let response = ActionData.Response(reading: row.text(type)) else {
                throw Failure("\(path) line \(row.line): EVENT_TYPE is Taken, Not Taken or Viewed.")
            }
            guard let time = try Self.number(row, places[3], path, "TIMESTAMP", 0...Int64.max) else {
                throw Failure("\(path) line \(row.line): TIMESTAMP is missing.")
            }
            data.events.append(
                ActionData.Event(
                    user: row.withField(user) { users.intern($0) }, action: row.withField(action) { actions.intern($0) },
                    response: response, timestamp: time))
        }
    }

    private mutating func readVisits(_ path: String) throws {
        let reader = ColumnReader(path: path, columns: [.init("USER_ID"), .init("TIMESTAMP")])
        try reader.read { row, places in
            guard let user = places[0], let time = try Self.number(row, places[1], path, "TIMESTAMP", 0...Int64.max) else { return }
            data.visits.append((row.withField(user) { users.intern($0) }, time))
        }
    }

    /// Nil where the file lacks the column or the row a value.
    private static func number(
        _ row: borrowing CSVRow, _ place: Int?, _ path: String, _ column: String, _ range: ClosedRange<Int64>
    ) throws -> Int64? {
        guard let place else { return nil }
        let text = row.text(place)
        if text.isEmpty { return nil }
        guard let number = Int64(text), range.contains(number) else {
            throw Failure("\(path) line \(row.line): \(column) is a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }
}
