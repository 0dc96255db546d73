import Feeds
import Foundation
import JSON
import Postgres

/// What the doors of a dataset group need to know to take an event: the tracker, the money and the columns.
public struct EventDoor: Sendable {
    public let datasetGroupID: Int32
    public let trackingID: String
    /// Origins that browsers may send from.
    public let origins: [String]
    /// The site signs user ids with it.
    public let secret: [UInt8]
    /// ISO 4217.
    public let currency: String
    /// Nil while the group has no Interactions dataset: nothing can be taken then.
    let schema: AvroSchema?
    /// Of the Users dataset; nil without one.
    let userSchema: AvroSchema?

    public var isOpen: Bool { schema != nil }

    public static let closedReason = "The dataset group of the event tracker has no Interactions dataset. Create one first."

    /// Whether the site signed this id for its browser.
    public func isSigned(_ userID: String, signature: String?) -> Bool {
        guard let signature else { return false }
        return UserSignature.isValid(signature, for: userID, secret: secret)
    }
}

extension Environment {
    /// The door that a tracking id opens; nil for an id that no tracker has.
    public func openEventDoor(trackingID: String, waitMilliseconds: Int? = nil) throws(OperationError) -> EventDoor? {
        guard let id = UUID(uuidString: trackingID) else { return nil }
        return try read(waitMilliseconds: waitMilliseconds) { connection in
            guard let found = try EventDoorQueries.find(trackingID: id, connection) else { return nil }
            let schema = try found.schema.map { try DatasetSchema.parse($0, domain: found.schemaDomain, field: "trackingId") }
            let userSchema = try found.userSchema.map {
                try DatasetSchema.parse($0, domain: found.userSchemaDomain, field: "trackingId")
            }
            return EventDoor(
                datasetGroupID: found.datasetGroupID, trackingID: trackingID.lowercased(), origins: found.origins,
                secret: try openTrackerSecret(found.secretSealed), currency: found.currency, schema: schema,
                userSchema: userSchema)
        }
    }
}

enum EventDoorQueries {
    struct Found {
        let datasetGroupID: Int32
        let origins: [String]
        let secretSealed: [UInt8]
        let currency: String
        let schema: String?
        let schemaDomain: String?
        let userSchema: String?
        let userSchemaDomain: String?
    }

    /// Everything in one statement: the doors ask for it every few seconds.
    static func find(trackingID: UUID, _ connection: Connection) throws -> Found? {
        try connection.query(
            """
            SELECT t.dataset_group_id, t.origins, t.secret_sealed, g.currency, s.body, s.domain, us.body, us.domain
            FROM event_tracker t
            JOIN dataset_group g ON g.id = t.dataset_group_id
            LEFT JOIN dataset d ON d.dataset_group_id = g.id AND d.type = 'INTERACTIONS'
            LEFT JOIN schema s ON s.id = d.schema_id
            LEFT JOIN dataset ud ON ud.dataset_group_id = g.id AND ud.type = 'USERS' AND ud.status = 'ACTIVE'
            LEFT JOIN schema us ON us.id = ud.schema_id
            WHERE t.tracking_id = \(trackingID)
            """
        ).first.map { row in
            Found(
                datasetGroupID: try row.int32(0), origins: try row.strings(1), secretSealed: try row.bytes(2), currency: try row.string(3),
                schema: try row.optionalString(4), schemaDomain: try row.optionalString(5),
                userSchema: try row.optionalString(6), userSchemaDomain: try row.optionalString(7))
        }
    }
}
