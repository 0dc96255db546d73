import Postgres

/// What is compared: units, each on a side, and the lists whose clicks count. See `OutcomeCount`.
struct OutcomeSubject {
    enum Kind: String {
        case experiment
        case promotion
    }

    let kind: Kind
    let id: Int32
    let convertingEvent: String
    let windowDays: Int32
    let earliest: PGTimestamp
    let until: PGTimestamp
    let units: SQL
    let lists: SQL
    /// Nothing that happens later counts; nil: the window after the last list.
    let endsAt: PGTimestamp?
}

/// Totals as they were counted last. A count reads what all units did, which takes long where they are many.
struct KeptOutcome {
    /// Seconds that totals of many units are shown for although something has changed.
    static let maxAge: Int64 = 60
    private static let manyUnits = 5000
    /// Seconds after which the number of open windows is looked at again although nothing has changed.
    private static let openAge: Int64 = 600

    let totals: [Int32: OutcomeTotals]
    let countedAt: PGTimestamp
    let isStale: Bool

    private var isMany: Bool { totals.values.reduce(0) { $0 + $1.units } >= KeptOutcome.manyUnits }

    /// Whether they may be shown whatever has changed.
    func isFresh(at now: PGTimestamp, maxAge: Int64) -> Bool { isMany && countedAt.adding(seconds: maxAge) >= now }

    /// Whether they may be shown when every change until now has been noted.
    func isCurrent(at now: PGTimestamp, maxAge: Int64) -> Bool {
        if isFresh(at: now, maxAge: maxAge) { return true }
        guard !isStale else { return false }
        return totals.values.allSatisfy { $0.openUnits == 0 } || isFresh(at: now, maxAge: KeptOutcome.openAge)
    }
}

extension Environment {
    /// Totals by side for a page, counted anew unless those that are kept will do. Where the count takes longer than a statement may, those
    /// that are kept are shown, however old: the job counts on.
    func keptOutcome(_ subject: OutcomeSubject, in group: DatasetGroup) throws(OperationError) -> [Int32: OutcomeTotals] {
        let maxAge = KeptOutcome.maxAge
        let kept = try read { try KeptOutcomeQueries.find(subject, $0) }
        if let kept, kept.isFresh(at: subject.until, maxAge: maxAge) { return kept.totals }
        do throws(OperationError) {
            return try change { try countOutcome(subject, in: group, maxAge: maxAge, $0) }
        } catch {
            guard error.isOutage, let kept else { throw error }
            return kept.totals
        }
    }

    /// In a transaction: counts unless the kept totals are current.
    @discardableResult
    func countOutcome(
        _ subject: OutcomeSubject, in group: DatasetGroup, maxAge: Int64, _ connection: Connection
    ) throws -> [Int32: OutcomeTotals] {
        // Marks are taken before the count: what comes in between is counted, and makes the totals stale by its own mark.
        try settleCounts(datasetGroupID: group.id, waits: true, connection)
        if let kept = try KeptOutcomeQueries.find(subject, connection), kept.isCurrent(at: subject.until, maxAge: maxAge) {
            return kept.totals
        }
        let totals = try OutcomeCount(
            group: group, interactionsDataset: try interactionsDataset(ofGroup: group.id, connection),
            convertingEvent: subject.convertingEvent, windowDays: subject.windowDays, earliest: subject.earliest, until: subject.until
        ).totals(units: subject.units, lists: subject.lists, connection)
        try KeptOutcomeQueries.store(totals, of: subject, in: group.id, connection)
        return totals
    }
}

enum KeptOutcomeQueries {
    static func find(_ subject: OutcomeSubject, _ connection: Connection) throws -> KeptOutcome? {
        let rows = try connection.query(
            """
            SELECT counted_at, is_stale, sides, figures FROM kept_outcome
            WHERE kind = \(subject.kind.rawValue) AND report_id = \(subject.id)
            """)
        guard let row = rows.first else { return nil }
        let figures = try row.doubles(3)
        var totals: [Int32: OutcomeTotals] = [:]
        for (position, side) in try row.int32s(2).enumerated() {
            let first = position * OutcomeTotals.figureCount
            guard let read = OutcomeTotals(figures: figures.dropFirst(first).prefix(OutcomeTotals.figureCount)) else { return nil }
            totals[side] = read
        }
        return KeptOutcome(totals: totals, countedAt: try row.timestamp(0), isStale: try row.bool(1))
    }

    static func store(_ totals: [Int32: OutcomeTotals], of subject: OutcomeSubject, in group: Int32, _ connection: Connection) throws {
        let sides = totals.keys.sorted()
        try connection.execute(
            """
            INSERT INTO kept_outcome (kind, report_id, dataset_group_id, counted_at, ends_at, is_stale, sides, figures)
            SELECT \(subject.kind.rawValue), \(subject.id), \(group), \(subject.until),
                   coalesce(\(subject.endsAt), (SELECT max(shown_at) + make_interval(days => \(subject.windowDays)) FROM (\(part: subject.lists)) AS l),
                            '-infinity'),
                   false, \(sides), \(sides.flatMap { totals[$0]?.figures ?? [] })
            ON CONFLICT (kind, report_id) DO UPDATE
            SET counted_at = excluded.counted_at, ends_at = excluded.ends_at, is_stale = false, sides = excluded.sides,
                figures = excluded.figures
            """)
    }

    /// Something has changed at or after a time. A promotion's totals also grow by a new list in which it was live.
    static func makeStale(_ group: Int32, since: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE kept_outcome k SET is_stale = true
            WHERE dataset_group_id = \(group) AND NOT is_stale AND (ends_at >= \(since) OR kind = 'promotion' AND EXISTS (
                SELECT FROM shown s WHERE s.dataset_group_id = \(group) AND s.shown_at >= \(since) AND k.report_id = ANY (s.live_promotions)))
            """)
    }

    static func forget(_ kind: OutcomeSubject.Kind, _ id: Int32, _ connection: Connection) throws {
        try connection.execute("DELETE FROM kept_outcome WHERE kind = \(kind.rawValue) AND report_id = \(id)")
    }
}

extension OutcomeTotals {
    static let figureCount = 15

    /// Every total in the order in which `init(figures:)` takes them; whole numbers below 2^53 are exact.
    var figures: [Double] {
        [
            Double(units), Double(converted), Double(orders), revenue, revenueSquares, cappedRevenue, cappedRevenueSquares,
            Double(cappedUnits), Double(clicks), clickSquares, Double(lists), listSquares, clicksTimesLists, Double(foreignAmounts),
            Double(openUnits),
        ]
    }

    init?(figures: ArraySlice<Double>) {
        guard figures.count == OutcomeTotals.figureCount else { return nil }
        let f = Array(figures)
        (units, converted, orders) = (Int(f[0]), Int(f[1]), Int(f[2]))
        (revenue, revenueSquares, cappedRevenue, cappedRevenueSquares) = (f[3], f[4], f[5], f[6])
        (cappedUnits, clicks, clickSquares) = (Int(f[7]), Int(f[8]), f[9])
        (lists, listSquares, clicksTimesLists) = (Int(f[10]), f[11], f[12])
        (foreignAmounts, openUnits) = (Int(f[13]), Int(f[14]))
    }
}
