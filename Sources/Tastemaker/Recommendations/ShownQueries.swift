import Postgres

/// A list that was shown, on its way into the log.
struct ShownList: Sendable {
    let key: Int64
    let datasetGroupID: Int32
    let at: PGTimestamp
    let placementID: Int32?
    let campaignID: Int32?
    let armID: Int32?
    /// External id of the unit; nil when the request named nobody.
    let visitor: String?
    let rung: RecommendationAnswer.Rung
    let isDegraded: Bool
    let items: [Int32]
    /// Parallel to `items`: 0 for none.
    let promotions: [Int32]
    let live: [Int32]
    let held: [Int32]
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
        // Arrays of arrays cannot be unnested, so each list travels as the text of an array.
        try connection.execute(
            """
            WITH added AS (
            INSERT INTO shown (key, dataset_group_id, shown_at, placement_id, campaign_id, arm_id, visitor_id, rung, is_degraded, items,
                promotions, live_promotions, held_promotions)
            SELECT k, g, t, p, c, a, v, r, d, i::int[], m::int[], l::int[], h::int[]
            FROM unnest(\(lists.map(\.list.key)), \(lists.map(\.list.datasetGroupID)), \(lists.map(\.list.at)),
                \(lists.map(\.list.placementID)), \(lists.map(\.list.campaignID)), \(lists.map(\.list.armID)), \(lists.map(\.visitor)), \(lists.map(\.list.rung.rawValue)),
                \(lists.map(\.list.isDegraded)), \(lists.map { text($0.list.items) }), \(lists.map { text($0.list.promotions) }),
                \(lists.map { text($0.list.live) }), \(lists.map { text($0.list.held) })) AS s(k, g, t, p, c, a, v, r, d, i, m, l, h)
            RETURNING dataset_group_id, shown_at)
            INSERT INTO activity_mark (dataset_group_id, since) SELECT dataset_group_id, min(shown_at) FROM added GROUP BY 1
            """)
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

    private static func text(_ ids: [Int32]) -> String {
        var text = "{"
        for (index, id) in ids.enumerated() {
            if index > 0 { text += "," }
            text += String(id)
        }
        return text + "}"
    }
}
