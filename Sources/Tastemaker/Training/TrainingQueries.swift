import JSON
import Postgres
import Ranking

enum TrainingQueries {
    /// False when the version was stopped meanwhile.
    static func begin(_ id: Int32, at now: PGTimestamp, _ connection: Connection) throws -> Bool {
        try connection.execute(
            """
            UPDATE solution_version SET status = 'CREATE IN_PROGRESS', updated_at = \(now)
            WHERE id = \(id) AND status IN ('CREATE PENDING', 'CREATE IN_PROGRESS')
            """) == 1
    }

    static func abandon(_ id: Int32, _ end: JobEnd, at now: PGTimestamp, _ connection: Connection) throws {
        var reason: String?
        if case .failed(let text) = end { reason = text }
        try connection.execute(
            """
            UPDATE solution_version
            SET status = CASE WHEN status = 'CREATE STOPPING' OR \(reason)::text IS NULL THEN 'CREATE STOPPED' ELSE 'CREATE FAILED' END,
                failure_reason = CASE WHEN status = 'CREATE STOPPING' THEN NULL ELSE \(reason) END, updated_at = \(now)
            WHERE id = \(id) AND status IN ('CREATE PENDING', 'CREATE IN_PROGRESS', 'CREATE STOPPING')
            """)
    }

    struct ModelRecord {
        let key: String
        let sha256: [UInt8]
        let bytes: Int64
    }

    /// False when the version is not in progress any more.
    static func activate(
        _ id: Int32, _ file: ModelRecord, _ outcome: TrainingOutcome, at now: PGTimestamp, _ connection: Connection
    ) throws -> Bool {
        try connection.execute(
            """
            UPDATE solution_version
            SET status = 'ACTIVE', model_key = \(file.key), model_sha256 = \(file.sha256), model_bytes = \(file.bytes),
                metrics = \(json: outcome.metrics.serialized()), report = \(json: outcome.report.serialized()),
                training_hours = \(outcome.seconds / 3600), interaction_count = \(Int64(outcome.interactionCount)),
                trained_until = \(outcome.watermark), tuned_parameters = \(json: outcome.tuned?.serialized()),
                tuned_at = \(outcome.tunedAt), updated_at = \(now)
            WHERE id = \(id) AND status = 'CREATE IN_PROGRESS'
            """) == 1
    }

    /// A number that changes when interactions were added, replaced or erased: the newest bulk import above the count of streamed rows.
    static func watermark(dataset: Int32, _ connection: Connection) throws -> Int64 {
        try connection.query(
            """
            SELECT (SELECT coalesce(max(id), 0)::bigint FROM dataset_import_job WHERE dataset_id = \(dataset) AND status = 'ACTIVE') << 40
                | (SELECT count(*) FROM interaction WHERE dataset_id = \(dataset) AND part < 0)
            """
        ).first?.int64(0) ?? 0
    }

    static func countInteractions(dataset: Int32, _ connection: Connection) throws -> Int64 {
        try connection.query(
            "SELECT count(*) FROM interaction WHERE dataset_id = \(dataset) AND item_id IS NOT NULL"
        ).first?.int64(0) ?? 0
    }

    /// Names by id: ids are dense from 0.
    static func eventTypes(_ groupID: Int32, _ connection: Connection) throws -> [String] {
        try connection.query("SELECT name FROM event_type WHERE dataset_group_id = \(groupID) ORDER BY id").map { try $0.string(0) }
    }

    /// Distinct users, and events, per item.
    static func popularity(dataset: Int32, _ connection: Connection) throws -> [Int32: (users: Float, events: Float)] {
        let rows = try connection.query(
            """
            SELECT item_id, count(DISTINCT user_id), count(*) FROM interaction
            WHERE dataset_id = \(dataset) AND item_id IS NOT NULL GROUP BY item_id
            """)
        var popularity: [Int32: (users: Float, events: Float)] = [:]
        for row in rows { popularity[try row.int32(0)] = (Float(try row.int64(1)), Float(try row.int64(2))) }
        return popularity
    }

    /// Were lists shown, or events sent with what was shown beside them?
    static func tellsShown(groupID: Int32, _ connection: Connection) throws -> Bool {
        try connection.query(
            """
            SELECT EXISTS (SELECT FROM shown WHERE dataset_group_id = \(groupID))
                OR EXISTS (SELECT FROM impression WHERE dataset_group_id = \(groupID))
            """
        ).first?.bool(0) ?? false
    }

    /// id, text; by id.
    static func itemKeys(groupID: Int32) -> SQL {
        "SELECT id, external_id FROM item_key WHERE dataset_group_id = \(groupID) ORDER BY id"
    }

