import Postgres

/// Counts what units did after their own first exposure, by side. Events before it, and after the window, count nowhere; an order counts
/// once by its id, at the time when it was first heard of; a refund counts where its order does, at minus its amount.
struct OutcomeCount {
    let group: DatasetGroup
    /// Nil while the group has no Interactions dataset.
    let interactionsDataset: Int32?
    /// A unit with such an event converted.
    let convertingEvent: String
    let windowDays: Int32
    /// No unit was exposed before.
    let earliest: PGTimestamp
    /// Nothing after counts.
    let until: PGTimestamp

    /// An order heard of again within so many days before the earliest exposure is known to be old.
    private static let orderMemoryDays: Int64 = 30

    /// - Parameters:
    ///   - units: a SELECT of `unit_id int, side int, since timestamptz`, one row for each unit.
    ///   - lists: a SELECT of `unit_id int, key bigint, shown_at timestamptz`: the lists whose clicks count.
    /// - Returns: totals by side; a side without units is missing.
    func totals(units: SQL, lists: SQL, _ connection: Connection) throws -> [Int32: OutcomeTotals] {
        let types = try MetricsQueries.eventTypes(["purchase", "refund", "click", convertingEvent], ofGroup: group.id, connection)
        let rows = try connection.query(
            """
            WITH unit AS MATERIALIZED (\(part: units)),
            list AS MATERIALIZED (\(part: lists)),
            \(part: events(types)),
            \(part: perUnit)
            SELECT side, count(*), count(*) FILTER (WHERE converted), sum(orders)::int8, sum(revenue)::float8, sum(revenue * revenue)::float8,
                   sum(least(revenue, cap))::float8, sum(least(revenue, cap) * least(revenue, cap))::float8,
                   count(*) FILTER (WHERE revenue > cap), sum(clicks)::int8, sum(clicks * clicks)::float8, sum(lists)::int8,
                   sum(lists * lists)::float8, sum(clicks * lists)::float8, sum(foreign_amounts)::int8, count(*) FILTER (WHERE is_open)
            FROM per_unit
            CROSS JOIN (SELECT percentile_cont(0.999) WITHIN GROUP (ORDER BY revenue) FILTER (WHERE revenue > 0) AS cap FROM per_unit) AS c
            GROUP BY side
            """)
        var totals: [Int32: OutcomeTotals] = [:]
        for row in rows { totals[try row.int32(0)] = try decode(row) }
        return totals
    }

    /// What was done in the time in question: orders once, refunds with whose they are and when their order was placed.
    private func events(_ types: [Int16]) -> SQL {
        """
        type AS (SELECT id, lower(name) AS name FROM event_type WHERE dataset_group_id = \(group.id)),
        raw AS (
            SELECT i.visitor_id, i.item_id, t.name AS type, i.occurred_at, i.ordinal, i.order_id, i.amount, i.currency, i.recommendation
            FROM interaction i JOIN type t ON t.id = i.event_type
            WHERE i.dataset_id = \(interactionsDataset) AND i.part < 0 AND i.visitor_id IS NOT NULL
              AND i.occurred_at >= \(earliest.adding(seconds: -Self.orderMemoryDays * 86_400)) AND i.occurred_at <= \(until)
              AND i.event_type = ANY (\(types))
              AND (t.name = 'refund' OR i.visitor_id IN (SELECT unit_id FROM unit))
        ),
        once AS (
            SELECT visitor_id, type, occurred_at, ordinal, order_id, amount, currency, recommendation FROM raw
            WHERE order_id IS NULL OR type = 'refund'
            UNION ALL
            SELECT visitor_id, type, occurred_at, ordinal, order_id, amount, currency, recommendation
            FROM (
                SELECT raw.*, min(occurred_at) OVER (PARTITION BY order_id, item_id, type) AS first_at
                FROM raw WHERE order_id IS NOT NULL AND type <> 'refund') AS r
            WHERE occurred_at = first_at
        ),
        placed AS (
            SELECT DISTINCT ON (order_id) order_id, visitor_id, occurred_at FROM once
            WHERE type = 'purchase' AND order_id IS NOT NULL ORDER BY order_id, occurred_at, ordinal
        ),
        credited AS (
            SELECT coalesce(p.visitor_id, o.visitor_id) AS visitor_id, coalesce(p.occurred_at, o.occurred_at) AS ordered_at, o.type,
                   o.occurred_at, o.ordinal, o.order_id, o.recommendation,
                   CASE WHEN o.type = 'refund' THEN -abs(o.amount) ELSE o.amount END AS amount,
                   o.currency IS NULL OR upper(o.currency) = \(group.currency) AS is_own_currency
            FROM once o LEFT JOIN placed p ON o.type = 'refund' AND p.order_id = o.order_id
        )
        """
    }

