import Foundation
import Testing

@testable import Ranking

@Suite struct ObjectiveTests {
    private let planted = PlantedData(blocks: 4, usersPerBlock: 60)

    /// Prices that have nothing to do with the blocks.
    private func data() -> TrainingData {
        var data = planted.training()
        let items = Array(0..<Int32(planted.itemCount))
        data.itemMetadata = MetadataTable(
            ids: items, columns: [MetadataColumn(name: "PRICE", values: .numbers(items.map { Float(10 + ($0 * 37) % 90) }))])
        return data
    }

    private func configuration(_ sensitivity: FitConfiguration.Objective.Sensitivity?) -> FitConfiguration {
        var configuration = FitConfiguration(recipe: .userPersonalization, threads: 2)
        configuration.objective = sensitivity.map { .init(itemAttribute: "PRICE", sensitivity: $0) }
        return configuration
    }

    private func price(_ item: Int32) -> Double { Double(10 + (item * 37) % 90) }

    /// Mean price of the first five for one user of each block, and the NDCG of the evaluation.
    private func outcome(_ sensitivity: FitConfiguration.Objective.Sensitivity?) throws -> (price: Double, fitted: FittedModel) {
        let fitted = try fitAndEvaluate(data(), configuration(sensitivity))
        let model = try fitted.opened()
        var scratch = RankingScratch()
        var sum = 0.0
        for block in 0..<planted.blocks {
            let items = model.rank(planted.request(block: block, count: 5), scratch: &scratch).items
            sum += items.reduce(0) { $0 + price($1.item) } / 5 / Double(planted.blocks)
        }
        return (sum, fitted)
    }

    @Test func `the more sensitive, the dearer the list, at a cost within the budget`() throws {
        let plain = try outcome(nil)
        let low = try outcome(.low)
        let high = try outcome(.high)
        #expect(low.price >= plain.price)
        #expect(high.price > plain.price + 2)
        #expect(high.price >= low.price)
        #expect(plain.fitted.metrics["average_rewards_at_k"] == nil)
        let reward = try #require(high.fitted.metrics["average_rewards_at_k"])
        #expect(reward > 0 && reward <= 1)
        #expect(high.fitted.log.contains { $0.hasPrefix("Objective PRICE at HIGH: weight") })
    }

    @Test func `the objective's part of a score is told`() throws {
        let model = try outcome(.high).fitted.opened()
        #expect(model.objectiveAttribute == "PRICE")
        var scratch = RankingScratch()
        var request = planted.request(block: 0, count: 20)
        request.explain = true
        let items = model.rank(request, scratch: &scratch).items
        let dearest = try #require(items.max { price($0.item) < price($1.item) })
        let cheapest = try #require(items.min { price($0.item) < price($1.item) })
        #expect(try #require(dearest.objectivePart) > 0)
        #expect(try #require(dearest.objectivePart) > #require(cheapest.objectivePart))
    }

    @Test func `the objective weighs for items that nobody met too`() throws {
        let described = DescribedData(planted: planted)
        var data = described.training(.category)
        let items = data.itemMetadata?.ids ?? []
        data.itemMetadata?.columns.append(MetadataColumn(name: "PRICE", values: .numbers(items.map { Float(price($0)) })))
        let model = try fit(data, configuration(.high)).opened()
        let place = try #require((0..<16).first { model.properties["blend.\($0)"] == "objective" })
        let warm = try #require(model.properties["blend.\(place).weight"].flatMap(Float.init))
        let cold = try #require(model.properties["blend.\(place).cold_weight"].flatMap(Float.init))
        #expect(warm > 0 && cold > 0)
        var request = planted.request(block: 1, count: 20)
        request.explain = true
        request.candidates = described.cold(block: 1)
        let ranked = model.rank(request).items
        #expect(ranked.count == described.coldPerBlock)
        let dearest = try #require(ranked.max { price($0.item) < price($1.item) })
        let cheapest = try #require(ranked.min { price($0.item) < price($1.item) })
        let difference = try #require(dearest.objectivePart) - #require(cheapest.objectivePart)
        #expect(difference > 0)
        // Told in the units of such items' scores, not of all others'.
        let levels = ItemLevels(items: items, price: price)
        #expect(abs(difference / cold - levels.distance(dearest.item, cheapest.item)) < 1e-2)
    }

