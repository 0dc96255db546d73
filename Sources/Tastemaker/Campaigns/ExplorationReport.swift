import Postgres
public import Statistics

/// What a campaign's exploration found, from the lists that it left to chance and what visitors did on them.
public struct ExplorationReport: Sendable {
    /// Places of one kind, and how many of them somebody did something on.
    public struct Places: Sendable, Equatable {
        public var shown = 0
        public var met = 0

        public var share: Double? { shown > 0 ? Double(met) / Double(shown) : nil }
    }

    /// Fewer than four weeks where these hold more lists than are counted.
    public let days: Int
    /// Places that showed a new item by chance.
    public var explored = Places()
    /// Places that could have, and kept the ranking's own item.
    public var own = Places()
    /// Share of the same places that would be met without exploration: the own items, weighted by one over their propensities.
    public var withoutExploration = OffPolicyEstimate()
}

extension Environment {
    /// Over the lists of the last 28 days, or of fewer where that is more than 50,000. Counted when it is asked for: nothing else needs it.
    public func explorationReport(campaignARN: String, by caller: Caller) throws(OperationError) -> ExplorationReport {
        try read { connection in
            let campaign = try campaign(arn: campaignARN, by: caller, connection)
            return try ExplorationReportQueries.report(campaign, now: now(), connection)
        }
    }
}

enum ExplorationReportQueries {
    private static let windows = [28, 14, 7, 3, 1]

    /// A place that was left to chance has a propensity below 1; a new item's is below a half, the own item's above (see `Exploration`).
    static func report(
        _ campaign: Campaign, listLimit: Int32 = 50_000, now: PGTimestamp, _ connection: Connection
    ) throws -> ExplorationReport {
        let days = try days(campaign, listLimit, now, connection)
        var report = ExplorationReport(days: days)
        let since = beginning(days, now)
        let rows = try connection.query(
            """
            WITH list AS MATERIALIZED (
                SELECT key, items, propensities FROM shown
                WHERE dataset_group_id = \(campaign.datasetGroupID) AND campaign_id = \(campaign.id) AND shown_at >= \(since)
                  AND propensities IS NOT NULL
                LIMIT \(listLimit)),
            place AS (
                SELECT list.key, place.item, place.propensity::float8 AS p
                FROM list CROSS JOIN unnest(list.items, list.propensities) AS place(item, propensity) WHERE place.propensity < 1),
            met AS (
                SELECT DISTINCT i.recommendation AS key, i.item_id AS item
                FROM interaction i JOIN dataset d ON d.id = i.dataset_id
                WHERE d.dataset_group_id = \(campaign.datasetGroupID) AND d.type = 'INTERACTIONS' AND i.part < 0
                  AND i.occurred_at >= \(since) AND i.recommendation IN (SELECT key FROM list)),
            judged AS (
                SELECT p, (met.key IS NOT NULL)::int AS reward FROM place LEFT JOIN met ON met.key = place.key AND met.item = place.item)
            SELECT p < 0.5, count(*), sum(reward), sum(1 / p), sum(1 / (p * p)), sum(reward / p), sum(reward / (p * p))
            FROM judged GROUP BY 1
            """)
        for row in rows {
            let places = ExplorationReport.Places(shown: try row.int(1), met: try row.int(2))
            if try row.bool(0) {
                report.explored = places
            } else {
                report.own = places
                // Rewards are 0 or 1, so their squares are themselves.
                report.withoutExploration = OffPolicyEstimate(
                    count: places.shown, weight: try row.double(3), squaredWeight: try row.double(4), reward: try row.double(5),
                    weightedReward: try row.double(6), squaredReward: try row.double(6))
            }
        }
        return report
    }

    /// The longest window whose lists are all counted. To sort the lists of four weeks by their moment would take a second for a million;
    /// to count until there are too many takes some milliseconds.
    private static func days(_ campaign: Campaign, _ listLimit: Int32, _ now: PGTimestamp, _ connection: Connection) throws -> Int {
        for days in windows.dropLast() {
            let rows = try connection.query(
                """
                SELECT count(*) FROM (
                    SELECT FROM shown
                    WHERE dataset_group_id = \(campaign.datasetGroupID) AND campaign_id = \(campaign.id)
                      AND shown_at >= \(beginning(days, now)) AND propensities IS NOT NULL
                    LIMIT \(listLimit + 1)) AS list
                """)
            if let count = try rows.first?.int(0), count <= Int(listLimit) { return days }
        }
        return windows[windows.count - 1]
    }

    private static func beginning(_ days: Int, _ now: PGTimestamp) -> PGTimestamp { now.adding(seconds: Int64(-days) * 86_400) }
}