    private var perUnit: SQL {
        """
        shown_count AS (
            SELECT l.unit_id, count(*) AS lists FROM list l JOIN unit u ON u.unit_id = l.unit_id
            WHERE l.shown_at >= u.since - interval '5 seconds' AND l.shown_at < u.since + make_interval(days => \(windowDays))
              AND l.shown_at <= \(until)
            GROUP BY l.unit_id
        ),
        done AS (
            SELECT u.unit_id,
                   bool_or(c.type = lower(\(convertingEvent))) AS converted,
                   count(DISTINCT coalesce(c.order_id, c.ordinal::text)) FILTER (WHERE c.type = 'purchase') AS orders,
                   sum(c.amount) FILTER (WHERE c.type IN ('purchase', 'refund') AND c.is_own_currency) AS revenue,
                   count(c.amount) FILTER (WHERE c.type IN ('purchase', 'refund') AND NOT c.is_own_currency) AS foreign_amounts,
                   count(*) FILTER (WHERE c.type = 'click' AND c.recommendation IN (SELECT key FROM list)) AS clicks
            FROM unit u JOIN credited c ON c.visitor_id = u.unit_id AND c.occurred_at >= u.since AND c.ordered_at >= u.since
                 AND c.occurred_at < u.since + make_interval(days => \(windowDays))
            GROUP BY u.unit_id
        ),
        per_unit AS MATERIALIZED (
            SELECT u.side, coalesce(d.converted, false) AS converted, coalesce(d.orders, 0) AS orders,
                   coalesce(d.revenue, 0)::float8 AS revenue, coalesce(d.foreign_amounts, 0) AS foreign_amounts,
                   coalesce(d.clicks, 0) AS clicks, coalesce(s.lists, 0) AS lists,
                   u.since + make_interval(days => \(windowDays)) > \(until) AS is_open
            FROM unit u LEFT JOIN done d ON d.unit_id = u.unit_id LEFT JOIN shown_count s ON s.unit_id = u.unit_id
        )
        """
    }

    private func decode(_ row: Row) throws -> OutcomeTotals {
        var totals = OutcomeTotals()
        totals.units = Int(try row.int64(1))
        totals.converted = Int(try row.int64(2))
        totals.orders = Int(try row.int64(3))
        totals.revenue = try row.double(4)
        totals.revenueSquares = try row.double(5)
        totals.cappedRevenue = try row.double(6)
        totals.cappedRevenueSquares = try row.double(7)
        totals.cappedUnits = Int(try row.int64(8))
        totals.clicks = Int(try row.int64(9))
        totals.clickSquares = try row.double(10)
        totals.lists = Int(try row.int64(11))
        totals.listSquares = try row.double(12)
        totals.clicksTimesLists = try row.double(13)
        totals.foreignAmounts = Int(try row.int64(14))
        totals.openUnits = Int(try row.int64(15))
        return totals
    }
}

extension Environment {
    func interactionsDataset(ofGroup id: Int32, _ connection: Connection) throws -> Int32? {
        try MetricsQueries.interactionsDataset(id, connection)
    }
}
