import Foundation

/// What the lists for held-out users are like, beside the contract's metrics: by the names of `tastemaker evaluate`, and by popularity.
public struct ListFigures: Sendable, Equatable {
    /// A tenth of the model's items.
    public struct Tenth: Sendable, Equatable {
        /// Of all places in the lists.
        public var listedShare: Double
        /// Of all meetings of a user with an item in the training data.
        public var metShare: Double
    }

    /// `recall@10`, `ndcg@10`, `coverage@10` … to their values.
    public var values: [String: Double] = [:]
    /// Of those that are means over users.
    public var samplingErrors: [String: SamplingError] = [:]
    /// The most popular tenth first.
    public var tenths: [Tenth] = []
    public var userCount = 0

    /// More users would not change what a chart shows.
    private static let userLimit = 2000
    private static let cutoff = 10
}

extension ListFigures {
    /// Asks a model for the lists of test users, at most 2,000 spread evenly. Nil when there is nobody to ask.
    init?(_ model: Model, _ users: [TestUser]) {
        guard !users.isEmpty, model.itemCount > 0 else { return nil }
        let met = (0..<model.itemCount).map { Int32(clamping: model.distinctUsers(ofRow: $0)) }
        let people = model.properties["users"].flatMap { Int($0) } ?? 0
        let catalog = CatalogProfile(usersOfItem: met, userCount: people, more: (0..<Int32(model.itemCount)).map(\.self))
        var sums = [Double](repeating: 0, count: ListMetric.all.count)
        var squares = sums
        var listed = [Int](repeating: 0, count: model.itemCount)
        var scratch = RankingScratch()
        let asked = stride(from: 0, to: users.count, by: max(1, (users.count + Self.userLimit - 1) / Self.userLimit)).map { users[$0] }
        for user in asked {
            let list = model.rank(user.request, scratch: &scratch).items.compactMap { model.rowOfItem($0.item).map { Int32($0) } }
            // What the model does not know can be in no list, and is missed all the same.
            let truth = user.truth.sorted().enumerated().map { Int32(model.rowOfItem($1) ?? -2 - $0) }
            for (index, score) in catalog.scores(list, truth: truth).enumerated() {
                sums[index] += Double(score)
                squares[index] += Double(score) * Double(score)
            }
            for row in list.prefix(Self.cutoff) { listed[Int(row)] += 1 }
        }
        for (index, metric) in ListMetric.all.enumerated() where metric.cutoff == Self.cutoff {
            values[metric.name] = sums[index] / Double(asked.count)
            samplingErrors[metric.name] = SamplingError(sum: sums[index], squares: squares[index], userCount: asked.count)
        }
        values["coverage@\(Self.cutoff)"] = Double(listed.count { $0 > 0 }) / Double(catalog.itemCount)
        userCount = asked.count
        tenths = Self.tenths(met: met, listed: listed)
    }

    /// Of ten groups of items as equal as can be, by falling number of users.
    static func tenths(met: [Int32], listed: [Int]) -> [Tenth] {
        let order = met.indices.sorted { met[$0] > met[$1] || (met[$0] == met[$1] && $0 < $1) }
        let (allMet, allListed) = (met.reduce(0.0) { $0 + Double($1) }, Double(listed.reduce(0, +)))
        return (0..<10).map { tenth in
            let rows = order[order.count * tenth / 10..<order.count * (tenth + 1) / 10]
            return Tenth(
                listedShare: allListed > 0 ? Double(rows.reduce(0) { $0 + listed[$1] }) / allListed : 0,
                metShare: allMet > 0 ? rows.reduce(0.0) { $0 + Double(met[$1]) } / allMet : 0)
        }
    }
}
