import JSON
import Postgres
import Ranking

enum RecommenderQueries {
    /// The status is that of the campaign behind, and before there is one that of the training.
    private static let columns: SQL =
        """
        r.id, r.dataset_group_id, g.name, r.name, s.recipe, r.config, r.latest_update, r.created_at, r.updated_at, s.id, c.status,
        served.metrics, latest.status, latest.failure_reason, latest.updated_at, wanted.status, wanted.failure_reason, wanted.updated_at
        """
    private static let source: SQL =
        """
        recommender r JOIN dataset_group g ON g.id = r.dataset_group_id JOIN solution s ON s.recommender_id = r.id
        LEFT JOIN campaign c ON c.recommender_id = r.id LEFT JOIN solution_version served ON served.id = c.solution_version_id
        LEFT JOIN solution_version wanted ON wanted.id = (r.latest_update ->> 'versionID')::int
        LEFT JOIN LATERAL (
            SELECT v.status, v.failure_reason, v.updated_at FROM solution_version v
            WHERE v.solution_id = s.id ORDER BY v.created_at DESC, v.id DESC LIMIT 1) latest ON true
        """

    private static func decode(_ row: Row) throws -> Recommender {
        guard let recipe = RecipeName(rawValue: try row.string(4)) else {
            throw OperationError.unavailable("The recommender \(try row.string(3)) has a recipe that this program does not know.")
        }
        let training = try progress(row, at: 12)
        let served = try row.optionalString(10).flatMap(ResourceStatus.init(rawValue:))
        let metrics = try row.optionalJSON(11).flatMap { try? JSONValue(parsing: $0) }?.objectValue?.members ?? []
        let stored = try row.timestamp(8)
        return Recommender(
            id: try row.int32(0), datasetGroupID: try row.int32(1), datasetGroupName: try row.string(2), name: try row.string(3),
            recipe: recipe, config: try row.optionalJSON(5).flatMap { try? JSONValue(parsing: $0) },
            latestUpdate: try update(row), status: served ?? training?.status ?? .createPending,
            failureReason: served == nil ? training?.failure : nil,
            metrics: metrics.compactMap { member in member.value.doubleValue.map { (member.name, $0) } }, solutionID: try row.int32(9),
            createdAt: try row.timestamp(7), updatedAt: served == nil ? max(stored, training?.updatedAt ?? stored) : stored)
    }

    private static func update(_ row: Row) throws -> RecommenderUpdate? {
        guard let json = try row.optionalJSON(6).flatMap({ try? JSONValue(parsing: $0) }), let created = json["createdAt"]?.intValue
        else { return nil }
        let training = try progress(row, at: 15)
        let createdAt = PGTimestamp(microseconds: created)
        return RecommenderUpdate(
            config: json["config"], status: training?.status ?? .active, failureReason: training?.failure, createdAt: createdAt,
            updatedAt: training?.updatedAt ?? createdAt, versionID: json["versionID"]?.intValue.map { Int32(clamping: $0) })
    }

    /// What a training means for its recommender: one that was stopped did not give what was asked for.
    private static func progress(_ row: Row, at column: Int) throws -> (status: ResourceStatus, failure: String?, updatedAt: PGTimestamp)? {
        guard let status = try row.optionalString(column).flatMap(ResourceStatus.init(rawValue:)) else { return nil }
        let updatedAt = try row.timestamp(column + 2)
        switch status {
        case .createStopping: return (.createInProgress, nil, updatedAt)
        case .createStopped: return (.createFailed, "The training was stopped.", updatedAt)
        default: return (status, try row.optionalString(column + 1), updatedAt)
        }
    }

    static func insert(_ input: CreateRecommenderInput, groupID: Int32, at now: PGTimestamp, _ connection: Connection) throws -> Int32 {
        let rows = try connection.query(
            """
            INSERT INTO recommender (name, dataset_group_id, config, created_at, updated_at)
            VALUES (\(input.name), \(groupID), \(json: input.config?.withoutNulls.serialized()), \(now), \(now)) RETURNING id
            """)
        guard let row = rows.first else { throw OperationError.unavailable("The recommender was not stored.") }
        return try row.int32(0)
    }

