import JSON
import Postgres

enum CampaignQueries {
    private static let columns: SQL =
        """
        c.id, c.dataset_group_id, g.name, c.name, c.solution_id, c.solution_version_id, s.name || '/' || v.suffix, c.min_provisioned_tps,
        c.config, c.latest_update, c.status, c.failure_reason, c.created_at, c.updated_at,
        c.options
        """
    private static let source: SQL =
        """
        campaign c JOIN dataset_group g ON g.id = c.dataset_group_id JOIN solution_version v ON v.id = c.solution_version_id
        JOIN solution s ON s.id = v.solution_id
        """

    private static func decode(_ row: Row) throws -> Campaign {
        Campaign(
            id: try row.int32(0), datasetGroupID: try row.int32(1), datasetGroupName: try row.string(2), name: try row.string(3),
            solutionID: try row.int32(4), solutionVersionID: try row.int32(5), versionPath: try row.string(6),
            minProvisionedTPS: try row.int32(7), config: try row.optionalJSON(8).flatMap { try? JSONValue(parsing: $0) },
            options: try row.optionalJSON(14).flatMap { try? CampaignOptions(JSONValue(parsing: $0)) } ?? .none,
            latestUpdate: CampaignUpdate(json: try row.optionalJSON(9).flatMap { try? JSONValue(parsing: $0) }),
            status: ResourceStatus(rawValue: try row.string(10)) ?? .createFailed, failureReason: try row.optionalString(11),
            createdAt: try row.timestamp(12), updatedAt: try row.timestamp(13))
    }

    static func insert(
        _ input: CreateCampaignInput, version: SolutionVersion, at now: PGTimestamp, _ connection: Connection
    ) throws {
        try connection.execute(
            """
            INSERT INTO campaign (
                name, dataset_group_id, solution_id, solution_version_id, min_provisioned_tps, config, status, created_at, updated_at)
            VALUES (\(input.name), \(version.solution.datasetGroupID), \(version.solution.id), \(version.id),
                    \(Int32(clamping: input.minProvisionedTPS ?? 1)), \(json: input.config?.withoutNulls.serialized()), 'ACTIVE', \(now), \(now))
            """)
    }

    static func find(name: String, _ connection: Connection) throws -> Campaign? {
        try connection.query("SELECT \(part: columns) FROM \(part: source) WHERE c.name = \(name) AND c.recommender_id IS NULL").first.map(
            decode)
    }

    static func list(
        solutionID: Int32?, groupID: Int32?, after cursor: PageCursor?, limit: Int, _ connection: Connection
    ) throws -> [Campaign] {
        try connection.query(
            """
            SELECT \(part: columns) FROM \(part: source)
            WHERE c.recommender_id IS NULL AND (\(solutionID)::int IS NULL OR c.solution_id = \(solutionID))
              AND (\(groupID)::int IS NULL OR c.dataset_group_id = \(groupID))
              AND (\(cursor?.createdAt)::timestamptz IS NULL OR (c.created_at, c.id) < (\(cursor?.createdAt), \(cursor?.id)))
            ORDER BY c.created_at DESC, c.id DESC LIMIT \(Int32(limit))
            """
        ).map(decode)
    }

    struct Change {
        let version: (id: Int32, solutionID: Int32)
        let update: CampaignUpdate
    }

    static func update(_ id: Int32, _ change: Change, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE campaign
            SET solution_id = \(change.version.solutionID), solution_version_id = \(change.version.id),
                min_provisioned_tps = \(change.update.minProvisionedTPS), config = \(json: change.update.config?.serialized()),
                latest_update = \(json: change.update.json.serialized()), status = 'ACTIVE', failure_reason = NULL, updated_at = \(now)
            WHERE id = \(id)
            """)
    }

    static func setOptions(_ id: Int32, _ options: JSONValue?, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute("UPDATE campaign SET options = \(json: options?.serialized()), updated_at = \(now) WHERE id = \(id)")
    }

    /// Campaigns of the solution that follow its newest version.
    static func followers(of solutionID: Int32, _ connection: Connection) throws -> [Campaign] {
        try connection.query(
            """
            SELECT \(part: columns) FROM \(part: source)
            WHERE c.solution_id = \(solutionID) AND c.recommender_id IS NULL AND c.status = 'ACTIVE'
                AND c.config ->> 'syncWithLatestSolutionVersion' = 'true'
            """
        ).map(decode)
    }

    static func experiment(using id: Int32, _ connection: Connection) throws -> String? {
        try connection.query(
            "SELECT e.name FROM arm a JOIN experiment e ON e.id = a.experiment_id WHERE a.campaign_id = \(id) LIMIT 1"
        ).first?.string(0)
    }

    static func delete(_ id: Int32, _ connection: Connection) throws {
        try connection.execute("DELETE FROM campaign WHERE id = \(id)")
    }
}
