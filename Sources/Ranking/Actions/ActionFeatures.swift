import Foundation

/// Describes a user before a moment, for one action, as numbers that a logistic model weighs.
///
/// Responses fall off with time, exp(-age / span), once with the period as span and once with eight. Of this action, and of all:
/// ln((taken + r) / (not taken + 1 - r)), r being the share of all responses that were taken, and ln(1 + responses); ratios
/// rather than counts, for counts grow with the time that a user was observed. Visits: ln(1 + count). Others: ln(1 + taken) of
/// each of the most taken actions. Attributes: the user's most frequent categories, 0 or 1.
struct ActionFeatures: Sendable {
    /// Spans of the decay, in seconds.
    private let spans: [Double]
    /// Rows of the most taken actions.
    private let others: [Int32]
    private let attributes: [Int32: [Int]]
    private let attributeCount: Int
    /// Of all responses, those that were taken, per action row and overall.
    private let takenShares: [Double]
    private let takenShare: Double

    private static let otherLimit = 16
    private static let attributeLimit = 16
    /// Bias, this action (2 kinds at 2 spans), all (3 kinds at 2 spans).
    private static let fixedCount = 1 + 4 + 6

    var count: Int { Self.fixedCount + others.count + attributeCount }

    init(period: Int64, takenCounts: [Int], responseCounts: [Int], userMetadata: MetadataTable?) {
        spans = [Double(period), 8 * Double(period)]
        // As if one response of each kind had come before all others.
        takenShares = zip(takenCounts, responseCounts).map { (Double($0) + 1) / (Double($1) + 2) }
        takenShare = (Double(takenCounts.reduce(0, +)) + 1) / (Double(responseCounts.reduce(0, +)) + 2)
        others = takenCounts.indices.filter { takenCounts[$0] > 0 }.sorted { (takenCounts[$1], $0) < (takenCounts[$0], $1) }
            .prefix(Self.otherLimit).map { Int32($0) }
        var frequent: [(frequency: Int, column: Int, code: Int32)] = []
        for (index, column) in (userMetadata?.columns ?? []).enumerated() {
            guard case .categories(let lists) = column.values else { continue }
            var frequencies = [Int](repeating: 0, count: lists.names.count)
            for code in lists.codes { frequencies[Int(code)] += 1 }
            frequent += frequencies.indices.map { (frequencies[$0], index, Int32($0)) }
        }
        frequent.sort { ($1.frequency, $0.column, $0.code) < ($0.frequency, $1.column, $1.code) }
        let chosen = frequent.prefix(Self.attributeLimit)
        attributeCount = chosen.count
        var attributes: [Int32: [Int]] = [:]
        for (place, entry) in chosen.enumerated() {
            guard let table = userMetadata, case .categories(let lists) = table.columns[entry.column].values else { continue }
            for (record, id) in table.ids.enumerated() where lists.codes(of: record).contains(entry.code) {
                attributes[id, default: []].append(place)
            }
        }
        self.attributes = attributes
    }

    /// What of a user counts for all actions, at one moment.
    struct UserState {
        /// By action row, at both spans; seen means not taken.
        var taken: [Int32: SIMD2<Double>] = [:]
        var seen: [Int32: SIMD2<Double>] = [:]
        var allTaken = SIMD2<Double>()
        var allSeen = SIMD2<Double>()
        var visits = SIMD2<Double>()
        var attributes: [Int] = []
    }

    /// Of events before `moment`; actions are rows.
    func state(
        of user: Int32, _ events: some Sequence<ActionHistory.Event>, _ visits: some Sequence<Int64>, at moment: Int64
    ) -> UserState {
        var state = UserState(attributes: attributes[user] ?? [])
        for event in events where event.timestamp < moment {
            let weight = decay(moment - event.timestamp)
            if event.response == .taken {
                state.taken[event.row, default: .zero] += weight
                state.allTaken += weight
            } else {
                state.seen[event.row, default: .zero] += weight
                state.allSeen += weight
            }
        }
        for visit in visits where visit < moment { state.visits += decay(moment - visit) }
        return state
    }

    private func decay(_ age: Int64) -> SIMD2<Double> { [exp(-Double(age) / spans[0]), exp(-Double(age) / spans[1])] }

    /// `count` numbers.
    func vector(_ state: UserState, action: Int32) -> [Double] {
        var vector: [Double] = [1]
        vector.reserveCapacity(count)
        func add(_ taken: SIMD2<Double>, _ seen: SIMD2<Double>, _ share: Double) {
            for span in 0..<2 {
                vector.append(log((taken[span] + share) / (seen[span] + 1 - share)))
                vector.append(log(1 + taken[span] + seen[span]))
            }
        }
        add(state.taken[action] ?? .zero, state.seen[action] ?? .zero, takenShares[Int(action)])
        add(state.allTaken, state.allSeen, takenShare)
        vector += [log(1 + state.visits[0]), log(1 + state.visits[1])]
        for other in others { vector.append(other == action ? 0 : log(1 + (state.taken[other]?[1] ?? 0))) }
        let start = vector.count
        vector += [Double](repeating: 0, count: attributeCount)
        for place in state.attributes { vector[start + place] = 1 }
        return vector
    }
}

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
    let oldest: Int64
    let newest: Int64

    /// Nil without events.
    init?(_ data: ActionData) {
        guard let newest = data.events.map(\.timestamp).max(), let oldest = data.events.map(\.timestamp).min() else { return nil }
        (self.newest, self.oldest) = (newest, oldest)
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
