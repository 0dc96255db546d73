import JSON
import Postgres

extension Environment {
    /// Puts into the queue what is due by the calendar. Any worker may call it at any time: one of them at a time does it.
    public func scheduleDueWork() throws {
        try transact { connection in
            guard try ScheduleQueries.lead(connection) else { return }
            if try ScheduleQueries.hasDueTraining(at: now(), connection) {
                try enqueue(NewJob(kind: .automaticTraining, uniqueKey: "automatic-training"), connection)
            }
            for group in try ScheduleQueries.groupsToAdvance(at: now(), connection) { try enqueueAdvance(ofGroup: group, connection) }
            for group in try ScheduleQueries.groupsToCount(at: now(), connection) {
                try enqueue(
                    NewJob(
                        kind: .countReports, payload: ["datasetGroupID": .integer(Int64(group))], datasetGroupID: group,
                        uniqueKey: "count-reports:\(group)"), connection)
            }
            let hourAgo = PGTimestamp(microseconds: now().microseconds - 3_600_000_000)
            if try !ScheduleQueries.hasCleaned(since: hourAgo, connection) {
                try enqueue(NewJob(kind: .clean, uniqueKey: "clean"), connection)
            }
        }
        try endOverdueExperiments()
    }

    /// Looks soon whether the group's automatic placements can climb a rung.
    func enqueueAdvance(ofGroup id: Int32, _ connection: Connection) throws {
        try enqueue(
            NewJob(
                kind: .advanceGroup, payload: ["datasetGroupID": .integer(Int64(id))], datasetGroupID: id, uniqueKey: "advance-group:\(id)"),
            connection)
    }
}

enum ScheduleQueries {
    /// One worker leads at a time, until its transaction ends.
    static func lead(_ connection: Connection) throws -> Bool {
        try connection.query("SELECT pg_try_advisory_xact_lock(7305, 1)").first?.bool(0) ?? false
    }

    static func hasDueTraining(at now: PGTimestamp, _ connection: Connection) throws -> Bool {
        try connection.query("SELECT EXISTS (SELECT FROM solution WHERE next_training_at <= \(now))").first?.bool(0) ?? false
    }

    /// Groups with a placement that waits for its first model, looked at once a minute.
    static func groupsToAdvance(at now: PGTimestamp, _ connection: Connection) throws -> [Int32] {
        let minuteAgo = PGTimestamp(microseconds: now.microseconds - 60_000_000)
        return try connection.query(
            """
            SELECT DISTINCT p.dataset_group_id FROM placement p
            WHERE p.is_automatic AND p.campaign_id IS NULL AND NOT EXISTS (
                SELECT FROM job j
                WHERE j.finished_at >= \(minuteAgo) AND j.kind = 'advance-group' AND j.dataset_group_id = p.dataset_group_id)
            ORDER BY 1
            """
        ).map { try $0.int32(0) }
    }

    /// Groups in which something to count has changed, each at most every 25 seconds.
    static func groupsToCount(at now: PGTimestamp, _ connection: Connection) throws -> [Int32] {
        try connection.query(
            """
            SELECT DISTINCT m.dataset_group_id FROM activity_mark m JOIN dataset_group g ON g.id = m.dataset_group_id
            WHERE NOT EXISTS (
                SELECT FROM job j
                WHERE j.finished_at >= \(now.adding(seconds: -25)) AND j.kind = 'count-reports' AND j.dataset_group_id = m.dataset_group_id)
            ORDER BY 1
            """
        ).map { try $0.int32(0) }
    }

    static func hasCleaned(since time: PGTimestamp, _ connection: Connection) throws -> Bool {
        try connection.query(
            """
            SELECT EXISTS (
                SELECT FROM job WHERE kind = 'clean' AND unique_key = 'clean' AND (finished_at >= \(time) OR finished_at IS NULL))
            """
        ).first?.bool(0) ?? false
    }
}
