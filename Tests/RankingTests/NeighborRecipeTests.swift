import Ranking
import Testing

@Suite struct NeighborRecipeTests {
    /// Views tie 0 to 1 (ten users), purchases tie 0 to 2 (five users); 3 is bought by everybody; 4 shares one user with 0.
    private func shop() -> TrainingData {
        var data = TrainingData(eventTypeNames: ["view", "purchase"])
        func add(_ user: Int32, _ item: Int32, _ type: UInt8) {
            data.append(user: user, item: item, eventType: type, timestamp: Int64(data.count))
        }
        for user in 0..<10 as Range<Int32> {
            add(user, 0, 0)
            add(user, 1, 0)
        }
        for user in 20..<25 as Range<Int32> {
            add(user, 0, 1)
            add(user, 2, 1)
        }
        for user in 0..<60 as Range<Int32> { add(user, 3, 0) }
        add(0, 4, 0)
        return data
    }

    private func related(_ model: Model, to item: Int32, type: Int? = nil) -> [Int32] {
        model.rank(RankingRequest(item: item, relatedByEventType: type, count: 10)).items.filter { $0.kind == .related }.map(\.item)
    }

    @Test func `items are related by common users, less by the popularity of the other`() throws {
        #expect(related(try fit(shop(), FitConfiguration(recipe: .sims)).opened(), to: 0) == [1, 3, 2])
    }

    @Test func `purchases alone give what was bought together`() throws {
        #expect(related(try fit(shop(), FitConfiguration(recipe: .sims)).opened(), to: 0, type: 1) == [2])
    }

    @Test func `without discount the most common users win`() throws {
        let configuration = FitConfiguration(recipe: .sims, hyperparameters: ["popularity_discount_factor": "0"])
        #expect(related(try fit(shop(), configuration).opened(), to: 0) == [3, 1, 2])
    }

    @Test(arguments: [("1", true), ("3", false)])
    func `fewer common users than the minimum relate nothing`(_ minimum: String, isThere: Bool) throws {
        let configuration = FitConfiguration(recipe: .sims, hyperparameters: ["min_cointeraction_count": minimum])
        #expect(related(try fit(shop(), configuration).opened(), to: 0).contains(4) == isThere)
    }

    @Test func `the reason of a related item is the item that was asked about`() throws {
        let model = try fit(shop(), FitConfiguration(recipe: .sims)).opened()
        let first = try #require(model.rank(RankingRequest(item: 0, count: 1, explain: true)).items.first)
        #expect(first.reasons.map(\.historyItem) == [0])
        #expect(first.reasons.map(\.share) == [1])
    }

    @Test func `a short list is filled with popular items without scores`() throws {
        let items = try fit(shop(), FitConfiguration(recipe: .sims)).opened().rank(RankingRequest(item: 2, count: 4)).items
        #expect(items.count == 4)
        #expect(items.first?.item == 0)
        #expect(items.last?.kind == .popular)
        #expect(items.last?.score == nil)
        #expect(!items.contains { $0.item == 2 })
    }
}