    /// key, the first items separated by commas, of the newest lists that interactions came from.
    static func shownLists(dataset: Int32, groupID: Int32, limit: Int32) -> SQL {
        """
        SELECT s.key, array_to_string(s.items[1:\(Int32(ShownLists.listLimit))], ',')
        FROM shown s
        WHERE s.dataset_group_id = \(groupID)
          AND s.key IN (SELECT i.recommendation FROM interaction i WHERE i.dataset_id = \(dataset) AND i.recommendation IS NOT NULL)
        ORDER BY s.shown_at DESC LIMIT \(limit)
        """
    }

    /// user, item, type, value, seconds; by time, bulk rows before streamed ones, then by arrival.
    ///
    /// - Parameters:
    ///   - withProperties: also the columns that the schema adds, as JSON.
    ///   - withShown: also the key of the list that the event came from, and the ids of what it says was shown.
    static func interactions(dataset: Int32, groupID: Int32, withProperties: Bool, withShown: Bool) -> SQL {
        let properties: SQL = withProperties ? ", i.properties::text" : ""
        let shown: SQL = withShown ? ", i.recommendation, i.properties->>'IMPRESSION'" : ""
        return """
            SELECT coalesce(a.canonical_id, i.user_id), i.item_id, i.event_type, i.value, floor(date_part('epoch', i.occurred_at))::bigint\(properties)\(shown)
            FROM interaction i
            LEFT JOIN user_alias a ON a.dataset_group_id = \(groupID) AND a.user_id = i.user_id
            WHERE i.dataset_id = \(dataset) AND i.item_id IS NOT NULL
            ORDER BY i.occurred_at, CASE WHEN i.part > 0 THEN i.part ELSE 2147483647 END, i.ordinal
            """
    }

    /// user, action, response, seconds; under the users' canonical ids.
    static func responses(dataset: Int32, groupID: Int32) -> SQL {
        """
        SELECT coalesce(a.canonical_id, i.user_id), i.item_id, i.event_type, floor(date_part('epoch', i.occurred_at))::bigint
        FROM interaction i
        LEFT JOIN user_alias a ON a.dataset_group_id = \(groupID) AND a.user_id = i.user_id
        WHERE i.dataset_id = \(dataset)
        """
    }

    /// user, seconds; under the users' canonical ids.
    static func visits(dataset: Int32, groupID: Int32, since: PGTimestamp) -> SQL {
        """
        SELECT coalesce(a.canonical_id, i.user_id), floor(date_part('epoch', i.occurred_at))::bigint
        FROM interaction i
        LEFT JOIN user_alias a ON a.dataset_group_id = \(groupID) AND a.user_id = i.user_id
        WHERE i.dataset_id = \(dataset) AND i.item_id IS NOT NULL AND i.occurred_at >= \(since)
        """
    }

    /// id, record as JSON; by id.
    static func itemRecords(groupID: Int32) -> SQL {
        "SELECT item_id, attributes::text FROM item_record WHERE dataset_group_id = \(groupID) ORDER BY item_id"
    }

    /// id, record as JSON; by id, under the users' canonical ids, whose own record goes before those of earlier names.
    static func userRecords(groupID: Int32) -> SQL {
        """
        SELECT DISTINCT ON (1) coalesce(a.canonical_id, r.user_id), r.attributes::text
        FROM user_record r
        LEFT JOIN user_alias a ON a.dataset_group_id = r.dataset_group_id AND a.user_id = r.user_id
        WHERE r.dataset_group_id = \(groupID)
        ORDER BY 1, a.canonical_id IS NOT NULL, r.user_id
        """
    }

    /// The mark of the solution's newest ACTIVE version whose weights were learned.
    static func trainedUntil(solutionID: Int32, _ connection: Connection) throws -> Int64? {
        try connection.query(
            """
            SELECT trained_until FROM solution_version WHERE solution_id = \(solutionID) AND status = 'ACTIVE' AND training_mode <> 'UPDATE'
            ORDER BY created_at DESC, id DESC LIMIT 1
            """
        ).first?.optionalInt64(0)
    }

    static func hasUnfinishedVersion(solutionID: Int32, _ connection: Connection) throws -> Bool {
        try connection.query(
            """
            SELECT 1 FROM solution_version
            WHERE solution_id = \(solutionID) AND status IN ('CREATE PENDING', 'CREATE IN_PROGRESS', 'CREATE STOPPING') LIMIT 1
            """
        ).first != nil
    }

    /// Solutions whose training is due, locked against another scheduler.
    static func dueSolutions(at now: PGTimestamp, _ connection: Connection) throws -> [Int32] {
        try connection.query(
            "SELECT id FROM solution WHERE next_training_at <= \(now) ORDER BY next_training_at, id FOR UPDATE SKIP LOCKED"
        ).map { try $0.int32(0) }
    }
}
