import Testing

@testable import Ranking

/// What is planted in the data is found, by every recipe that could find it.
@Suite struct PlantedStructureTests {
    private func walk(_ start: Int32, _ length: Int32) -> [HistoryEvent] {
        (0..<length).map { HistoryEvent(item: (start + $0) % PlantedStructure.ringItems, timestamp: Int64($0)) }
    }

    @Test(arguments: RecipeName.personal, [0, 13, 31, 57] as [Int32])
    func `what comes next in a sequence comes first`(_ recipe: RecipeName, start: Int32) throws {
        let model = try KeptFits.model("ring", recipe, PlantedStructure.ring)
        var request = RankingRequest(history: walk(start, 5), count: 3, excludeHistory: true)
        let next = (start + 5) % PlantedStructure.ringItems
        #expect(model.rank(request).items.first?.item == next)
        // As one of a given list, too.
        request.candidates = (0..<PlantedStructure.ringItems).filter { ($0 + next) % 4 == 2 * next % 4 }
        #expect(model.rank(request).items.first?.item == next)
    }

    @Test(arguments: RecipeName.related)
    func `related items of a sequence are its neighbors`(_ recipe: RecipeName) throws {
        let model = try KeptFits.model("ring", recipe, PlantedStructure.ring)
        for item in [0, 22, 59] as [Int32] {
            for related in model.rank(RankingRequest(item: item, count: 5)).items.map(\.item) {
                let way = (related - item + PlantedStructure.ringItems) % PlantedStructure.ringItems
                // Walks have eight steps.
                #expect(min(way, PlantedStructure.ringItems - way) < 8)
            }
        }
    }

    @Test(arguments: RecipeName.personal, [0, 1, 2, 3] as [Int32])
    func `a taste that has moved on is followed`(_ recipe: RecipeName, block: Int32) throws {
        let model = try KeptFits.model("drift", recipe, PlantedStructure.drift)
        let next = (block + 1) % PlantedStructure.driftBlocks
        let history = [(block, 5), (next, 4)].flatMap { block, count in
            (0..<count).map { HistoryEvent(item: block * PlantedStructure.driftItems + Int32($0) * 3, timestamp: Int64($0)) }
        }
        let items = model.rank(RankingRequest(history: history, count: 10, excludeHistory: true)).items
        #expect(items.count { $0.item / PlantedStructure.driftItems == next } >= 8)
    }

    @Test(arguments: RecipeName.counting)
    func `counts do not depend on the user or on an item`(_ recipe: RecipeName) throws {
        let model = try KeptFits.model("drift", recipe, PlantedStructure.drift)
        let plain = model.rank(RankingRequest(count: 30)).items
        #expect(model.rank(RankingRequest(history: walk(3, 6), item: 5, count: 30)).items == plain)
    }

    @Test(arguments: RecipeName.fits)
    func `equal scores stand in the order of the items' numbers`(_ recipe: RecipeName) throws {
        let model = try KeptFits.model("twins", recipe, PlantedStructure.twins)
        for asked in [0, 11, 28] as [Int32] {
            let items = model.rank(RankingRequest(history: [HistoryEvent(item: asked)], item: asked, count: 50)).items
            for (one, other) in zip(items, items.dropFirst()) where one.score != nil && one.score == other.score {
                #expect(one.item < other.item)
            }
        }
    }

    /// Whose scores are sums of whole numbers, the same for both.
    @Test(arguments: [RecipeName.sims, .popularityCount])
    func `twins have equal scores and stand together`(_ recipe: RecipeName) throws {
        let model = try KeptFits.model("twins", recipe, PlantedStructure.twins)
        for asked in [0, 11, 28] as [Int32] {
            let items = model.rank(RankingRequest(item: asked, count: 50)).items
            let places = Dictionary(uniqueKeysWithValues: items.enumerated().map { ($1.item, $0) })
            for first in stride(from: 0, to: 30, by: 2) as StrideTo<Int32> where first / 2 != asked / 2 {
                let one = try #require(places[first])
                #expect(places[first + 1] == one + 1, "\(first)")
                if places[first + 1] == one + 1 { #expect(items[one].score == items[one + 1].score) }
            }
        }
    }
}