    /// The attribute as the model has it.
    private struct ItemLevels {
        let items: [Int32]
        let price: (Int32) -> Double

        func distance(_ left: Int32, _ right: Int32) -> Float {
            let prices = items.map(price)
            let mean = prices.reduce(0, +) / Double(prices.count)
            let variance = prices.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(prices.count)
            return Float((price(left) - price(right)) / variance.squareRoot())
        }
    }

    @Test func `the weight is the largest that the budget allows`() throws {
        // One relevant row of level -1 at score 1, one irrelevant row of level 1 at score 0: they change places at weight 0.5.
        let single = ValidationCase(rowCount: 2, relevant: [0], truthCount: 1, scores: [1, 0, -1, 1])
        var log: [String] = []
        let search = ObjectiveSearch(cases: [single], objective: .init(itemAttribute: "PRICE", sensitivity: .medium))
        let entry = try #require(try search.entry(beside: [1], log: &log))
        #expect(entry.ingredient == .objective)
        #expect(entry.weight < 0.5 && entry.weight * 1.21 > 0.5)
    }

    @Test func `an attribute that is missing or the same for all items is named`() {
        #expect(throws: FitError.unusableData("The items have no numeric attribute PRICE to optimize for.")) {
            try fit(planted.training(), configuration(.low))
        }
        var flat = planted.training()
        flat.itemMetadata = MetadataTable(ids: [1, 2], columns: [MetadataColumn(name: "PRICE", values: .numbers([3, 3]))])
        #expect(throws: FitError.self) { try fit(flat, configuration(.low)) }
    }

    @Test func `levels are standardized, bounded, and zero where there is no value`() throws {
        let ids = Array(Int32(0)..<20)
        let table = MetadataTable(
            ids: ids,
            columns: [MetadataColumn(name: "price", values: .numbers(ids.map { $0 == 19 ? 1e6 : $0 == 0 ? .nan : Float($0 % 2) }))])
        let rewards = try ItemRewards(.init(itemAttribute: "PRICE", sensitivity: .low), table)
        let levels = rewards.levels(of: ids)
        #expect(levels[0] == 0)
        #expect(levels[19] == 3)
        #expect(rewards.levels(of: [1, 2, 3, 4]).map { ($0 * 100).rounded() / 100 } == [1, -1, 1, -1])
    }

    @Test func `gains weigh relevant items`() {
        // Gains 1.5 and 0.5 as in the contract's example; the lesser one first costs something.
        #expect(RankingMetrics.ndcg(gains: [1.5, 0.5], all: [0.5, 1.5], at: 25) == 1)
        let swapped = RankingMetrics.ndcg(gains: [0.5, 1.5], all: [0.5, 1.5], at: 25)
        #expect(abs(swapped - (0.5 + 1.5 / log2(3)) / (1.5 + 0.5 / log2(3))) < 1e-12)
    }

    @Test func `an events configuration has a metric of its own, and a threshold for each type`() throws {
        var configuration = FitConfiguration(
            recipe: .userPersonalization,
            eventWeights: [.init(eventType: "view", weight: 0.1), .init(eventType: "purchase", weight: 0.3, valueThreshold: 5)], threads: 2)
        var data = planted.training()
        data.values = data.users.indices.map { data.eventTypes[$0] == 1 ? Float($0 % 2 == 0 ? 9 : 1) : .nan }
        let fitted = try fitAndEvaluate(data, configuration)
        let metric = try #require(fitted.metrics["normalized_discounted_cumulative_gain_with_event_weights_at_k"])
        #expect(metric > 0 && metric <= 1)
        let kept = data.users.indices.count { data.eventTypes[$0] == 0 || data.values[$0] >= 5 }
        #expect(fitted.interactionCount == kept)
        configuration.eventWeights = []
        #expect(
            try fitAndEvaluate(data, configuration).metrics["normalized_discounted_cumulative_gain_with_event_weights_at_k"] == nil)
    }
}
