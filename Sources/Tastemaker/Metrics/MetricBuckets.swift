import Logging
import Postgres

extension Environment {
    /// Counts again what has changed. One process at a time counts a group's; where another does so right now, `waits` waits for it.
    func settleCounts(datasetGroupID: Int32, waits: Bool, _ connection: Connection) throws {
        guard try MetricBuckets.lock(datasetGroupID, waits: waits, connection),
            let since = try ActivityMarks.take(datasetGroupID, connection)
        else { return }
        let group = try datasetGroup(id: datasetGroupID, connection)
        try MetricBuckets.count(
            group, interactionsDataset: try interactionsDataset(ofGroup: group.id, connection), from: since, now: now(), connection)
        try KeptOutcomeQueries.makeStale(group.id, since: since, connection)
    }

    /// Before a page is read: what has changed since the job last counted, mostly seconds. Where that takes longer than a page may, what
    /// was counted before is shown, and the job goes on.
    func settleCountsIfIdle(datasetGroupID: Int32) {
        do throws(OperationError) {
            guard try read({ try ActivityMarks.isPending(datasetGroupID, $0) }) else { return }
            try change { connection in
                try connection.execute("SET LOCAL statement_timeout = '3s'")
                try settleCounts(datasetGroupID: datasetGroupID, waits: false, connection)
            }
        } catch {
            Logger(label: "tastemaker.reports").warning("counts wait", metadata: ["reason": "\(error.message)"])
        }
    }
}

/// Quarters of an hour, counted from interactions and lists shown.
enum MetricBuckets {
    /// An order's line heard of again within so long counts once.
    private static let orderMemory: SQL = "interval '30 days'"

    /// Until the transaction ends.
    static func lock(_ group: Int32, waits: Bool, _ connection: Connection) throws -> Bool {
        if waits {
            try connection.execute("SELECT pg_advisory_xact_lock(7306, \(group))")
            return true
        }
        return try connection.query("SELECT pg_try_advisory_xact_lock(7306, \(group))").first?.bool(0) ?? false
    }

    /// Lists are kept for 120 days; what they led to before that can be counted no more, and stands as it was counted.
    private static let countableDays: Int64 = 110

    /// Counts everything from the beginning of a quarter on, as far as its source is still there.
    static func count(
        _ group: DatasetGroup, interactionsDataset: Int32?, from: PGTimestamp, now: PGTimestamp, _ connection: Connection
    ) throws {
        let quarter: Int64 = 900_000_000
        let countable = PGTimestamp(microseconds: (now.microseconds - countableDays * 86_400_000_000) / quarter * quarter)
        let listsFrom = from.microseconds < countable.microseconds ? countable : from
        try connection.execute(
            """
            DELETE FROM metric_bucket WHERE dataset_group_id = \(group.id) AND bucket >= \(from)
                AND (bucket >= \(listsFrom) OR lists = 0 AND clicks = 0 AND purchases = 0)
            """)
        try countLists(group.id, from: listsFrom, connection)
        guard let dataset = interactionsDataset else { return }
        var scope = Scope(
            group: group, dataset: dataset, from: from,
            clicks: try MetricsQueries.eventTypes(["click"], ofGroup: group.id, connection),
            purchases: try MetricsQueries.eventTypes(["purchase"], ofGroup: group.id, connection),
            refunds: try MetricsQueries.eventTypes(["refund"], ofGroup: group.id, connection))
        try countEvents(scope, connection)
        try countRevenue(scope, connection)
        scope.from = listsFrom
        try countClicks(scope, connection)
        try countAttributed(scope, connection)
    }

    private struct Scope {
        let group: DatasetGroup
        let dataset: Int32
        var from: PGTimestamp
        let clicks: [Int16]
        let purchases: [Int16]
        let refunds: [Int16]
    }

    private static func bucket(_ time: SQL) -> SQL { "date_bin('15 minutes', \(part: time), '2000-01-01T00:00Z')" }

