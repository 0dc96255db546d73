import Postgres

/// A list that was shown, on its way into the log.
struct ShownList: Sendable {
    let key: Int64
    let datasetGroupID: Int32
    let at: PGTimestamp
    let placementID: Int32?
    let campaignID: Int32?
    let armID: Int32?
    let visitor: Visitor
    let rung: RecommendationAnswer.Rung
    let isDegraded: Bool
    let items: [Int32]
    /// Parallel to `items`: 0 for none.
    let promotions: [Int32]
    let live: [Int32]
    let held: [Int32]
    /// Parallel to `items`; nil when nothing was left to chance.
    let propensities: [Float]?

    enum Visitor: Sendable {
        case nobody
        case known(Int32)
        /// An external id that had no number yet when the answer was made.
        case new(String)
    }
}

/// A unit that saw an arm for the first time, as far as this process knows.
struct NewExposure: Sendable, Hashable {
    let experimentID: Int32
    let armID: Int32
    let datasetGroupID: Int32
    let unit: String
    let at: PGTimestamp
}

enum ShownQueries {
    /// The visitor of lists that were asked for without naming anybody.
    static let nobody: Int32 = -1

    static func intern(_ visitors: [String], groupID: Int32, _ connection: Connection) throws -> [Int32] {
        guard !visitors.isEmpty else { return [] }
        return try connection.query("SELECT intern_users(\(groupID), \(visitors))").first?.int32s(0) ?? []
    }

    static func insert(_ lists: [(list: ShownList, visitor: Int32)], _ connection: Connection) throws {
        try connection.transaction { connection in
            // COPY takes the arrays in binary: half the cost of INSERT for the server and for us.
            try connection.copyIn(
                """
                shown (key, dataset_group_id, shown_at, placement_id, campaign_id, arm_id, visitor_id, rung, is_degraded, items, promotions,
                    live_promotions, held_promotions, propensities)
                """
            ) { (writer: inout CopyWriter) throws(PostgresError) in
                for (list, visitor) in lists { try write(list, visitor: visitor, to: &writer) }
            }
            try connection.execute(
                """
                INSERT INTO activity_mark (dataset_group_id, since)
                SELECT g, min(t) FROM unnest(\(lists.map(\.list.datasetGroupID)), \(lists.map(\.list.at))) AS s(g, t) GROUP BY 1
                """)
        }
    }

    private static func write(_ list: ShownList, visitor: Int32, to writer: inout CopyWriter) throws(PostgresError) {
        try writer.startRow(columns: 14)
        writer.int64(list.key)
        writer.int32(list.datasetGroupID)
        writer.timestamp(list.at)
        writer.value(list.placementID)
        writer.value(list.campaignID)
        writer.value(list.armID)
        writer.int32(visitor)
        writer.text(list.rung.rawValue)
        writer.bool(list.isDegraded)
        writer.array(list.items)
        writer.array(list.promotions)
        writer.array(list.live)
        writer.array(list.held)
        if let propensities = list.propensities { writer.array(propensities) } else { writer.value(Float?.none) }
    }

    /// The stored row wins: a unit keeps its first arm and time.
    static func insertExposures(_ exposures: [(exposure: NewExposure, unit: Int32)], _ connection: Connection) throws {
        try connection.execute(
            """
            WITH added AS (
            INSERT INTO exposure (experiment_id, unit_id, arm_id, exposed_at)
            SELECT e, u, a, t
            FROM unnest(\(exposures.map(\.exposure.experimentID)), \(exposures.map(\.unit)), \(exposures.map(\.exposure.armID)),
                \(exposures.map(\.exposure.at))) AS x(e, u, a, t)
            ON CONFLICT DO NOTHING
            RETURNING experiment_id, exposed_at)
            INSERT INTO activity_mark (dataset_group_id, since)
            SELECT e.dataset_group_id, min(a.exposed_at) FROM added a JOIN experiment e ON e.id = a.experiment_id GROUP BY 1
            """)
    }
}
