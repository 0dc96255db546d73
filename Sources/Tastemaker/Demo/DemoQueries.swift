import Postgres

/// What no operation of the product does, because only a simulated group goes away as a whole.
enum DemoQueries {
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
