extension RankingMetrics {
    /// Hits among the first k, divided by all relevant items.
    public func recall(at k: Int) -> Double {
        relevantCount > 0 ? Double(hits.prefix(k).count { $0 }) / Double(relevantCount) : 0
    }

    /// 1 when one of the first k is relevant.
    public func hit(at k: Int) -> Double { hits.prefix(k).contains(true) ? 1 : 0 }
}
