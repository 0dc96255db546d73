import Postgres

enum NewItemQueries {
    /// Lists that are looked at for what was seen; a sample is enough where there are more.
    private static let listLimit: Int32 = 100_000

    /// Nil for a dataset without interactions.
    static func count(
        dataset: Int32, groupID: Int32, _ catalogue: CatalogueSnapshot, ageDays: Double, _ connection: Connection
    ) throws -> NewItemCounts? {
        let newest = try connection.query("SELECT max(occurred_at) FROM interaction WHERE dataset_id = \(dataset)")
        guard let newest = try newest.first?.optionalTimestamp(0) else { return nil }
        let since = newest.adding(seconds: -Int64(ageDays * 86_400))
        let items = Array(catalogue.newestRows.prefix { Double(catalogue.createdAt[Int($0)] ?? .min) >= since.seconds })
        guard !items.isEmpty else { return NewItemCounts(newestInteraction: Int64(newest.seconds), interactions: [:], impressions: [:]) }
        let interactions = try connection.query(
            """
            SELECT item_id, count(*) FROM interaction
            WHERE dataset_id = \(dataset) AND occurred_at >= \(since) AND item_id = ANY (\(items)) GROUP BY item_id
            """)
        return NewItemCounts(
            newestInteraction: Int64(newest.seconds), interactions: try counts(interactions),
            impressions: try seen(items, groupID: groupID, since: since, connection)
                .merging(imported(items, dataset: dataset, groupID: groupID, since: since, connection), uniquingKeysWith: +))
    }

    /// What pages reported as seen; where none does, the lists that were handed out.
    private static func seen(_ items: [Int32], groupID: Int32, since: PGTimestamp, _ connection: Connection) throws -> [Int32: Int] {
        let reported = try counts(
            connection.query(
                """
                SELECT item_id, count(*) FROM impression
                WHERE dataset_group_id = \(groupID) AND received_at >= \(since) AND item_id = ANY (\(items)) GROUP BY item_id
                """))
        guard reported.isEmpty else { return reported }
        return try counts(
            connection.query(
                """
                SELECT item, count(*) FROM (
                    SELECT items FROM shown
                    WHERE dataset_group_id = \(groupID) AND shown_at >= \(since) AND propensities IS NOT NULL LIMIT \(listLimit)
                ) AS list CROSS JOIN unnest(list.items) AS item
                WHERE item = ANY (\(items)) GROUP BY item
                """))
    }

    /// What imported events say was shown beside them. Streamed ones are among those reported.
    private static func imported(
        _ items: [Int32], dataset: Int32, groupID: Int32, since: PGTimestamp, _ connection: Connection
    ) throws -> [Int32: Int] {
        try counts(
            connection.query(
                """
                SELECT k.id, sum(list.events)::bigint FROM (
                    SELECT properties->>'IMPRESSION' AS impression, count(*) AS events FROM interaction
                    WHERE dataset_id = \(dataset) AND part > 0 AND occurred_at >= \(since) AND jsonb_exists(properties, 'IMPRESSION')
                    GROUP BY 1
                ) AS list CROSS JOIN unnest(string_to_array(list.impression, '|')) AS shown(id)
                JOIN item_key k ON k.dataset_group_id = \(groupID) AND k.external_id = shown.id
                WHERE k.id = ANY (\(items)) GROUP BY 1
                """))
    }

    private static func counts(_ rows: Rows) throws -> [Int32: Int] {
        Dictionary(try rows.map { (try $0.int32(0), try $0.int(1)) }) { first, _ in first }
    }
}
