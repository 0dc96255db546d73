import Statistics
import Testing

@testable import Tastemaker

/// The policy's probabilities are what it does, and what they are logged for can be done with them.
struct ExplorationPolicyTests {
    static let open = [false, false, true, true, false, true, true]
    static let policy = ExplorationPolicy(rate: 0.4, candidates: [(10, 1.5), (11, 1.2), (12, 0.9)])

    private struct Shown: Hashable {
        let place: Int
        let item: Int32?
    }

    @Test func `logged propensities are the frequencies of a hundred thousand lists`() {
        var generator = Tastemaker.SeededGenerator(1)
        var counts: [Shown: Int] = [:]
        var propensities: [Shown: Double] = [:]
        let lists = 100_000
        for _ in 0..<lists {
            for (place, shown) in Self.policy.draw(open: Self.open, using: &generator).enumerated() {
                let key = Shown(place: place, item: shown.newItem)
                counts[key, default: 0] += 1
                if let known = propensities[key] { #expect(known == shown.propensity) }
                propensities[key] = shown.propensity
            }
        }
        #expect(counts.count == 3 + 4 * 4)
        for (key, count) in counts {
            let expected = propensities[key] ?? 0
            let error = (expected * (1 - expected) / Double(lists)).squareRoot()
            #expect(abs(Double(count) / Double(lists) - expected) <= 4.5 * error, "\(key)")
        }
    }

    @Test func `the probabilities of a place add up to one`() {
        var generator = Tastemaker.SeededGenerator(2)
        var found: [Int: [Int32?: Double]] = [:]
        for _ in 0..<20_000 {
            for (place, shown) in Self.policy.draw(open: Self.open, using: &generator).enumerated() {
                found[place, default: [:]][shown.newItem] = shown.propensity
            }
        }
        for (_, shares) in found { #expect(abs(shares.values.reduce(0, +) - 1) < 1e-12) }
    }

    @Test func `no list shows a new item twice`() {
        let eager = ExplorationPolicy(rate: 1, candidates: [(1, 0), (2, 0)])
        var generator = Tastemaker.SeededGenerator(3)
        for _ in 0..<1000 {
            let items = eager.draw(open: [Bool](repeating: true, count: 12), using: &generator).compactMap(\.newItem)
            #expect(Set(items).count == items.count)
        }
    }

    @Test func `the higher index is the likelier, and a closed place is certain`() {
        let proposals = Self.policy.proposals
        #expect(proposals == proposals.sorted(by: >))
        #expect(abs(proposals.reduce(0, +) - 0.4) < 1e-12)
        var generator = Tastemaker.SeededGenerator(4)
        #expect(Self.policy.draw(open: [false], using: &generator) == [.init(newItem: nil, propensity: 1)])
    }

    /// Clicks depend on item and place. The lists are shown by one policy; what they tell of another is compared with the truth.
    @Test func `the logged lists tell the click rate of policies that were never shown`() throws {
        let base: [Int32] = [1, 2, 3, 4, 5, 6, 7]
        func rate(_ item: Int32, _ place: Int) -> Double { (item >= 10 ? 0.02 * Double(item - 8) : 0.1 / Double(item)) / Double(place + 1) }
        var generator = Tastemaker.SeededGenerator(5)
        var without = OffPolicyEstimate()
        var greedy = OffPolicyEstimate()
        for _ in 0..<200_000 {
            for (place, shown) in Self.policy.draw(open: Self.open, using: &generator).enumerated() where Self.open[place] {
                let item = shown.newItem ?? base[place]
                let click = Double.random(in: 0..<1, using: &generator) < rate(item, place) ? 1.0 : 0
                without.add(reward: click, propensity: shown.propensity, target: shown.newItem == nil ? 1 : 0)
                // The new item 12 always at place 5, the ranking elsewhere.
                let wanted: Int32? = place == 5 ? 12 : nil
                greedy.add(reward: click, propensity: shown.propensity, target: shown.newItem == wanted ? 1 : 0)
            }
        }
        let places = Self.open.indices.filter { Self.open[$0] }
        let plain = places.map { rate(base[$0], $0) }.reduce(0, +) / Double(places.count)
        let changed = places.map { rate($0 == 5 ? 12 : base[$0], $0) }.reduce(0, +) / Double(places.count)
        let errors = (try #require(without.standardError), try #require(greedy.standardError))
        #expect(abs(try #require(without.mean) - plain) < 4 * errors.0)
        #expect(abs(try #require(greedy.mean) - changed) < 4 * errors.1)
        #expect(errors.0 < plain / 20 && errors.1 < changed / 4)
        #expect(greedy.effectiveCount < without.effectiveCount)
    }

    @Test func `an item's bonus falls with what was seen of it`() {
        func bonus(_ interactions: Int, _ impressions: Int) -> Double {
            let counts = NewItemCounts(newestInteraction: 0, interactions: [0: interactions], impressions: [0: impressions])
            return counts.bonus(of: 0)
        }
        #expect(bonus(0, 0) == 1)
        #expect(bonus(1, 0) < bonus(0, 0))
        #expect(bonus(0, 50) < bonus(0, 10))
        #expect(bonus(5, 50) < bonus(0, 50))
    }
}