    private static func countLists(_ group: Int32, from: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO metric_bucket (dataset_group_id, bucket, placement_id, campaign_id, lists)
            SELECT \(group), \(part: bucket("shown_at")), placement_id, campaign_id, count(*)
            FROM shown WHERE dataset_group_id = \(group) AND shown_at >= \(from) GROUP BY 2, 3, 4
            """)
    }

    private static func countEvents(_ scope: Scope, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO metric_bucket (dataset_group_id, bucket, event_type, events)
            SELECT \(scope.group.id), \(part: bucket("occurred_at")), event_type, count(*)
            FROM interaction WHERE dataset_id = \(scope.dataset) AND occurred_at >= \(scope.from) GROUP BY 2, 3
            """)
    }

    /// Clicks on lists that we made: the recommendation id was verified when the event came in.
    private static func countClicks(_ scope: Scope, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO metric_bucket (dataset_group_id, bucket, placement_id, campaign_id, clicks)
            SELECT \(scope.group.id), \(part: bucket("i.occurred_at")), s.placement_id, s.campaign_id, count(*)
            FROM interaction i
            JOIN shown s ON s.key = i.recommendation AND s.dataset_group_id = \(scope.group.id)
            WHERE i.dataset_id = \(scope.dataset) AND i.event_type = ANY (\(scope.clicks)) AND i.occurred_at >= \(scope.from)
              AND i.part < 0 AND i.visitor_id IS NOT NULL AND i.recommendation IS NOT NULL
            GROUP BY 2, 3, 4
            """)
    }

    /// All revenue, less refunds; amounts in other currencies are only numbered.
    private static func countRevenue(_ scope: Scope, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO metric_bucket (dataset_group_id, bucket, revenue, foreign_amounts)
            WITH \(part: purchases(scope))
            SELECT \(scope.group.id), \(part: bucket("occurred_at")), coalesce(sum(amount), 0), count(*) FILTER (WHERE is_foreign)
            FROM purchase GROUP BY 2
            """)
    }

    /// Purchases that a click on the same item led to: the last click of the same visitor, or of the same user, within seven days before.
    private static func countAttributed(_ scope: Scope, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO metric_bucket (dataset_group_id, bucket, placement_id, campaign_id, purchases, attributed)
            WITH \(part: purchases(scope)),
            click AS MATERIALIZED (
                SELECT i.visitor_id, i.user_id, i.item_id, i.occurred_at, i.recommendation FROM interaction i
                WHERE i.dataset_id = \(scope.dataset) AND i.event_type = ANY (\(scope.clicks)) AND i.part < 0 AND i.visitor_id IS NOT NULL
                  AND i.recommendation IS NOT NULL AND i.occurred_at >= \(scope.from)::timestamptz - interval '7 days'
            ),
            led AS (
                SELECT DISTINCT ON (ordinal, visitor_id, item_id) occurred_at, amount, recommendation FROM (
                    SELECT p.ordinal, p.visitor_id, p.item_id, p.occurred_at, p.amount, c.recommendation, c.occurred_at AS clicked_at
                    FROM purchase p
                    JOIN click c ON c.visitor_id = p.visitor_id AND c.item_id = p.item_id
                         AND c.occurred_at <= p.occurred_at AND c.occurred_at > p.occurred_at - interval '7 days'
                    UNION ALL
                    SELECT p.ordinal, p.visitor_id, p.item_id, p.occurred_at, p.amount, c.recommendation, c.occurred_at FROM purchase p
                    JOIN click c ON c.user_id = p.user_id AND c.item_id = p.item_id
                         AND c.occurred_at <= p.occurred_at AND c.occurred_at > p.occurred_at - interval '7 days') AS found
                ORDER BY ordinal, visitor_id, item_id, clicked_at DESC, recommendation
            )
            SELECT \(scope.group.id), \(part: bucket("l.occurred_at")), s.placement_id, s.campaign_id, count(*), coalesce(sum(l.amount), 0)
            FROM led l JOIN shown s ON s.key = l.recommendation AND s.dataset_group_id = \(scope.group.id)
            GROUP BY 2, 3, 4
            """)
    }

    /// Lines of orders, each once, and refunds at minus their amount. Foreign amounts are null.
    private static func purchases(_ scope: Scope) -> SQL {
        """
        raw AS (
            SELECT i.visitor_id, i.user_id, i.item_id, i.ordinal, i.occurred_at, i.order_id, i.amount,
                   i.event_type = ANY (\(scope.refunds)) AS is_refund,
                   i.amount IS NOT NULL AND i.currency IS NOT NULL AND upper(i.currency) <> \(scope.group.currency) AS is_foreign
            FROM interaction i
            WHERE i.dataset_id = \(scope.dataset) AND i.part < 0 AND i.visitor_id IS NOT NULL AND i.event_type = ANY (\(scope.purchases + scope.refunds))
              AND i.occurred_at >= \(scope.from)::timestamptz - \(part: orderMemory)
              AND (i.occurred_at >= \(scope.from) OR i.order_id IN (
                SELECT n.order_id FROM interaction n
                WHERE n.dataset_id = \(scope.dataset) AND n.part < 0 AND n.visitor_id IS NOT NULL AND n.event_type = ANY (\(scope.purchases))
                  AND n.order_id IS NOT NULL AND n.occurred_at >= \(scope.from)))
        ),
        line AS (
            SELECT raw.*, order_id IS NOT NULL AND NOT is_refund AND count(*) OVER (
                PARTITION BY order_id, item_id, is_refund ORDER BY occurred_at
                RANGE BETWEEN \(part: orderMemory) PRECEDING AND interval '1 microsecond' PRECEDING) > 0 AS is_known
            FROM raw
        ),
        purchase AS (
            SELECT visitor_id, user_id, item_id, ordinal, occurred_at, is_foreign,
                   CASE WHEN is_foreign THEN NULL WHEN is_refund THEN -abs(amount) ELSE amount END AS amount
            FROM line WHERE NOT is_known AND occurred_at >= \(scope.from)
        )
        """
    }
}
