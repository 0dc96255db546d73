import Postgres

/// What tells the counts of the reports that something has changed; see `Environment.settleCounts`.
enum ActivityMarks {
    /// To be called in the transaction that writes or removes what reports count.
    static func add(_ datasetGroupID: Int32, since: PGTimestamp, _ connection: Connection) throws {
        try connection.execute("INSERT INTO activity_mark (dataset_group_id, since) VALUES (\(datasetGroupID), \(since))")
    }

    /// Everything of the group is to be counted again.
    static func addAll(_ datasetGroupID: Int32, _ connection: Connection) throws {
        try connection.execute("INSERT INTO activity_mark (dataset_group_id, since) VALUES (\(datasetGroupID), '-infinity')")
    }

    static func isPending(_ datasetGroupID: Int32, _ connection: Connection) throws -> Bool {
        try connection.query("SELECT EXISTS (SELECT FROM activity_mark WHERE dataset_group_id = \(datasetGroupID))").first?.bool(0) ?? false
    }

    /// Takes the group's marks away. Answers the beginning of the quarter from which on to count again; nil where nothing has changed.
    /// A mark that is not seen yet belongs to a change that is not seen either, and is taken the next time.
    static func take(_ datasetGroupID: Int32, _ connection: Connection) throws -> PGTimestamp? {
        try connection.query(
            """
            WITH taken AS (DELETE FROM activity_mark WHERE dataset_group_id = \(datasetGroupID) RETURNING since)
            SELECT CASE WHEN min(since) > '1900-01-01' THEN date_bin('15 minutes', min(since), '2000-01-01T00:00Z')
                        WHEN count(*) > 0 THEN '1900-01-01T00:00Z'::timestamptz END FROM taken
            """
        ).first?.optionalTimestamp(0)
    }
}
