public import Postgres

/// What a worker compares its snapshots with. Read in the same point read as a user's history.
public struct GroupRevision: Sendable, Equatable {
    /// Campaigns, filters, placements, promotions, experiments, models.
    public var resources: Int64
    /// Item and user records.
    public var catalogue: Int64
    /// A snapshot of the catalogue older than this is loaded whole again.
    public var catalogueBase: Int64
    /// Action records.
    public var actions: Int64

    public init(resources: Int64, catalogue: Int64, catalogueBase: Int64, actions: Int64) {
        self.resources = resources
        self.catalogue = catalogue
        self.catalogueBase = catalogueBase
        self.actions = actions
    }
}

extension Environment {
    /// The channel on which workers hear that a group changed. The payload is the group's id.
    public static let changeChannel = "tastemaker_change"

    /// Makes every worker reload the group's resources before its next answer. Last statement of a change: it locks the group's counters.
    public func bumpResources(_ connection: Connection, datasetGroupID: Int32) throws {
        try connection.execute("UPDATE group_revision SET resources = resources + 1 WHERE dataset_group_id = \(datasetGroupID)")
        try connection.execute("SELECT pg_notify(\(Environment.changeChannel), \(String(datasetGroupID)))")
    }

    /// The revision under which changed records are written. `whole` makes workers load the catalogue anew: deletions and FULL imports.
    public func nextCatalogueRevision(_ connection: Connection, datasetGroupID: Int32, whole: Bool = false) throws -> Int64 {
        let rows = try connection.query(
            """
            UPDATE group_revision
            SET catalogue = catalogue + 1,
                catalogue_base = CASE WHEN \(whole) THEN catalogue + 1 ELSE catalogue_base END
            WHERE dataset_group_id = \(datasetGroupID)
            RETURNING catalogue
            """)
        guard let row = rows.first else { throw OperationError.notFound("The dataset group is gone.") }
        return try row.int64(0)
    }

    /// Makes every worker load the group's actions before its next answer from them.
    func nextActionRevision(_ connection: Connection, datasetGroupID: Int32) throws -> Int64 {
        let rows = try connection.query(
            "UPDATE group_revision SET actions = actions + 1 WHERE dataset_group_id = \(datasetGroupID) RETURNING actions")
        guard let row = rows.first else { throw OperationError.notFound("The dataset group is gone.") }
        return try row.int64(0)
    }

    /// Tells workers of new records. Not from an event transaction: NOTIFY serialises commits.
    public func notifyCatalogue(_ connection: Connection, datasetGroupID: Int32) throws {
        try connection.execute("SELECT pg_notify(\(Environment.changeChannel), \(String(datasetGroupID)))")
    }
}
