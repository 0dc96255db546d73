import Postgres

/// What no operation of the product does, because only a simulated group goes away as a whole.
enum DemoQueries {
    /// Ends the group's waiting jobs and asks the running ones to end; answers how many still run.
    static func cancelJobs(_ groupID: Int32, at now: PGTimestamp, _ connection: Connection) throws -> Int64 {
        try connection.execute(
            """
            UPDATE job SET cancel_requested = true, state = CASE state WHEN 'available' THEN 'cancelled' ELSE state END,
                finished_at = CASE state WHEN 'available' THEN \(now) END
            WHERE dataset_group_id = \(groupID) AND state IN ('available', 'running')
            """)
        let rows = try connection.query("SELECT count(*) FROM job WHERE dataset_group_id = \(groupID) AND state = 'running'")
        return try rows.first?.int64(0) ?? 0
    }

    static func deleteTraces(_ groupID: Int32, _ connection: Connection) throws {
        try connection.execute("DELETE FROM job WHERE dataset_group_id = \(groupID)")
        try connection.execute("UPDATE session SET dataset_group_id = NULL WHERE dataset_group_id = \(groupID)")
    }

    /// Imports and trainings that have not ended.
    static func hasUnfinishedWork(_ groupID: Int32, _ connection: Connection) throws -> Bool {
        let rows = try connection.query(
            """
            SELECT EXISTS (SELECT FROM job WHERE dataset_group_id = \(groupID) AND state IN ('available', 'running')
                           AND kind IN ('import-dataset', 'train-solution-version', 'advance-group'))
            """)
        return try rows.first?.bool(0) ?? false
    }
}
