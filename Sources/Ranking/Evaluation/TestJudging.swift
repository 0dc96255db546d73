/// Judges the answer about one held-out user, with the metrics that only some configurations have.
struct TestJudging {
    private let rewards: ItemRewards?
    /// Weight per event type over the mean weight of the configured types; nil without an events configuration.
    private let gains: [Double]?

    private static let depth = 25
    /// The longest list that the contract's runtime gives.
    private static let longestList = 500

    init(_ data: TrainingData, _ configuration: FitConfiguration) throws(FitError) {
        if let objective = configuration.objective { rewards = try ItemRewards(objective, data.itemMetadata) } else { rewards = nil }
        if configuration.eventWeights.isEmpty {
            gains = nil
        } else {
            let mean = configuration.eventWeights.reduce(0) { $0 + $1.weight } / Double(configuration.eventWeights.count)
            gains = data.eventTypeNames.map { name in
                (configuration.eventWeights.first { $0.eventType.utf8.elementsEqual(name.utf8) }?.weight ?? 0) / mean
            }
        }
    }

    func judge(_ user: TestUser, _ model: Model, _ scratch: inout RankingScratch, _ sums: inout MetricSums) {
        var request = user.request
        if rewards != nil { request.count = Self.longestList }
        let items = model.rank(request, scratch: &scratch).items.map(\.item)
        sums.add(RankingMetrics(hits: items.prefix(Self.depth).map { user.truth.contains($0) }, relevantCount: user.truth.count))
        if gains != nil {
            let list = items.map { user.truth.contains($0) ? gain(of: $0, user) : 0 }
            sums.add(
                RankingMetrics.ndcg(gains: list, all: user.truth.map { gain(of: $0, user) }, at: Self.depth),
                to: "normalized_discounted_cumulative_gain_with_event_weights_at_k")
        }
        if let rewards, let average = averageReward(items, user, rewards) { sums.add(average, to: "average_rewards_at_k") }
    }

    /// An item that the user met in several ways counts by the most important one.
    private func gain(of item: Int32, _ user: TestUser) -> Double {
        (user.truthTypes[item] ?? []).map { Int($0) < (gains?.count ?? 0) ? gains?[Int($0)] ?? 0 : 0 }.max() ?? 0
    }

    /// The reward of what the user met among the first 25, over the reward of what the user met in the whole list; nil when that
    /// earned nothing.
    private func averageReward(_ items: [Int32], _ user: TestUser, _ rewards: ItemRewards) -> Double? {
        func sum(_ items: ArraySlice<Int32>) -> Double {
            items.reduce(0) { $0 + (user.truth.contains($1) ? rewards.reward(of: $1, least: rewards.least) : 0) }
        }
        let all = sum(items[...])
        return all > 0 ? sum(items.prefix(Self.depth)) / all : nil
    }
}
