import Postgres

/// What the metrics of a dataset group are counted from. All take moments; days are named in the group's zone.
enum MetricsQueries {
    /// Whose numbers, of which time.
    struct Scope {
        let group: DatasetGroup
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

    /// Ids of event types, whose names compare without regard to case.
    static func eventTypes(_ names: [String], ofGroup group: Int32, _ connection: Connection) throws -> [Int16] {
        try connection.query(
            "SELECT id FROM event_type WHERE dataset_group_id = \(group) AND lower(name) IN (SELECT lower(n) FROM unnest(\(names)) AS n)"
        ).map { try $0.int16(0) }
    }

    /// Counts of one day of the zone: of an event type, of the lists of a placement and campaign, or of money.
    struct Counts {
        let day: String
        let eventType: String?
        let events: Int
        let placementID: Int32?
        let campaignID: Int32?
        let activity: MetricsReport.Activity
        let revenue: Double
        let foreignAmounts: Int
    }

    static func counts(_ scope: Scope, _ connection: Connection) throws -> [Counts] {
        try connection.query(
            """
            SELECT to_char(b.day, 'YYYY-MM-DD'), t.name, b.events, b.placement_id, b.campaign_id, b.lists, b.clicks, b.purchases, b.attributed,
                   b.revenue, b.foreign_amounts
            FROM (
                SELECT (bucket AT TIME ZONE \(scope.group.timeZone))::date AS day, event_type, placement_id, campaign_id,
                       sum(events)::int8 AS events, sum(lists)::int8 AS lists, sum(clicks)::int8 AS clicks, sum(purchases)::int8 AS purchases,
                       sum(attributed)::float8 AS attributed, sum(revenue)::float8 AS revenue, sum(foreign_amounts)::int8 AS foreign_amounts
                FROM metric_bucket
                WHERE dataset_group_id = \(scope.group.id) AND bucket >= \(scope.from) AND bucket < \(scope.to)
                GROUP BY 1, 2, 3, 4) AS b
            LEFT JOIN event_type t ON t.dataset_group_id = \(scope.group.id) AND t.id = b.event_type
            """
        ).map { row in
            var activity = MetricsReport.Activity()
            activity.lists = Int(try row.int64(5))
            activity.clicks = Int(try row.int64(6))
            activity.purchases = Int(try row.int64(7))
            activity.revenue = try row.double(8)
            return Counts(
                day: try row.string(0), eventType: try row.optionalString(1), events: Int(try row.int64(2)),
                placementID: try row.optionalInt32(3), campaignID: try row.optionalInt32(4), activity: activity,
                revenue: try row.double(9), foreignAmounts: Int(try row.int64(10)))
        }
    }

    static func campaignNames(_ group: Int32, _ connection: Connection) throws -> [Int32: String] {
        var names: [Int32: String] = [:]
        for row in try connection.query("SELECT id, name FROM campaign WHERE dataset_group_id = \(group)") {
            names[try row.int32(0)] = try row.string(1)
        }
        return names
    }
}
