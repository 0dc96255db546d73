import Foundation
import Postgres

enum EventTrackerQueries {
    private static let columns: SQL =
        "t.id, t.dataset_group_id, g.name, t.name, t.suffix, t.tracking_id, t.origins, t.status, t.created_at, t.updated_at"
    private static let source: SQL = "event_tracker t JOIN dataset_group g ON g.id = t.dataset_group_id"

    private static func decode(_ row: Row) throws -> EventTracker {
        EventTracker(
            id: try row.int32(0), datasetGroupID: try row.int32(1), datasetGroupName: try row.string(2), name: try row.string(3),
            suffix: try row.string(4), trackingID: try row.uuid(5).uuidString.lowercased(), origins: try row.strings(6),
            status: ResourceStatus(rawValue: try row.string(7)) ?? .createFailed, createdAt: try row.timestamp(8),
            updatedAt: try row.timestamp(9))
    }

    struct NewTracker {
        let name: String
        let datasetGroupID: Int32
        let suffix: String
        let secretSealed: [UInt8]
        let origins: [String]
    }

    static func insert(_ new: NewTracker, at now: PGTimestamp, _ connection: Connection) throws -> Int32 {
        let rows = try connection.query(
            """
            INSERT INTO event_tracker (dataset_group_id, name, suffix, tracking_id, secret_sealed, origins, status, created_at, updated_at)
            VALUES (\(new.datasetGroupID), \(new.name), \(new.suffix), gen_random_uuid(), \(new.secretSealed), \(new.origins), 'ACTIVE',
                    \(now), \(now))
            RETURNING id
            """)
        guard let row = rows.first else { throw OperationError.unavailable("The event tracker was not stored.") }
        return try row.int32(0)
    }

    static func exists(name: String, _ connection: Connection) throws -> Bool {
        try connection.query("SELECT 1 FROM event_tracker WHERE name = \(name)").first != nil
    }

    static func find(suffix: String, _ connection: Connection) throws -> EventTracker? {
        try connection.query("SELECT \(part: columns) FROM \(part: source) WHERE t.suffix = \(suffix)").first.map(decode)
    }

    static func find(id: Int32, _ connection: Connection) throws -> EventTracker? {
        try connection.query("SELECT \(part: columns) FROM \(part: source) WHERE t.id = \(id)").first.map(decode)
    }

    static func find(ofGroup id: Int32, _ connection: Connection) throws -> EventTracker? {
        try connection.query("SELECT \(part: columns) FROM \(part: source) WHERE t.dataset_group_id = \(id)").first.map(decode)
    }

    static func list(ofGroup id: Int32?, after cursor: PageCursor?, limit: Int, _ connection: Connection) throws -> [EventTracker] {
        try connection.query(
            """
            SELECT \(part: columns) FROM \(part: source)
            WHERE (\(id)::int IS NULL OR t.dataset_group_id = \(id))
              AND (\(cursor?.createdAt)::timestamptz IS NULL OR (t.created_at, t.id) < (\(cursor?.createdAt), \(cursor?.id)))
            ORDER BY t.created_at DESC, t.id DESC LIMIT \(Int32(limit))
            """
        ).map(decode)
    }

    static func secretSealed(_ id: Int32, _ connection: Connection) throws -> [UInt8]? {
        try connection.query("SELECT secret_sealed FROM event_tracker WHERE id = \(id)").first?.bytes(0)
    }

    static func updateOrigins(_ id: Int32, _ origins: [String], at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute("UPDATE event_tracker SET origins = \(origins), updated_at = \(now) WHERE id = \(id)")
    }

    static func updateSecret(_ id: Int32, sealed: [UInt8], at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute("UPDATE event_tracker SET secret_sealed = \(sealed), updated_at = \(now) WHERE id = \(id)")
    }

    static func delete(_ id: Int32, _ connection: Connection) throws {
        try connection.execute("DELETE FROM event_tracker WHERE id = \(id)")
    }
}
