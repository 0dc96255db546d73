import JSON
import Postgres
import Ranking

enum SolutionQueries {
    static let columns: SQL =
        """
        s.id, s.dataset_group_id, g.name, s.name, coalesce(s.auto_ml_recipe, s.recipe), s.perform_hpo, s.perform_auto_ml, s.perform_auto_training,
        s.perform_incremental_update, s.event_type, s.config, s.latest_update, s.status, s.failure_reason, s.next_training_at,
        s.created_at, s.updated_at, s.auto_ml_recipe IS NOT NULL
        """
    static let columnCount = 18
    private static let source: SQL = "solution s JOIN dataset_group g ON g.id = s.dataset_group_id"

    static func decode(_ row: Row) throws -> Solution {
        guard let recipe = RecipeName(rawValue: try row.string(4)) else {
            throw OperationError.unavailable("The solution \(try row.string(3)) has a recipe that this program does not know.")
        }
        return Solution(
            id: try row.int32(0), datasetGroupID: try row.int32(1), datasetGroupName: try row.string(2), name: try row.string(3),
            recipe: recipe, performsHPO: try row.bool(5), performsAutoML: try row.bool(6), performsAutoTraining: try row.bool(7),
            performsIncrementalUpdate: try row.bool(8), eventType: try row.optionalString(9),
            config: try row.optionalJSON(10).flatMap { try? JSONValue(parsing: $0) },
            latestUpdate: SolutionUpdate(json: try row.optionalJSON(11).flatMap { try? JSONValue(parsing: $0) }),
            status: ResourceStatus(rawValue: try row.string(12)) ?? .createFailed, failureReason: try row.optionalString(13),
            nextTrainingAt: try row.optionalTimestamp(14), createdAt: try row.timestamp(15), updatedAt: try row.timestamp(16),
            isRecipeChosen: try row.bool(17))
    }

    struct NewSolution {
        let input: CreateSolutionInput
        let datasetGroupID: Int32
        let recipe: RecipeName
        let nextTrainingAt: PGTimestamp?
        /// Whose hidden solution it is.
        var recommenderID: Int32?
    }

    static func insert(_ new: NewSolution, at now: PGTimestamp, _ connection: Connection) throws -> Int32 {
        let input = new.input
        let rows = try connection.query(
            """
            INSERT INTO solution (
                name, dataset_group_id, recipe, perform_hpo, perform_auto_ml, perform_auto_training, perform_incremental_update, event_type,
                config, status, next_training_at, recommender_id, created_at, updated_at)
            VALUES (\(input.name), \(new.datasetGroupID), \(new.recipe.rawValue), \(input.performsHPO ?? false),
                    \(input.performsAutoML ?? false), \(input.performsAutoTraining ?? true), \(input.performsIncrementalUpdate ?? false),
                    \(input.eventType), \(json: input.config?.withoutNulls.serialized()), 'ACTIVE', \(new.nextTrainingAt),
                    \(new.recommenderID), \(now), \(now))
            RETURNING id
            """)
        guard let row = rows.first else { throw OperationError.unavailable("The solution was not stored.") }
        return try row.int32(0)
    }

    static func find(name: String, _ connection: Connection) throws -> Solution? {
        try connection.query("SELECT \(part: columns) FROM \(part: source) WHERE s.name = \(name) AND s.recommender_id IS NULL").first.map(
            decode)
    }

    static func find(id: Int32, _ connection: Connection) throws -> Solution? {
        try connection.query("SELECT \(part: columns) FROM \(part: source) WHERE s.id = \(id)").first.map(decode)
    }

    static func list(ofGroup id: Int32?, after cursor: PageCursor?, limit: Int, _ connection: Connection) throws -> [Solution] {
        try connection.query(
            """
            SELECT \(part: columns) FROM \(part: source)
            WHERE s.recommender_id IS NULL AND (\(id)::int IS NULL OR s.dataset_group_id = \(id))
              AND (\(cursor?.createdAt)::timestamptz IS NULL OR (s.created_at, s.id) < (\(cursor?.createdAt), \(cursor?.id)))
            ORDER BY s.created_at DESC, s.id DESC LIMIT \(Int32(limit))
            """
        ).map(decode)
    }

    struct Change {
        let performsAutoTraining: Bool
        let performsIncrementalUpdate: Bool
        let config: JSONValue?
        let update: SolutionUpdate
        let nextTrainingAt: PGTimestamp?
    }

    static func update(_ id: Int32, _ change: Change, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE solution
            SET perform_auto_training = \(change.performsAutoTraining), perform_incremental_update = \(change.performsIncrementalUpdate),
                config = \(json: change.config?.serialized()), latest_update = \(json: change.update.json.serialized()),
                next_training_at = \(change.nextTrainingAt), updated_at = \(now)
            WHERE id = \(id)
            """)
    }

    /// Moves the next automatic training; nothing when the solution has none.
    static func postponeTraining(_ id: Int32, until time: PGTimestamp, _ connection: Connection) throws {
        try connection.execute("UPDATE solution SET next_training_at = \(time) WHERE id = \(id) AND next_training_at IS NOT NULL")
    }

    /// Keeps what the first training of a solution that leaves the recipe to us has chosen.
    static func choose(_ recipe: RecipeName, for id: Int32, _ connection: Connection) throws {
        try connection.execute(
            "UPDATE solution SET auto_ml_recipe = \(recipe.rawValue) WHERE id = \(id) AND perform_auto_ml AND auto_ml_recipe IS NULL")
    }

    /// What stands in the way of deleting the solution, as the refusal names it.
    static func dependant(_ id: Int32, _ connection: Connection) throws -> String? {
        try connection.query(
            """
            SELECT 'is used by the campaign ' || name FROM campaign WHERE solution_id = \(id)
               OR solution_version_id IN (SELECT id FROM solution_version WHERE solution_id = \(id))
            UNION ALL
            SELECT 'has the version ' || name || ', which has not ended' FROM solution_version
            WHERE solution_id = \(id) AND status IN ('CREATE PENDING', 'CREATE IN_PROGRESS', 'CREATE STOPPING')
            LIMIT 1
            """
        ).first?.string(0)
    }

    /// Deletes the solution and its versions with their tags; answers the keys of their model files.
    static func delete(_ solution: Solution, _ connection: Connection) throws -> [String] {
        let keys = try connection.query(
            "SELECT model_key FROM solution_version WHERE solution_id = \(solution.id) AND model_key IS NOT NULL"
        ).map { try $0.string(0) }
        try connection.execute(
            """
            DELETE FROM tag WHERE resource IN (
                SELECT 'batch-segment-job/' || b.name FROM batch_segment_job b
                JOIN solution_version v ON v.id = b.solution_version_id WHERE v.solution_id = \(solution.id)
                UNION ALL
                SELECT 'solution/' || \(solution.name)::text || '/' || suffix FROM solution_version WHERE solution_id = \(solution.id))
            """)
        try connection.execute("DELETE FROM solution WHERE id = \(solution.id)")
        return keys
    }
}
