import Foundation
import Testing

@testable import Ranking

/// Inverted lists as a part of a blend.
@Suite struct BlendListsTests {
    private let planted = PlantedData(blocks: 40, usersPerBlock: 15, itemsPerBlock: 100, eventsPerUser: 24)

    private func configuration(_ entries: [(Ingredient, retrieves: Bool)], isListed: Bool) -> FitConfiguration {
        var configuration = FitConfiguration(recipe: .userPersonalizationV2, hyperparameters: ["factors": "32"])
        configuration.blend = BlendChoice(
            entries: entries.map { .init(ingredient: $0.0, rule: SourceRule(kind: .flat), weight: 1, retrieves: $0.retrieves) })
        configuration.listThreshold = isListed ? 0 : .max
        configuration.createdAt = Date(timeIntervalSince1970: 0)
        return configuration
    }

    private static let blends: [[(Ingredient, retrieves: Bool)]] = [
        [(.factors, true)], [(.graph, true), (.factors, true), (.popularity, true)],
        [(.successors, true), (.graph, false), (.factors, true), (.popularity, false)],
    ]

    private func items(_ model: Model, _ request: RankingRequest) -> [Int32] {
        var scratch = RankingScratch()
        return model.rank(request, scratch: &scratch).items.map(\.item)
    }

    private func requests(_ count: Int = 10) -> [RankingRequest] {
        (0..<80).map { RankingRequest(history: planted.history(block: $0 % 40, length: 3 + $0 / 8), count: count) }
    }

    @Test(arguments: blends.indices)
    func `lists find what the whole blend finds`(_ blend: Int) throws {
        let listed = try fit(planted.training(), configuration(Self.blends[blend], isListed: true))
        let exact = try fit(planted.training(), configuration(Self.blends[blend], isListed: false)).opened()
        let model = try listed.opened()
        #expect(model.properties[ListProbes.property] != nil)
        #expect(listed.log.contains { $0.hasPrefix("Inverted lists: ") })
        var found = 0
        for request in requests() { found += Set(items(model, request)).intersection(items(exact, request)).count }
        #expect(Double(found) / 800 >= 0.97)
    }

    @Test(arguments: blends.indices)
    func `a narrow filter, many items and several requests at once change nothing`(_ blend: Int) throws {
        let model = try fit(planted.training(), configuration(Self.blends[blend], isListed: true)).opened()
        let exact = try fit(planted.training(), configuration(Self.blends[blend], isListed: false)).opened()
        for var request in requests().prefix(10) {
            // The best 25 of a fifth of the items are not known to be among those of the lists.
            (request.allowed, request.count) = (rowBitmap(stride(from: 3, to: 4001, by: 5), count: 4001), 25)
            #expect(items(model, request) == items(exact, request))
            request.allowed = nil
            request.count = 1200
            #expect(items(model, request) == items(exact, request))
        }
        var mixed = Array(requests().prefix(8))
        mixed[2].count = 1200
        mixed[3].allowed = rowBitmap(0..<2000, count: 4001)
        var batch = RankingBatch()
        #expect(model.rank(mixed, batch: &batch).map { $0.items.map(\.item) } == mixed.map { items(model, $0) })
    }

    @Test func `what only scores needs no lists`() throws {
        let fitted = try fit(planted.training(), configuration([(.graph, true), (.factors, false)], isListed: true))
        #expect(fitted.log.contains("No inverted lists: no part with vectors finds rows."))
        #expect(try !fitted.opened().sections.contains { $0.name.contains("lists") })
    }

    @Test func `lists that do not fit the memory budget are left out`() throws {
        let data = planted.training()
        var configuration = configuration(Self.blends[0], isListed: true)
        let least = BlendRecipe.memoryEstimate(items: 4001, users: 600, events: data.count, configuration)
        configuration.memoryBudgetBytes = data.count * 60 + least + 1000
        let fitted = try fit(data, configuration)
        #expect(fitted.log.contains { $0.hasPrefix("No inverted lists: they would not fit the memory budget.") })
        #expect(try fitted.opened().properties[ListProbes.property] == nil)
    }

    @Test func `any number of threads makes the same model`() throws {
        var one = configuration(Self.blends[1], isListed: true)
        var three = one
        (one.threads, three.threads) = (1, 3)
        #expect(try fit(planted.training(), one).bytes == fit(planted.training(), three).bytes)
    }
}
