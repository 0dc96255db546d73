import JSON
import Postgres
import Storage

/// Removes what has outlived its keeping time, or the files that the payload names.
enum Cleaning {
    static let rule = JobRule(timeout: 1800) { environment, context in
        if let artifacts = context.payload["artifacts"]?.arrayValue {
            for key in artifacts.compactMap(\.stringValue) { try environment.artifacts.delete(key) }
            return
        }
        if let users = context.payload["erasedUsers"]?.arrayValue, let group = context.datasetGroupID {
            try sweepErased(users.compactMap(\.intValue).map { Int32(clamping: $0) }, groupID: group, environment)
            return
        }
        let now = environment.now()
        for (index, table) in tables.enumerated() {
            try context.checkInterruption()
            context.progress(Double(index) / Double(tables.count), message: "Removing \(table.name)")
            _ = try environment.withLongConnection { connection in
                try connection.execute(table.sql(PGTimestamp(microseconds: now.microseconds - Int64(table.days) * 86_400_000_000)))
            }
        }
        try environment.withLongConnection { connection in try ImportQueries.dropLeftovers(connection) }
        // A list that was stored while its group was being deleted leaves a mark that nobody takes.
        try environment.withLongConnection { connection in
            _ = try connection.execute(
                "DELETE FROM activity_mark m WHERE NOT EXISTS (SELECT FROM dataset_group g WHERE g.id = m.dataset_group_id)")
        }
        try environment.removeForgottenUploads()
    }

    /// What was on its way while its user was erased. The ids are never given out again, so nobody else's rows can go.
    private static func sweepErased(_ ids: [Int32], groupID: Int32, _ environment: Environment) throws {
        _ = try environment.withLongConnection { connection in
            try connection.transaction { (connection) throws -> Void in
                _ = try UserQueries.deleteHistories(ids.sorted(), groupID: groupID, connection)
                var counted = try UserQueries.deleteInteractions(ids, groupID: groupID, connection)
                _ = try UserQueries.deleteRawEvents(ids, groupID: groupID, connection)
                _ = try UserQueries.deleteImpressions(ids, groupID: groupID, connection)
                counted += try UserQueries.deleteExposures(ids, groupID: groupID, connection)
                counted += try UserQueries.deleteShown(ids, groupID: groupID, connection)
                // Their own marks are taken by now, and every mark of everything costs a count of everything.
                if counted > 0 { try ActivityMarks.addAll(groupID, connection) }
                _ = try UserQueries.deleteRecords(ids, groupID: groupID, connection)
                try UserQueries.deleteAliases(ids, groupID: groupID, connection)
            }
        }
    }

    private struct KeptTable: Sendable {
        let name: String
        /// Days that rows are kept.
        let days: Int
        let sql: @Sendable (PGTimestamp) -> SQL
    }

    /// Event keys outlive the published horizon of de-duplication (8 days) by one.
    private static let tables: [KeptTable] = [
        KeptTable(name: "looks at the clock", days: 1) {
            "DELETE FROM job WHERE finished_at < \($0) AND state = 'completed' AND kind IN ('advance-group', 'automatic-training', 'count-reports', 'clean')"
        },
        KeptTable(name: "finished jobs", days: 14) { "DELETE FROM job WHERE finished_at < \($0)" },
        KeptTable(name: "event keys", days: 9) {
            "DELETE FROM event_key WHERE received_on < (\($0)::timestamptz AT TIME ZONE 'UTC')::date"
        },
        KeptTable(name: "raw events", days: 8) { "DELETE FROM raw_event WHERE received_at < \($0)" },
        KeptTable(name: "impressions", days: 120) { "DELETE FROM impression WHERE received_at < \($0)" },
        KeptTable(name: "lists shown", days: 120) { "DELETE FROM shown WHERE shown_at < \($0)" },
        KeptTable(name: "failed sign-ins", days: 1) { "DELETE FROM sign_in_failure WHERE at < \($0)" },
        KeptTable(name: "sessions", days: 0) { "DELETE FROM session WHERE expires_at < \($0)" },
    ]
}

extension Environment {
    /// A connection whose statements may take as long as a job does.
    func withLongConnection<T>(_ body: (Connection) throws -> T) throws -> T {
        try database.withConnection { (connection) throws -> T in
            let limit = connection.settings.statementTimeoutMilliseconds
            try connection.setStatementTimeout(milliseconds: 0)
            defer { if connection.isUsable { try? connection.setStatementTimeout(milliseconds: limit) } }
            return try body(connection)
        }
    }
}
