import Postgres

enum PlacementQueries {
    private static let columns: SQL =
        """
        p.id, p.dataset_group_id, p.name, p.title, p.purpose, p.campaign_id, c.name, p.filter_id, f.name, p.item_count, p.fallback,
        p.is_automatic, p.created_at, p.updated_at
        """
    private static let source: SQL =
        "placement p LEFT JOIN campaign c ON c.id = p.campaign_id LEFT JOIN filter f ON f.id = p.filter_id"

    private static func decode(_ row: Row) throws -> Placement {
        Placement(
            id: try row.int32(0), datasetGroupID: try row.int32(1), name: try row.string(2), title: try row.string(3),
            purpose: Placement.Purpose(rawValue: try row.string(4)) ?? .forYou, campaignID: try row.optionalInt32(5),
            campaignName: try row.optionalString(6), filterID: try row.optionalInt32(7), filterName: try row.optionalString(8),
            itemCount: Int(try row.int16(9)), fallback: Placement.Fallback(rawValue: try row.string(10)) ?? .popular,
            isAutomatic: try row.bool(11), createdAt: try row.timestamp(12), updatedAt: try row.timestamp(13))
    }

    /// The values that an input's names stand for.
    struct References {
        let campaignID: Int32?
        let filterID: Int32?
    }

    static func insert(
        _ input: PlacementInput, _ references: References, datasetGroupID: Int32, at now: PGTimestamp, _ connection: Connection
    ) throws {
        try connection.execute(
            """
            INSERT INTO placement (
                dataset_group_id, name, title, purpose, campaign_id, filter_id, item_count, fallback, is_automatic, created_at, updated_at)
            VALUES (\(datasetGroupID), \(input.name), \(input.title), \(input.purpose.rawValue), \(references.campaignID),
                    \(references.filterID), \(Int16(input.itemCount)), \(input.fallback.rawValue), \(input.isAutomatic), \(now), \(now))
            """)
    }

    static func update(
        _ id: Int32, _ input: PlacementInput, _ references: References, at now: PGTimestamp, _ connection: Connection
    ) throws {
        try connection.execute(
            """
            UPDATE placement
            SET name = \(input.name), title = \(input.title), purpose = \(input.purpose.rawValue), campaign_id = \(references.campaignID),
                filter_id = \(references.filterID), item_count = \(Int16(input.itemCount)), fallback = \(input.fallback.rawValue),
                is_automatic = \(input.isAutomatic), updated_at = \(now)
            WHERE id = \(id)
            """)
    }

    static func find(id: Int32, _ connection: Connection) throws -> Placement? {
        try connection.query("SELECT \(part: columns) FROM \(part: source) WHERE p.id = \(id)").first.map(decode)
    }

    static func find(name: String, datasetGroupID: Int32, _ connection: Connection) throws -> Placement? {
        try connection.query(
            "SELECT \(part: columns) FROM \(part: source) WHERE p.dataset_group_id = \(datasetGroupID) AND p.name = \(name)"
        ).first.map(decode)
    }

    /// In the order in which they were made.
    static func list(datasetGroupID: Int32, _ connection: Connection) throws -> [Placement] {
        try connection.query(
            "SELECT \(part: columns) FROM \(part: source) WHERE p.dataset_group_id = \(datasetGroupID) ORDER BY p.id"
        ).map(decode)
    }

    static func delete(_ id: Int32, _ connection: Connection) throws {
        try connection.execute("DELETE FROM placement WHERE id = \(id)")
    }
}
