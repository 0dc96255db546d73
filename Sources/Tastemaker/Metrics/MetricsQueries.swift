import Postgres

/// What the metrics of a dataset group are counted from. All take moments; days are named in the group's zone.
enum MetricsQueries {
    /// Whose numbers, of which time.
    struct Scope {
        let group: DatasetGroup
        /// Nil while the group has no Interactions dataset.
        let interactionsDataset: Int32?
        let from: PGTimestamp
        /// Excluded.
        let to: PGTimestamp
    }

    static func interactionsDataset(_ group: Int32, _ connection: Connection) throws -> Int32? {
        try connection.query("SELECT id FROM dataset WHERE dataset_group_id = \(group) AND type = 'INTERACTIONS'").first?.int32(0)
    }

    /// The moments at which the first day begins and the last one ends, on days of 23 and 25 hours too.
    static func bounds(_ range: MetricsRange, timeZone: String, _ connection: Connection) throws -> (from: PGTimestamp, to: PGTimestamp) {
        let rows = try connection.query(
            """
            SELECT \(range.first)::text::date::timestamp AT TIME ZONE \(timeZone),
                   (\(range.last)::text::date + 1)::timestamp AT TIME ZONE \(timeZone)
            """)
        guard let row = rows.first else { throw OperationError.unavailable("The days could not be read.") }
        return (try row.timestamp(0), try row.timestamp(1))
    }

    struct Requests {
        let day: String
        let operation: String
        let target: String
        let figures: RequestFigures
    }

    static func requests(_ scope: Scope, _ connection: Connection) throws -> [Requests] {
        try connection.query(
            """
            SELECT to_char(bucket AT TIME ZONE \(scope.group.timeZone), 'YYYY-MM-DD') AS day, operation, target, sum(requests)::int8,
                   coalesce(sum(requests) FILTER (WHERE code BETWEEN 400 AND 499), 0)::int8,
                   coalesce(sum(requests) FILTER (WHERE code >= 500), 0)::int8,
                   ARRAY[sum(latency[1]), sum(latency[2]), sum(latency[3]), sum(latency[4]), sum(latency[5]), sum(latency[6]),
                         sum(latency[7]), sum(latency[8]), sum(latency[9]), sum(latency[10])]::int8[]
            FROM request_metric
            WHERE dataset_group_id = \(scope.group.id) AND bucket >= \(scope.from) AND bucket < \(scope.to)
            GROUP BY 1, 2, 3
            """
        ).map { row in
            var figures = RequestFigures()
            figures.requests = Int(try row.int64(3))
            figures.clientErrors = Int(try row.int64(4))
            figures.serverErrors = Int(try row.int64(5))
            figures.latency = try row.ints(6)
            return Requests(day: try row.string(0), operation: try row.string(1), target: try row.string(2), figures: figures)
        }
    }

    static func events(_ scope: Scope, _ connection: Connection) throws -> [(day: String, type: String, count: Int)] {
        try connection.query(
            """
            SELECT to_char(d.day, 'YYYY-MM-DD'), t.name, sum(d.events)::int8
            FROM (
                SELECT (occurred_at AT TIME ZONE \(scope.group.timeZone))::date AS day, event_type, count(*) AS events FROM interaction
                WHERE dataset_id = \(scope.interactionsDataset) AND occurred_at >= \(scope.from) AND occurred_at < \(scope.to)
                GROUP BY 1, 2) AS d
            JOIN event_type t ON t.dataset_group_id = \(scope.group.id) AND t.id = d.event_type
            GROUP BY d.day, t.name
            """
        ).map { (try $0.string(0), try $0.string(1), Int(try $0.int64(2))) }
    }

    /// Lists, or clicks, or purchases of one day, placement and campaign.
    struct Slice {
        let day: String
        let placementID: Int32?
        let campaignID: Int32?
        let count: Int
        var revenue = 0.0
    }

    static func lists(_ scope: Scope, _ connection: Connection) throws -> [Slice] {
        try connection.query(
            """
            SELECT to_char((shown_at AT TIME ZONE \(scope.group.timeZone))::date, 'YYYY-MM-DD'), placement_id, campaign_id, count(*)
            FROM shown WHERE dataset_group_id = \(scope.group.id) AND shown_at >= \(scope.from) AND shown_at < \(scope.to)
            GROUP BY 1, 2, 3
            """
        ).map(decodeSlice)
    }

    /// Clicks on lists that we made: the recommendation id was verified when the event came in.
    static func clicks(_ scope: Scope, _ connection: Connection) throws -> [Slice] {
        try connection.query(
            """
            SELECT to_char((i.occurred_at AT TIME ZONE \(scope.group.timeZone))::date, 'YYYY-MM-DD'), s.placement_id, s.campaign_id, count(*)
            FROM interaction i
            JOIN event_type t ON t.dataset_group_id = \(scope.group.id) AND t.id = i.event_type AND lower(t.name) = 'click'
            JOIN shown s ON s.key = i.recommendation AND s.dataset_group_id = \(scope.group.id)
            WHERE i.dataset_id = \(scope.interactionsDataset) AND i.occurred_at >= \(scope.from) AND i.occurred_at < \(scope.to)
              AND i.recommendation IS NOT NULL
            GROUP BY 1, 2, 3
            """
        ).map(decodeSlice)
    }

