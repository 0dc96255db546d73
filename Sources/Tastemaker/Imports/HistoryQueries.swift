import Postgres

/// Makes the packed histories anew from the interactions, as `PackedHistory` does it event by event.
enum HistoryQueries {
    /// Locks the group's histories against events that arrive meanwhile: first the counters, then the rows in key order, as writers of events
    /// lock them. Events that were stored before are in the snapshot of the statement that rebuilds; later ones wait.
    static func rebuild(dataset: Int32, groupID: Int32, _ connection: Connection) throws {
        try connection.execute("SELECT 1 FROM group_revision WHERE dataset_group_id = \(groupID) FOR UPDATE")
        try connection.execute(
            """
            INSERT INTO history (dataset_group_id, user_id, entries)
            SELECT \(groupID), u.user_id, ''::bytea FROM (SELECT DISTINCT user_id FROM interaction WHERE dataset_id = \(dataset)) u
            WHERE NOT EXISTS (SELECT FROM history h WHERE h.dataset_group_id = \(groupID) AND h.user_id = u.user_id)
            ORDER BY u.user_id
            ON CONFLICT DO NOTHING
            """)
        let locked =
            try connection.query(
                """
                SELECT coalesce(array_agg(l.user_id), '{}') FROM (
                    SELECT user_id FROM history WHERE dataset_group_id = \(groupID) ORDER BY user_id FOR UPDATE) l
                """
            ).first?.int32s(0) ?? []
        try connection.execute(
            """
            WITH event AS MATERIALIZED (\(part: events(dataset))),
            ranked AS (
                SELECT *, row_number() OVER (PARTITION BY user_id, event_type ORDER BY seconds DESC, age DESC, ordinal DESC) AS place
                FROM event),
            kept AS (
                SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY place, event_type) AS fair_place
                FROM ranked WHERE place <= \(Int64(PackedHistory.eventTypeLimit))),
            packed AS (
                SELECT user_id, string_agg(\(part: entry), ''::bytea ORDER BY seconds, age, ordinal) AS entries
                FROM kept WHERE fair_place <= \(Int64(PackedHistory.limit)) GROUP BY user_id)
            UPDATE history h SET entries = coalesce(p.entries, ''::bytea)
            FROM unnest(\(locked)) AS l(user_id) LEFT JOIN packed p ON p.user_id = l.user_id
            WHERE h.dataset_group_id = \(groupID) AND h.user_id = l.user_id AND h.entries IS DISTINCT FROM coalesce(p.entries, ''::bytea)
            """)
    }

    /// A user's own events, and what a visitor did under another name. `age` puts bulk rows before streamed ones of the same second.
    private static func events(_ dataset: Int32) -> SQL {
        """
        SELECT user_id, item_id, event_type, \(part: seconds) AS seconds,
            CASE WHEN part > 0 THEN part ELSE 2147483647 END AS age, ordinal
        FROM interaction WHERE dataset_id = \(dataset) AND item_id IS NOT NULL
        UNION ALL
        SELECT visitor_id, item_id, event_type, \(part: seconds), 2147483647, ordinal
        FROM interaction WHERE dataset_id = \(dataset) AND part < 0 AND item_id IS NOT NULL AND visitor_id <> user_id
        """
    }

    /// 0 to 2^32 − 1, as bigint.
    private static let seconds: SQL = "least(greatest(floor(date_part('epoch', occurred_at)), 0), 4294967295)::bigint"

    /// Nine bytes, little-endian: the server writes integers big-endian, so their bytes are swapped before.
    private static let entry: SQL =
        """
        int4send(\(part: swapped("item_id")))
        || int4send(\(part: swapped("(CASE WHEN seconds > 2147483647 THEN seconds - 4294967296 ELSE seconds END)::int")))
        || substring(int2send(event_type) FROM 2)
        """

    /// All bit operators bind alike in SQL, from left to right.
    private static func swapped(_ number: SQL) -> SQL {
        """
        (((\(part: number) & 255) << 24) | ((\(part: number) & 65280) << 8)
            | ((\(part: number) >> 8) & 65280) | ((\(part: number) >> 24) & 255))
        """
    }
}
