import Foundation

/// A figure of one list, cut after so many places.
public struct ListMetric: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable {
        case recall, hit, ndcg, mrr, precision
        /// Mean of −log2 of the share of training users who met the item: high for what few know.
        case novelty
        /// Share of the list that stands among the tenth of the catalogue with the most users.
        case popularShare = "popular"
    }

    public var kind: Kind
    public var cutoff: Int

    public var name: String { "\(kind.rawValue)@\(cutoff)" }

    public static let cutoffs = [5, 10, 20, 25, 100]

    /// The columns of a scored list, in order.
    public static let all: [ListMetric] =
        [Kind.recall, .hit, .ndcg, .mrr, .precision].flatMap { kind in cutoffs.map { ListMetric(kind: kind, cutoff: $0) } }
        + [Kind.novelty, .popularShare].flatMap { kind in [10, 100].map { ListMetric(kind: kind, cutoff: $0) } }

    /// How many items of a list are looked at.
    public static let depth = 100
}

/// What lists are judged against: how many users met each item, and what could have been listed.
public struct CatalogProfile: Sendable {
    /// −log2 of the share of users who met the item; an item that nobody met counts as met by one.
    let surprise: [Float]
    let isPopular: [Bool]
    let isListed: [Bool]
    /// Items that could be listed.
    public let itemCount: Int

    /// - Parameters:
    ///   - more: items without events that could be listed too.
    ///   - candidates: the only items that could be listed, when there are such.
    public init(_ data: TrainingData, positions: [Int], itemLimit: Int, more: [Int32] = [], candidates: [Int32]? = nil) {
        // Events by user, so that a user counts once for an item by a look at the last one who did.
        let limit = positions.reduce(0) { max($0, Int(data.users[$1]) + 1) }
        var next = prefixSums(positions.lazy.map { Int(data.users[$0]) }, bins: limit)
        let people = (0..<limit).count { next[$0 + 1] > next[$0] }
        var ordered = [Int32](repeating: 0, count: positions.count)
        for position in positions {
            let user = Int(data.users[position])
            ordered[next[user]] = Int32(position)
            next[user] += 1
        }
        var users = [Int32](repeating: 0, count: itemLimit)
        var lastUser = [Int32](repeating: -1, count: itemLimit)
        for position in ordered {
            let (user, item) = (data.users[Int(position)], Int(data.items[Int(position)]))
            if lastUser[item] != user {
                lastUser[item] = user
                users[item] += 1
            }
        }
        self.init(usersOfItem: users, userCount: people, more: more, candidates: candidates)
    }

    init(usersOfItem users: [Int32], userCount: Int, more: [Int32] = [], candidates: [Int32]? = nil) {
        var isListed = users.map { candidates == nil && $0 > 0 }
        for item in candidates ?? more where isListed.indices.contains(Int(item)) { isListed[Int(item)] = true }
        self.isListed = isListed
        let listed = users.indices.filter { isListed[$0] }
        itemCount = listed.count
        let people = Double(max(1, userCount))
        surprise = users.map { Float(-log2(Double(max(1, $0)) / people)) }
        var popular = [Bool](repeating: false, count: users.count)
        let ranked = listed.sorted { users[$0] > users[$1] || (users[$0] == users[$1] && $0 < $1) }
        // What nobody met is not popular, even where nothing else could be listed.
        for item in ranked.prefix((listed.count + 9) / 10) where users[item] > 0 { popular[item] = true }
        isPopular = popular
    }

    /// Could the item be listed? False for numbers that belong to no item.
    func lists(_ item: Int32) -> Bool { isListed.indices.contains(Int(item)) && isListed[Int(item)] }

    /// The values of `ListMetric.all` for one list.
    public func scores(_ list: some Collection<Int32>, truth: [Int32]) -> [Float] {
        let items = Array(list.prefix(ListMetric.depth))
        let relevant = Set(truth)
        let judged = RankingMetrics(hits: items.map { relevant.contains($0) }, relevantCount: relevant.count)
        return ListMetric.all.map { metric in
            switch metric.kind {
            case .recall: Float(judged.recall(at: metric.cutoff))
            case .hit: Float(judged.hit(at: metric.cutoff))
            case .ndcg: Float(judged.ndcg(at: metric.cutoff))
            case .mrr: Float(judged.reciprocalRank(at: metric.cutoff))
            case .precision: Float(judged.precision(at: metric.cutoff))
            case .novelty: mean(items.prefix(metric.cutoff)) { surprise[$0] }
            case .popularShare: mean(items.prefix(metric.cutoff)) { isPopular[$0] ? 1 : 0 }
            }
        }
    }

    /// Over the items of the catalogue: what could not be listed has no popularity.
    private func mean(_ items: ArraySlice<Int32>, _ value: (Int) -> Float) -> Float {
        var sum: Float = 0
        var count = 0
        for item in items where lists(item) {
            sum += value(Int(item))
            count += 1
        }
        return count == 0 ? 0 : sum / Float(count)
    }
}