    /// Purchases that a click on the same item led to: the last click of the same visitor, or of the same user, within seven days before.
    static func attributedPurchases(_ scope: Scope, _ connection: Connection) throws -> [Slice] {
        try connection.query(
            """
            WITH \(part: purchases(scope)),
            click AS MATERIALIZED (
                SELECT i.visitor_id, i.user_id, i.item_id, i.occurred_at, i.recommendation FROM interaction i
                JOIN event_type t ON t.dataset_group_id = \(scope.group.id) AND t.id = i.event_type AND lower(t.name) = 'click'
                WHERE i.dataset_id = \(scope.interactionsDataset) AND i.recommendation IS NOT NULL
                  AND i.occurred_at >= \(scope.from.adding(seconds: -7 * 86_400)) AND i.occurred_at < \(scope.to)
            ),
            led AS (
                SELECT DISTINCT ON (ordinal) ordinal, occurred_at, amount, recommendation FROM (
                    SELECT p.ordinal, p.occurred_at, p.amount, c.recommendation, c.occurred_at AS clicked_at FROM purchase p
                    JOIN click c ON c.visitor_id = p.visitor_id AND c.item_id = p.item_id
                         AND c.occurred_at <= p.occurred_at AND c.occurred_at > p.occurred_at - interval '7 days'
                    UNION ALL
                    SELECT p.ordinal, p.occurred_at, p.amount, c.recommendation, c.occurred_at FROM purchase p
                    JOIN click c ON c.user_id = p.user_id AND c.item_id = p.item_id
                         AND c.occurred_at <= p.occurred_at AND c.occurred_at > p.occurred_at - interval '7 days') AS found
                ORDER BY ordinal, clicked_at DESC
            )
            SELECT to_char((l.occurred_at AT TIME ZONE \(scope.group.timeZone))::date, 'YYYY-MM-DD'), s.placement_id, s.campaign_id, count(*),
                   coalesce(sum(l.amount), 0)::float8
            FROM led l JOIN shown s ON s.key = l.recommendation AND s.dataset_group_id = \(scope.group.id)
            GROUP BY 1, 2, 3
            """
        ).map { row in
            var slice = try decodeSlice(row)
            slice.revenue = try row.double(4)
            return slice
        }
    }

    /// All revenue by day, less refunds, and amounts in other currencies.
    static func revenue(_ scope: Scope, _ connection: Connection) throws -> [(day: String, revenue: Double, foreign: Int)] {
        try connection.query(
            """
            WITH \(part: purchases(scope))
            SELECT to_char((p.occurred_at AT TIME ZONE \(scope.group.timeZone))::date, 'YYYY-MM-DD'), coalesce(sum(p.amount), 0)::float8,
                   count(*) FILTER (WHERE p.is_foreign)
            FROM purchase p GROUP BY 1
            """
        ).map { (try $0.string(0), try $0.double(1), Int(try $0.int64(2))) }
    }

    /// Lines of orders, each once, and refunds at minus their amount. Foreign amounts are null.
    private static func purchases(_ scope: Scope) -> SQL {
        """
        raw AS (
            SELECT i.visitor_id, i.user_id, i.item_id, i.ordinal, i.occurred_at, i.order_id, i.amount, lower(t.name) = 'refund' AS is_refund,
                   i.amount IS NOT NULL AND i.currency IS NOT NULL AND upper(i.currency) <> \(scope.group.currency) AS is_foreign
            FROM interaction i
            JOIN event_type t ON t.dataset_group_id = \(scope.group.id) AND t.id = i.event_type AND lower(t.name) IN ('purchase', 'refund')
            WHERE i.dataset_id = \(scope.interactionsDataset) AND i.visitor_id IS NOT NULL
              AND i.occurred_at >= \(scope.from.adding(seconds: -30 * 86_400)) AND i.occurred_at < \(scope.to)
        ),
        once AS (
            SELECT raw.*, CASE WHEN order_id IS NULL OR is_refund THEN occurred_at
                               ELSE min(occurred_at) OVER (PARTITION BY order_id, item_id, is_refund) END AS first_at
            FROM raw
        ),
        purchase AS (
            SELECT visitor_id, user_id, item_id, ordinal, occurred_at, is_foreign,
                   CASE WHEN is_foreign THEN NULL WHEN is_refund THEN -abs(amount) ELSE amount END AS amount
            FROM once WHERE occurred_at = first_at AND occurred_at >= \(scope.from)
        )
        """
    }

    private static func decodeSlice(_ row: Row) throws -> Slice {
        Slice(
            day: try row.string(0), placementID: try row.optionalInt32(1), campaignID: try row.optionalInt32(2),
            count: Int(try row.int64(3)))
    }

    static func campaignNames(_ group: Int32, _ connection: Connection) throws -> [Int32: String] {
        var names: [Int32: String] = [:]
        for row in try connection.query("SELECT id, name FROM campaign WHERE dataset_group_id = \(group)") {
            names[try row.int32(0)] = try row.string(1)
        }
        return names
    }
}
