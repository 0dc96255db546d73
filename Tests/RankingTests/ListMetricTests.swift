import Foundation
import Testing

@testable import Ranking

@Suite struct ListMetricTests {
    private struct Reference: Decodable {
        struct Case: Decodable {
            var list: [Int32]
            var scores: [Float]
            var truth: [Int32]
            var expected: [String: Double]
        }
        var cases: [Case]
    }

    @Test func `figures agree with trec_eval, and equal scores stand as it was told`() throws {
        let url = try #require(Bundle.module.url(forResource: "metric-cases", withExtension: "json", subdirectory: "Resources"))
        let reference = try JSONDecoder().decode(Reference.self, from: Data(contentsOf: url))
        let catalog = CatalogProfile(usersOfItem: [Int32](repeating: 1, count: 200), userCount: 1)
        var random = Xorshift(state: 2)
        var compared = 0
        for entry in reference.cases {
            let rows = zip(entry.list, entry.scores).map { ScoredRow(row: $0, score: $1) }.shuffled(using: &random)
            let list = ScoredRow.best(100, of: rows).map(\.row)
            #expect(list == entry.list)
            for (metric, score) in zip(ListMetric.all, catalog.scores(list, truth: entry.truth)) {
                guard let expected = entry.expected[metric.name] else { continue }
                #expect(abs(Double(score) - expected) < 1e-6, "\(metric.name)")
                compared += 1
            }
        }
        #expect(compared == reference.cases.count * 25 && reference.cases.count == 30)
    }

    @Test func `novelty and popularity are means over the list, coverage counts what is shown`() {
        // Ten items: item 0 was met by all 8 users, item 1 by 2, the others by one each.
        let catalog = CatalogProfile(usersOfItem: [8, 2] + [Int32](repeating: 1, count: 8), userCount: 8)
        let scores = Dictionary(uniqueKeysWithValues: zip(ListMetric.all.map(\.name), catalog.scores([0, 1, 5], truth: [9])))
        #expect(scores["novelty@10"] == Float(5) / 3)
        #expect(scores["popular@10"] == Float(1) / 3)
        let coverage = Coverage(lists: [0, 1, 0, -1], depth: 2, cutoff: 2, groups: [0, 1], catalog: catalog, seed: 1)
        #expect(coverage.estimate.value == 0.2)
        #expect(coverage.difference(minus: coverage).upper == 0)
    }

    @Test func `coverage and novelty count what the catalogue lists and nothing else`() {
        // Four items with users, two without, of which one could be listed.
        let catalog = CatalogProfile(usersOfItem: [4, 1, 1, 1, 0, 0], userCount: 4, more: [5, -3, 70])
        #expect(catalog.itemCount == 5)
        let coverage = Coverage(lists: [0, 4, 5, 900], depth: 4, cutoff: 4, groups: [0], catalog: catalog, seed: 1)
        #expect(coverage.estimate.value == 0.4)
        let scores = Dictionary(uniqueKeysWithValues: zip(ListMetric.all.map(\.name), catalog.scores([0, 4, 1, 900], truth: [1])))
        #expect(scores["novelty@10"] == 1)
        #expect(scores["popular@10"] == 0.5)
        #expect(scores["mrr@5"] == Float(1) / 3)
    }

    @Test func `where only candidates are ranked coverage is a share of these`() {
        let data = TrainingData(
            users: [0, 0], items: [0, 1], eventTypes: [0, 0], values: [.nan, .nan], timestamps: [0, 0], eventTypeNames: ["view"])
        let catalog = CatalogProfile(data, positions: [0, 1], itemLimit: 5, more: [2], candidates: [3, 4, -1, 99])
        #expect(catalog.itemCount == 2)
        let coverage = Coverage(lists: [3, 0, 4, 3], depth: 2, cutoff: 2, groups: [0, 1], catalog: catalog, seed: 1)
        #expect(coverage.estimate.value == 1)
        // Nobody met them, so none is popular.
        let scores = Dictionary(uniqueKeysWithValues: zip(ListMetric.all.map(\.name), catalog.scores([3, 4], truth: [4])))
        #expect(scores["popular@10"] == 0)
    }

    @Test func `items without events widen the catalogue when they could be listed`() {
        let data = TrainingData(users: [0], items: [0], eventTypes: [0], values: [.nan], timestamps: [0], eventTypeNames: ["view"])
        #expect(CatalogProfile(data, positions: [0], itemLimit: 5, more: [3]).itemCount == 2)
    }

    @Test func `lists of a split score the model against the truth, whatever the number of threads`() throws {
        let planted = PlantedData()
        let data = planted.training()
        let split = try EvaluationSplit(data, .leaveLastOut, seed: 1)
        let model = try fit(split.trainingData(data), FitConfiguration(recipe: .userPersonalizationV2)).opened()
        let catalog = CatalogProfile(data, positions: split.training, itemLimit: planted.itemCount)
        let lists = try split.ask(model, data, catalog: catalog, threads: 1)
        #expect(try split.ask(model, data, catalog: catalog, threads: 3).items == lists.items)
        for (index, query) in split.queries.enumerated() {
            let list = lists.items[index * ListMetric.depth..<(index + 1) * ListMetric.depth].filter { $0 >= 0 }
            #expect(Set(list).isDisjoint(with: split.history(of: query, in: data).map(\.item)))
        }
        let recall = Bootstrap(
            values: lists.scores, columns: ListMetric.all.count, groups: split.queries.map(\.group), draws: 50, seed: 1
        ).means[1]
        // Nine in ten events stay in a block of 25 items; popularity alone would find a tenth.
        #expect(recall > 0.2)
    }
}
