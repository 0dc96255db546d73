import Postgres

/// Reads across features, for the first page alone.
enum OverviewQueries {
    struct Counts {
        var items: Int64
        var users: Int64
        var actions: Int64
        var hasTracker: Bool
        var lastEventAt: PGTimestamp?
        var refused: Int64
        var lastCountedAt: PGTimestamp?
    }

    static func counts(_ group: Int32, since: PGTimestamp, now: PGTimestamp, _ connection: Connection) throws -> Counts {
        let rows = try connection.query(
            """
            SELECT r.next_item_id::bigint, r.next_user_id::bigint, (SELECT count(*) FROM action_record a WHERE a.dataset_group_id = \(group)),
                   EXISTS (SELECT FROM event_tracker t WHERE t.dataset_group_id = \(group)),
                   (SELECT e.received_at FROM raw_event e WHERE e.dataset_group_id = \(group) AND e.rejected_reason IS NULL
                    ORDER BY e.id DESC LIMIT 1),
                   (SELECT count(*) FROM (SELECT FROM raw_event e WHERE e.dataset_group_id = \(group) AND e.rejected_reason IS NOT NULL
                    AND e.received_at > \(since) LIMIT 1000) AS refused),
                   (SELECT b.bucket FROM metric_bucket b WHERE b.dataset_group_id = \(group) AND b.bucket <= \(now) AND b.events > 0
                    ORDER BY b.bucket DESC LIMIT 1)
            FROM group_revision r WHERE r.dataset_group_id = \(group)
            """)
        guard let row = rows.first else { return Counts(items: 0, users: 0, actions: 0, hasTracker: false, lastEventAt: nil, refused: 0) }
        return Counts(
            items: try row.int64(0), users: try row.int64(1), actions: try row.int64(2), hasTracker: try row.bool(3),
            lastEventAt: try row.optionalTimestamp(4), refused: try row.int64(5),
            lastCountedAt: try row.optionalTimestamp(6))
    }

    /// Exact up to `limit`, so that the data minimum is told to the row; above it the planner's estimate of the partitions.
    static func interactions(
        _ group: Int32, with kind: InteractionKind = .items, exactUpTo limit: Int64, _ connection: Connection
    ) throws -> Int64 {
        let rows = try connection.query(
            """
            SELECT count(*) FROM (
                SELECT FROM interaction i
                WHERE i.dataset_id IN (
                    SELECT id FROM dataset WHERE dataset_group_id = \(group) AND type = \(kind.datasetType.rawValue))
                LIMIT \(limit)) AS counted
            """)
        let count = try rows.first?.int64(0) ?? 0
        guard count >= limit else { return count }
        let estimate = try connection.query(
            """
            SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint
            FROM dataset d
            CROSS JOIN LATERAL pg_partition_tree(to_regclass('interaction_' || d.id)) AS t
            JOIN pg_class c ON c.oid = t.relid AND t.isleaf
            WHERE d.dataset_group_id = \(group) AND d.type = \(kind.datasetType.rawValue)
            """)
        return max(count, try estimate.first?.int64(0) ?? 0)
    }

    static func places(_ group: Int32, _ connection: Connection) throws -> [GroupOverview.Place] {
        try connection.query(
            """
            SELECT p.name, p.title, c.name, v.updated_at, p.is_automatic
            FROM placement p
            LEFT JOIN campaign c ON c.id = p.campaign_id
            LEFT JOIN solution_version v ON v.id = c.solution_version_id AND v.status = 'ACTIVE'
            WHERE p.dataset_group_id = \(group)
            ORDER BY p.id LIMIT 50
            """
        ).map { row in
            GroupOverview.Place(
                name: try row.string(0), title: try row.string(1), campaign: try row.optionalString(2),
                trainedAt: try row.optionalTimestamp(3), isAutomatic: try row.bool(4))
        }
    }

    static func liveJobs(_ group: Int32, _ connection: Connection) throws -> [Job] {
        try connection.query(
            """
            SELECT \(part: JobQueries.columns) FROM job
            WHERE dataset_group_id = \(group) AND (state = 'running' OR (state = 'available' AND attempt = 0 AND priority = 0))
            ORDER BY id DESC LIMIT 20
            """
        ).map(JobQueries.decode)
    }

    static func failedJobs(_ group: Int32, since: PGTimestamp, _ connection: Connection) throws -> [Job] {
        try connection.query(
            """
            SELECT \(part: JobQueries.columns) FROM job
            WHERE dataset_group_id = \(group) AND state = 'discarded' AND finished_at > \(since)
            ORDER BY id DESC LIMIT 5
            """
        ).map(JobQueries.decode)
    }

    static func job(_ id: Int64, _ connection: Connection) throws -> Job? {
        try connection.query("SELECT \(part: JobQueries.columns) FROM job WHERE id = \(id)").first.map(JobQueries.decode)
    }

    /// False when the job is neither waiting nor failed for good.
    static func runNow(_ id: Int64, at now: PGTimestamp, _ connection: Connection) throws -> Bool {
        try connection.execute(
            """
            UPDATE job
            SET run_at = \(now), attempt = CASE WHEN state = 'discarded' THEN 0 ELSE attempt END, state = 'available', finished_at = NULL,
                error = NULL, cancel_requested = false, progress = 0
            WHERE id = \(id) AND state IN ('available', 'discarded')
            """) == 1
    }
}
