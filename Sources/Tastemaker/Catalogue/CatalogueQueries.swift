import JSON
import Postgres

/// An item as it is stored: its key, and its record where it has one.
struct CatalogueRow {
    let id: Int32
    let externalID: [UInt8]
    let createdAt: Int64?
    /// Nil: known from interactions only.
    let attributes: JSONValue?
}

enum CatalogueQueries {
    static func revision(_ groupID: Int32, _ connection: Connection) throws -> GroupRevision? {
        try connection.query(
            "SELECT resources, catalogue, catalogue_base, actions FROM group_revision WHERE dataset_group_id = \(groupID)"
        ).first.map {
            GroupRevision(
                resources: try $0.int64(0), catalogue: try $0.int64(1), catalogueBase: try $0.int64(2), actions: try $0.int64(3))
        }
    }

    /// Every item, by ascending id.
    static func all(_ groupID: Int32, _ connection: Connection, _ body: (CatalogueRow) -> Void) throws {
        try connection.copyOut(
            """
            SELECT k.id, k.external_id, r.created_at, r.attributes::text
            FROM item_key k LEFT JOIN item_record r ON r.dataset_group_id = k.dataset_group_id AND r.item_id = k.id
            WHERE k.dataset_group_id = \(groupID) ORDER BY k.id
            """
        ) { row in
            body(try decode(&row))
        }
    }

    /// Items whose record changed after a revision, or whose id is new, by ascending id.
    static func changed(
        _ groupID: Int32, since revision: Int64, from firstNewID: Int32, _ connection: Connection, _ body: (CatalogueRow) -> Void
    ) throws {
        try connection.copyOut(
            """
            SELECT k.id, k.external_id, r.created_at, r.attributes::text
            FROM item_record r JOIN item_key k ON k.dataset_group_id = r.dataset_group_id AND k.id = r.item_id
            WHERE r.dataset_group_id = \(groupID) AND r.revision > \(revision) AND k.id < \(firstNewID)
            UNION ALL
            SELECT k.id, k.external_id, r.created_at, r.attributes::text
            FROM item_key k LEFT JOIN item_record r ON r.dataset_group_id = k.dataset_group_id AND r.item_id = k.id
            WHERE k.dataset_group_id = \(groupID) AND k.id >= \(firstNewID)
            ORDER BY 1
            """
        ) { row in
            body(try decode(&row))
        }
    }

    private static func decode(_ row: inout CopyReader) throws -> CatalogueRow {
        let id = try row.int32()
        let externalID = try row.bytes()
        let createdAt = try row.optionalInt64()
        let attributes = try row.optionalBytes().flatMap { try? JSONValue(parsing: $0) }
        return CatalogueRow(id: id, externalID: externalID, createdAt: createdAt, attributes: attributes)
    }
}
