import Foundation
import Testing

@testable import Ranking

/// What every recipe that answers for a user must do with items that nobody met and with what is known of a request.
@Suite struct DescribedConformanceTests {
    private let described = DescribedData()

    private func model(_ recipe: RecipeName) throws -> Model {
        try KeptFits.fitted("described", recipe) { try fit(described.training(.text), DescribedData.configuration(recipe)) }.opened()
    }

    private func colds() -> [Int32] { (0..<described.planted.blocks).flatMap { described.cold(block: $0) } }

    @Test(arguments: RecipeName.personal)
    func `items that nobody met are ranked by their words`(_ recipe: RecipeName) throws {
        let model = try model(recipe)
        for block in 0..<described.planted.blocks {
            var request = RankingRequest(history: described.planted.history(block: block, length: 20), count: 5)
            request.candidates = colds()
            let ranked = model.rank(request).items
            #expect(Set(ranked.prefix(5).map(\.item)) == Set(described.cold(block: block)))
            #expect(ranked.allSatisfy { ($0.score ?? .nan).isFinite })
        }
    }

    @Test(arguments: RecipeName.personal)
    func `a bitmap of items that nobody met gives them in the order of all`(_ recipe: RecipeName) throws {
        let model = try model(recipe)
        let history = described.planted.history(block: 1, length: 20)
        let all = model.rank(RankingRequest(history: history, count: model.itemCount)).items.map(\.item)
        let rows = colds().compactMap { model.rowOfItem($0) }
        #expect(rows.count == colds().count)
        let allowed = rowBitmap(rows, count: model.itemCount)
        let found = model.rank(RankingRequest(history: history, allowed: allowed, count: 100)).items.map(\.item)
        #expect(found == all.filter { Set(colds()).contains($0) })
    }

    @Test(arguments: RecipeName.personal)
    func `requests for items that nobody met are answered together as alone`(_ recipe: RecipeName) throws {
        let model = try model(recipe)
        let requests = (0..<6).map { number in
            RankingRequest(history: described.planted.history(block: number % 4, length: 3 + number), count: 30, excludeHistory: true)
        }
        var batch = RankingBatch()
        var scratch = RankingScratch()
        for (request, result) in zip(requests, model.rank(requests, batch: &batch)) {
            #expect(model.rank(request, scratch: &scratch).items == result.items)
        }
    }

    @Test(arguments: RecipeName.personal)
    func `many items that nobody met are found as few are`(_ recipe: RecipeName) throws {
        // More than an eighth of all items: found by a pass over eight-bit vectors, scored exactly all the same.
        let many = DescribedData(planted: described.planted, coldPerBlock: 40)
        let model = try KeptFits.fitted("many cold", recipe) { try fit(many.training(.text), DescribedData.configuration(recipe)) }
            .opened()
        let history = many.planted.history(block: 2, length: 20)
        let listed = model.rank(RankingRequest(history: history, count: model.itemCount, excludeHistory: true)).items
        let cold = (0..<many.planted.blocks).flatMap { many.cold(block: $0) }
        var request = RankingRequest(history: history, count: cold.count)
        request.candidates = cold
        let exact = model.rank(request).items
        #expect(listed.filter { Set(cold).contains($0.item) }.map(\.item) == exact.map(\.item))
    }

    @Test(arguments: RecipeName.personal)
    func `a context that matters moves the list`(_ recipe: RecipeName) throws {
        let planted = PlantedData(blocks: 4, usersPerBlock: 60, itemsPerBlock: 20, eventsPerUser: 12)
        let model = try KeptFits.fitted("devices", recipe) { try fit(Self.onDevices(planted), DescribedData.configuration(recipe)) }
            .opened()
        var request = RankingRequest(history: planted.history(block: 0), count: 10, explain: true)
        func last(_ device: String) -> Int {
            request.context = ["DEVICE": device]
            return model.rank(request).items.count { planted.block(ofItem: $0.item) == 3 }
        }
        #expect(last("mobile") > last("desk"))
        request.context = ["DEVICE": "mobile"]
        #expect(model.rank(request).items.contains { ($0.situationPart ?? 0) > 0 })
        request.context = ["DEVICE": "never seen"]
        let unknown = model.rank(request).items.map(\.item)
        request.context = [:]
        #expect(model.rank(request).items.map(\.item) == unknown)
    }

    /// Nine tenths of what is met on "mobile" is of the last block.
    private static func onDevices(_ planted: PlantedData) -> TrainingData {
        var data = planted.training()
        var random = Xorshift(state: 77)
        let codes = (0..<data.count).map { position -> Int32 in
            guard random.below(2) == 0 else { return 1 }
            if random.below(10) < 9 { data.items[position] = Int32(3 * planted.itemsPerBlock + random.below(planted.itemsPerBlock)) }
            return 0
        }
        data.contexts = [ContextColumn(name: "DEVICE", values: ["mobile", "desk"], codes: codes)]
        return data
    }
}