    static func find(name: String, _ connection: Connection) throws -> Recommender? {
        try connection.query("SELECT \(part: columns) FROM \(part: source) WHERE r.name = \(name)").first.map(decode)
    }

    static func find(solutionID: Int32, _ connection: Connection) throws -> Recommender? {
        try connection.query("SELECT \(part: columns) FROM \(part: source) WHERE s.id = \(solutionID)").first.map(decode)
    }

    static func list(ofGroup id: Int32?, after cursor: PageCursor?, limit: Int, _ connection: Connection) throws -> [Recommender] {
        try connection.query(
            """
            SELECT \(part: columns) FROM \(part: source)
            WHERE (\(id)::int IS NULL OR r.dataset_group_id = \(id))
              AND (\(cursor?.createdAt)::timestamptz IS NULL OR (r.created_at, r.id) < (\(cursor?.createdAt), \(cursor?.id)))
            ORDER BY r.created_at DESC, r.id DESC LIMIT \(Int32(limit))
            """
        ).map(decode)
    }

    /// A configuration that is wanted; in force at once unless it waits for a version.
    static func update(
        _ id: Int32, config: JSONValue, waitingFor versionID: Int32?, at now: PGTimestamp, _ connection: Connection
    ) throws {
        var update: JSONObject = ["config": config, "createdAt": .integer(now.microseconds)]
        if let versionID { update["versionID"] = .integer(Int64(versionID)) }
        try connection.execute(
            """
            UPDATE recommender
            SET latest_update = \(json: JSONValue.object(update).serialized()), updated_at = \(now),
                config = CASE WHEN \(versionID == nil) THEN \(json: config.serialized()) ELSE config END
            WHERE id = \(id)
            """)
    }

    static func setConfig(_ id: Int32, _ config: JSONValue?, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            "UPDATE recommender SET config = \(json: config?.serialized()), updated_at = \(now) WHERE id = \(id)")
    }

    static func setSolutionConfig(_ solutionID: Int32, _ config: JSONValue, _ connection: Connection) throws {
        try connection.execute("UPDATE solution SET config = \(json: config.serialized()) WHERE id = \(solutionID)")
    }

    /// Serves a version: under a new campaign of the recommender, which is ACTIVE, or under the one there is, whose status stays.
    static func serve(
        _ recommender: Recommender, versionID: Int32, config: JSONValue, at now: PGTimestamp, _ connection: Connection
    ) throws {
        try connection.execute(
            """
            INSERT INTO campaign (
                name, dataset_group_id, solution_id, solution_version_id, config, status, recommender_id, created_at, updated_at)
            VALUES (\(ServedCampaign.name(ofRecommender: recommender.name)), \(recommender.datasetGroupID), \(recommender.solutionID),
                    \(versionID), \(json: config.serialized()), 'ACTIVE', \(recommender.id), \(now), \(now))
            ON CONFLICT (recommender_id) DO UPDATE
            SET solution_version_id = excluded.solution_version_id, config = excluded.config, updated_at = excluded.updated_at
            """)
    }

    static func setServing(
        _ recommender: Recommender, _ status: ResourceStatus, nextTrainingAt: PGTimestamp?, at now: PGTimestamp, _ connection: Connection
    ) throws {
        try connection.execute(
            "UPDATE campaign SET status = \(status.rawValue), updated_at = \(now) WHERE recommender_id = \(recommender.id)")
        try connection.execute("UPDATE solution SET next_training_at = \(nextTrainingAt) WHERE id = \(recommender.solutionID)")
        try connection.execute("UPDATE recommender SET updated_at = \(now) WHERE id = \(recommender.id)")
    }

    static func setCampaignConfig(_ recommender: Recommender, _ config: JSONValue, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            "UPDATE campaign SET config = \(json: config.serialized()), updated_at = \(now) WHERE recommender_id = \(recommender.id)")
    }

    /// Deletes the recommender, its campaign, solution and versions; answers the keys of their model files.
    static func delete(_ recommender: Recommender, solution: Solution, _ connection: Connection) throws -> [String] {
        try connection.execute("DELETE FROM campaign WHERE recommender_id = \(recommender.id)")
        let keys = try SolutionQueries.delete(solution, connection)
        try connection.execute("DELETE FROM recommender WHERE id = \(recommender.id)")
        return keys
    }
}
