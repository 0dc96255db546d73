import Foundation
import Locks
import Logging
import Postgres
import Ranking

/// Items inside an age cut-off, the least known first.
struct NewItemPool: Sendable {
    let items: [Int32]
    /// Parallel: the standard error that a rate estimated from what was seen would have, as a share of what it has before anything was
    /// seen: 1 for an item that nobody saw, falling with its interactions and its impressions.
    let bonuses: [Double]
}

/// What was counted of a group's new items.
struct NewItemCounts: Sendable {
    /// Seconds since 1970.
    let newestInteraction: Int64
    let interactions: [Int32: Int]
    let impressions: [Int32: Int]

    /// Interactions per impression over all that was counted, with one interaction in 25 impressions assumed beforehand.
    private var expectedRate: Double {
        let rate = Double(interactions.values.reduce(1, +)) / Double(impressions.values.reduce(25, +))
        return min(max(rate, 0.001), 1)
    }

    /// The upper-confidence bonus of a linear bandit with one feature (Li et al., "A Contextual-Bandit Approach to Personalized News
    /// Article Recommendation", 2010, equation 5): 1 / sqrt(1 + n), n counted in interactions; an impression is worth those expected of it.
    func bonus(of item: Int32) -> Double { bonus(of: item, expectedRate) }

    private func bonus(of item: Int32, _ rate: Double) -> Double {
        1 / (1 + Double(interactions[item] ?? 0) + rate * Double(impressions[item] ?? 0)).squareRoot()
    }

    func pool(_ catalogue: CatalogueSnapshot, ageDays: Double) -> NewItemPool {
        let since = newestInteraction - Int64(ageDays * 86_400)
        let rate = expectedRate
        let new = catalogue.newestRows.prefix { (catalogue.createdAt[Int($0)] ?? .min) >= since }
        let known = new.map { (item: $0, bonus: bonus(of: $0, rate)) }
        let sorted = known.enumerated().sorted { ($1.element.bonus, $0.offset) < ($0.element.bonus, $1.offset) }.map(\.element)
        return NewItemPool(items: sorted.map(\.item), bonuses: sorted.map(\.bonus))
    }
}

/// New items of a group and how often they were seen, counted now and then off the path of requests. Until the first count is there,
/// nothing is explored.
final class NewItemCache: Sendable {
    private struct PoolKey: Hashable {
        let catalogueRevision: Int64
        let ageDays: Double
    }

    private struct State {
        var counts: NewItemCounts?
        var pools: [PoolKey: NewItemPool] = [:]
        var dueAt = ContinuousClock.now
        var isCounting = false
    }

    /// Counting takes at most a hundredth of the time.
    private static let leastPause = Duration.seconds(30)
    private static let poolLimit = 16
    private let state = Lock(State())

    /// The new items of a campaign; nil before anything was counted.
    func pool(_ ageDays: Double, _ group: GroupSnapshot, _ catalogue: CatalogueSnapshot, _ environment: Environment) -> NewItemPool? {
        let begins = state.withLock { state in
            guard !state.isCounting, ContinuousClock.now >= state.dueAt else { return false }
            state.isCounting = true
            return true
        }
        if begins {
            let thread = Thread { [self] in count(group, catalogue, environment) }
            thread.name = "new items"
            thread.start()
        }
        let key = PoolKey(catalogueRevision: catalogue.revision, ageDays: ageDays)
        let (known, counts) = state.withLock { ($0.pools[key], $0.counts) }
        if let known { return known }
        guard let pool = counts?.pool(catalogue, ageDays: ageDays) else { return nil }
        state.withLock { state in
            if state.pools.count >= NewItemCache.poolLimit { state.pools.removeAll() }
            state.pools[key] = pool
        }
        return pool
    }

    private func count(_ group: GroupSnapshot, _ catalogue: CatalogueSnapshot, _ environment: Environment) {
        let started = ContinuousClock.now
        let longest = group.campaigns.values.filter(\.recipe.description.explores).map { Exploration($0).ageDays }.max() ?? 0
        let found: NewItemCounts?
        do {
            found = try group.interactionsDataset.flatMap { dataset in
                try environment.database.withConnection {
                    try NewItemQueries.count(dataset: dataset, groupID: group.id, catalogue, ageDays: longest, $0)
                }
            }
        } catch {
            found = nil
            Logger(label: "tastemaker.exploration").warning("new items were not counted", metadata: ["reason": "\(error)"])
        }
        let pause = max(NewItemCache.leastPause, (ContinuousClock.now - started) * 100)
        state.withLock { state in
            if let found { (state.counts, state.pools) = (found, [:]) }
            state.dueAt = ContinuousClock.now + pause
            state.isCounting = false
        }
    }
}
