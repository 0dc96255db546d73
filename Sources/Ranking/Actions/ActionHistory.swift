/// Users' action interactions and visits, each user's in order of time; users and actions as rows.
struct ActionHistory: Sendable {
    struct Event: Sendable {
        var row: Int32
        var response: ActionData.Response
        var timestamp: Int64
    }

    let actionIDs: [Int32]
    let userIDs: [Int32]
    private let events: [[Event]]
    private let visits: [[Int64]]
    /// Of responses; both 0 without any.
    let oldest: Int64
    let newest: Int64

    init(_ data: ActionData) {
        newest = data.events.map(\.timestamp).max() ?? 0
        oldest = data.events.map(\.timestamp).min() ?? 0
        let actions = RowIndex(data.events.map(\.action) + data.actions.map(\.id))
        let users = RowIndex(data.events.map(\.user) + data.visits.map(\.user))
        var events = [[Event]](repeating: [], count: users.ids.count)
        var visits = [[Int64]](repeating: [], count: users.ids.count)
        for event in data.events {
            guard let user = users.row(of: event.user), let row = actions.row(of: event.action) else { continue }
            events[user].append(Event(row: Int32(row), response: event.response, timestamp: event.timestamp))
        }
        for visit in data.visits { if let user = users.row(of: visit.user) { visits[user].append(visit.timestamp) } }
        for user in events.indices {
            events[user].sort { ($0.timestamp, $0.row, $0.response.rawValue) < ($1.timestamp, $1.row, $1.response.rawValue) }
            visits[user].sort()
        }
        (self.events, self.visits, actionIDs, userIDs) = (events, visits, actions.ids, users.ids)
    }

    func events(of user: Int) -> [Event] { events[user] }

    func visits(of user: Int) -> [Int64] { visits[user] }

    /// Events per action row that pass the test.
    func counts(_ admits: (Event) -> Bool) -> [Int] {
        var counts = [Int](repeating: 0, count: actionIDs.count)
        for event in events.joined() where admits(event) { counts[Int(event.row)] += 1 }
        return counts
    }
}
