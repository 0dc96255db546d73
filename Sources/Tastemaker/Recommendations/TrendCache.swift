import Locks
import Postgres
import Ranking

/// The trends of a group, counted from its interactions now and then, so that they need no training.
final class TrendCache: Sendable {
    private struct Key: Hashable {
        let rule: TrendRule
        /// Ids of the group's event types that count.
        let eventTypes: [Int32]
    }

    private struct State {
        /// Nil: nothing is newer than what the model knows.
        var items: [TrendingItem]?
        /// Microseconds since 1970; the state is old from then on.
        var isDueAt = Int64.min
        var isLoading = false
    }

    private let states = Lock<[Key: State]>([:])
    /// A count may take a twentieth of the time, and no answer is older than half a window.
    private static let rest: Int64 = 20
    private static let shortestRest: Int64 = 5_000_000
    /// Recipes with different windows or events that one group serves; more would be forgotten models.
    private static let limit = 64

    /// One thread counts, the others take what there is. Nil when the model knows it all.
    /// - Parameter isReachable: false while the database does not answer: then nobody counts, and what was counted last stands.
    func items(_ model: ServedModel, _ group: GroupSnapshot, _ environment: Environment, isReachable: Bool) throws -> [TrendingItem]? {
        guard let rule = model.trend, let dataset = group.interactionsDataset else { return nil }
        let types = group.eventTypes.indices.filter { model.model.learns(fromType: Int(model.eventType(UInt8($0)))) }.map { Int32($0) }
        let key = Key(rule: rule, eventTypes: types)
        let now = environment.now()
        let known = states.withLock { states -> State? in
            // Where nothing has been counted yet, everybody who asks does it.
            guard let state = states[key] else { return isReachable ? nil : State() }
            if !isReachable || state.isLoading || now.microseconds < state.isDueAt { return state }
            states[key]?.isLoading = true
            return nil
        }
        if let known { return known.items }
        do {
            let started = ContinuousClock.now
            let items = try environment.database.withConnection { connection in
                try TrendQueries.items(dataset: dataset, eventTypes: types, rule, at: now, connection)
            }
            let effort = Int64((ContinuousClock.now - started) / .microseconds(1))
            let rest = min(max(TrendCache.shortestRest, TrendCache.rest * effort), rule.window * 500_000)
            states.withLock { states in
                if states.count >= TrendCache.limit { states.removeAll() }
                states[key] = State(items: items, isDueAt: now.microseconds + rest)
            }
            return items
        } catch {
            let stale = states.withLock { states in
                states[key]?.isLoading = false
                return states[key]
            }
            guard let stale else { throw error }
            return stale.items
        }
    }
}

enum TrendQueries {
    /// The trends of the windows that end now; when the newest one is empty, of those that end with the newest interaction. Nil when that
    /// is none that the model does not know.
    static func items(
        dataset: Int32, eventTypes: [Int32], _ rule: TrendRule, at now: PGTimestamp, _ connection: Connection
    ) throws -> [TrendingItem]? {
        let counts = try counts(dataset: dataset, eventTypes: eventTypes, rule, end: now, connection)
        if counts.newestTotal > 0 { return counts.ranked() }
        guard let newest = try newest(dataset: dataset, after: rule.until, until: now, connection) else { return nil }
        return try self.counts(dataset: dataset, eventTypes: eventTypes, rule, end: newest, connection).ranked()
    }

    private static func counts(
        dataset: Int32, eventTypes: [Int32], _ rule: TrendRule, end: PGTimestamp, _ connection: Connection
    ) throws -> TrendCounts {
        let start = PGTimestamp(microseconds: end.microseconds - Int64(TrendCounts.intervals) * rule.window * 1_000_000)
        var counts = TrendCounts()
        for row in try connection.query(
            """
            SELECT item_id, age, count(DISTINCT user_id) FROM (
                SELECT item_id, user_id, floor(date_part('epoch', \(end) - occurred_at) / \(Double(rule.window)))::int AS age
                FROM interaction
                WHERE dataset_id = \(dataset) AND item_id IS NOT NULL AND occurred_at <= \(end) AND occurred_at > \(start)
                  AND event_type = ANY(\(eventTypes)) AND (\(rule.valueThreshold)::float8 IS NULL OR value >= \(rule.valueThreshold))
            ) AS recent GROUP BY item_id, age
            """)
        { counts.add(item: try row.int32(0), age: try row.int(1), users: Double(try row.int64(2))) }
        return counts
    }

    private static func newest(
        dataset: Int32, after seconds: Int64, until end: PGTimestamp, _ connection: Connection
    ) throws -> PGTimestamp? {
        let (microseconds, isOverflown) = (seconds + 1).multipliedReportingOverflow(by: 1_000_000)
        guard !isOverflown else { return nil }
        return try connection.query(
            """
            SELECT max(occurred_at) FROM interaction
            WHERE dataset_id = \(dataset) AND item_id IS NOT NULL
              AND occurred_at >= \(PGTimestamp(microseconds: microseconds)) AND occurred_at <= \(end)
            """
        ).first?.optionalTimestamp(0)
    }
}
