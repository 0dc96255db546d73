import Foundation

extension RankingMetrics {
    /// NDCG whose relevant items differ in worth: gain / log2(1 + rank) summed over the first k, divided by the same of the best order.
    /// - Parameters:
    ///   - gains: of the list's items, 0 for irrelevant ones.
    ///   - all: of all relevant items, listed or not.
    static func ndcg(gains: [Double], all: [Double], at k: Int) -> Double {
        func discounted(_ gains: some Sequence<Double>) -> Double {
            gains.prefix(k).enumerated().reduce(0) { $0 + $1.element / log2(Double($1.offset) + 2) }
        }
        let ideal = discounted(all.sorted(by: >))
        return ideal > 0 ? discounted(gains) / ideal : 0
    }
}
