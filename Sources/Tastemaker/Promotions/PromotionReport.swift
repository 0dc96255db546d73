public import Postgres

/// What a promotion earned: visitors who could meet it, served against held out.
public struct PromotionReport: Sendable {
    public let served: OutcomeTotals
    public let heldOut: OutcomeTotals
    /// Met it on both sides because its hold-out was changed: in neither sum.
    public let mixedVisitors: Int
    /// Nil when it was never published.
    public let since: PGTimestamp?
    /// Days after a visitor's first list with it live in which what the visitor does counts.
    public let windowDays: Int
    /// Served minus held out, for each metric; nil where nothing can be said yet.
    public let revenue: EffectEstimate?
    public let conversion: EffectEstimate?
    public let clickThrough: EffectEstimate?

    public static let windowDays: Int32 = 7

    /// Fewer than 100 visitors, or fewer than 10 with an order, on a side.
    public var isEarly: Bool { revenue?.isEarly ?? true }
}

extension Environment {
    /// Visitors, clicks, orders and revenue of both sides of a promotion's hold-out, from the first list on that it could have changed.
    public func promotionReport(_ id: Int32, by caller: Caller) throws(OperationError) -> PromotionReport {
        let (group, since) = try read { connection in
            let found = try promotion(id, by: caller, connection)
            return (try datasetGroup(id: found.datasetGroupID, connection), try PromotionQueries.firstPublished(id, connection))
        }
        guard let since else { return PromotionReport(served: OutcomeTotals(), heldOut: OutcomeTotals(), mixed: 0, since: nil) }
        let totals = try outcome(ofPromotion: id, since: since, in: group)
        return PromotionReport(
            served: totals[1] ?? OutcomeTotals(), heldOut: totals[0] ?? OutcomeTotals(), mixed: totals[2]?.units ?? 0, since: since)
    }

    func outcome(ofPromotion id: Int32, since: PGTimestamp, in group: DatasetGroup) throws(OperationError) -> [Int32: OutcomeTotals] {
        try keptOutcome(outcomeSubject(ofPromotion: id, since: since, in: group), in: group)
    }

    func outcomeSubject(ofPromotion id: Int32, since: PGTimestamp, in group: DatasetGroup) -> OutcomeSubject {
        let until = now()
        let lists: SQL =
            """
            SELECT visitor_id AS unit_id, key, shown_at, \(id) = ANY (held_promotions) AS is_held FROM shown
            WHERE dataset_group_id = \(group.id) AND shown_at >= \(since) AND shown_at <= \(until) AND visitor_id >= 0
              AND \(id) = ANY (live_promotions)
            """
        let units: SQL =
            """
            SELECT unit_id, CASE WHEN bool_and(is_held) THEN 0 WHEN bool_or(is_held) THEN 2 ELSE 1 END AS side, min(shown_at) AS since
            FROM (\(part: lists)) AS l GROUP BY unit_id
            """
        return OutcomeSubject(
            kind: .promotion, id: id, convertingEvent: "Purchase", windowDays: PromotionReport.windowDays, earliest: since, until: until,
            units: units, lists: lists, endsAt: nil)
    }
}

extension PromotionReport {
    init(served: OutcomeTotals, heldOut: OutcomeTotals, mixed: Int, since: PGTimestamp?) {
        self.served = served
        self.heldOut = heldOut
        mixedVisitors = mixed
        self.since = since
        windowDays = Int(Self.windowDays)
        revenue = EffectEstimate(.revenue, control: heldOut, treatment: served)
        conversion = EffectEstimate(.conversion, control: heldOut, treatment: served)
        clickThrough = EffectEstimate(.clickThrough, control: heldOut, treatment: served)
    }
}
