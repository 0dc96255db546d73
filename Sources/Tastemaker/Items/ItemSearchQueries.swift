import Postgres

enum ItemSearchQueries {
    /// Records whose title holds the text in any case, or whose id is the text. In no order, so that the search may end at the limit.
    static func search(_ group: DatasetGroup, text: String, limit: Int, _ connection: Connection) throws -> [CatalogueItem] {
        let columns = group.displayColumns
        let pattern = "%" + escaped(text.lowercased()) + "%"
        return try connection.query(
            """
            SELECT k.external_id, r.attributes ->> \(columns.title), r.attributes ->> \(columns.link), r.attributes ->> \(columns.image),
                   r.attributes ->> \(columns.price), r.attributes ->> \(columns.category), r.attributes ->> \(columns.brand)
            FROM (
                SELECT item_id FROM item_title
                WHERE dataset_group_id = \(group.id) AND (title LIKE \(pattern) OR item_id = (
                    SELECT id FROM item_key WHERE dataset_group_id = \(group.id) AND external_id = \(text)))
                LIMIT \(Int32(limit))) AS t
            JOIN item_record r ON r.dataset_group_id = \(group.id) AND r.item_id = t.item_id
            JOIN item_key k ON k.dataset_group_id = \(group.id) AND k.id = t.item_id
            """
        ).map(decode)
    }

    static func find(_ group: DatasetGroup, itemIDs: [String], _ connection: Connection) throws -> [CatalogueItem] {
        let columns = group.displayColumns
        return try connection.query(
            """
            SELECT k.external_id, r.attributes ->> \(columns.title), r.attributes ->> \(columns.link), r.attributes ->> \(columns.image),
                   r.attributes ->> \(columns.price), r.attributes ->> \(columns.category), r.attributes ->> \(columns.brand)
            FROM item_key k
            LEFT JOIN item_record r ON r.dataset_group_id = k.dataset_group_id AND r.item_id = k.id
            WHERE k.dataset_group_id = \(group.id) AND k.external_id = ANY (\(itemIDs))
            """
        ).map(decode)
    }

    /// Users that were heard of last, by the order in which their ids were given.
    static func users(_ group: Int32, text: String, limit: Int, _ connection: Connection) throws -> [String] {
        let pattern = escaped(text) + "%"
        return try connection.query(
            """
            SELECT k.external_id FROM user_key k
            WHERE k.dataset_group_id = \(group) AND (\(text) = '' OR k.external_id LIKE \(pattern))
            ORDER BY k.id DESC LIMIT \(Int32(limit))
            """
        ).map { try $0.string(0) }
    }

    private static func decode(_ row: Row) throws -> CatalogueItem {
        CatalogueItem(
            itemID: try row.string(0),
            display: ItemDisplay(
                title: try row.optionalString(1), link: try row.optionalString(2), image: try row.optionalString(3),
                price: try row.optionalString(4), category: try row.optionalString(5)), brand: try row.optionalString(6))
    }

    private static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte == UInt8(ascii: "%") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
