import Postgres

/// What a group without a model is answered from.
struct PopularItems: Sendable {
    /// Most distinct users first.
    let items: [(item: Int32, users: Double)]
    /// Interactions with an item, counted up to one more than the data minimum.
    let interactions: Int

    static let none = PopularItems(items: [], interactions: 0)
}

enum PopularityQueries {
    /// Bounded: a group with more interactions than this has a model, or its operator was told why not.
    private static let rowLimit: Int32 = 1_000_000
    private static let itemLimit: Int32 = 2000

    static func load(dataset: Int32, _ connection: Connection) throws -> PopularItems {
        let rows = try connection.query(
            """
            WITH recent AS MATERIALIZED (
                SELECT item_id, user_id FROM interaction WHERE dataset_id = \(dataset) AND item_id IS NOT NULL LIMIT \(rowLimit))
            SELECT item_id, count(DISTINCT user_id), count(*) FROM recent
            GROUP BY item_id ORDER BY 2 DESC, 3 DESC, 1 LIMIT \(itemLimit)
            """)
        var items: [(item: Int32, users: Double)] = []
        var interactions = 0
        for row in rows {
            items.append((try row.int32(0), Double(try row.int64(1))))
            interactions += try row.int(2)
        }
        return PopularItems(items: items, interactions: interactions)
    }
}
