import Foundation
import Postgres
import Ranking
import Testing

@testable import Tastemaker

@Suite struct DemoGeneratorTests {
    static let catalogue = DemoCatalogue.shipped
    static let population = DemoPopulation(catalogue: catalogue, visitorCount: 1500, days: 28)

    @Test func `the catalogue is the same for a seed and another for another`() {
        let again = DemoCatalogue(seed: Self.catalogue.seed, count: 2000)
        #expect(again.products == Self.catalogue.products)
        #expect(DemoCatalogue(seed: 1, count: 2000).products != again.products)
    }

    @Test func `two thousand products of distinct ids and titles fill every category`() {
        let products = Self.catalogue.products
        #expect(products.count == 2000)
        #expect(Set(products.map(\.id)).count == 2000 && Set(products.map(\.title)).count == 2000)
        #expect(Self.catalogue.byCategory.count == 24 && Self.catalogue.byCategory.allSatisfy { $0.count >= 80 })
        let withKind = Double(products.count { $0.kind != nil }) / 2000
        #expect((0.35...0.45).contains(withKind))
    }

    @Test func `what goes with a product is of its companion category and style`() {
        for product in Self.catalogue.products {
            #expect(product.companions.count == 3)
            let others = product.companions.map { Self.catalogue.products[$0] }
            #expect(others.allSatisfy { $0.category == DemoCategory.companion(of: product.category) })
        }
    }

    @Test func `four weeks hold some fifty thousand events, most of them views`() {
        var counts: [DemoAction.Kind: Int] = [:]
        for visit in Self.population.visits {
            for action in Self.population.actions(visit) { counts[action.kind, default: 0] += 1 }
        }
        let total = counts.values.reduce(0, +)
        #expect((35_000...65_000).contains(total), "\(counts)")
        #expect((0.8...0.9).contains(Double(counts[.view] ?? 0) / Double(total)), "\(counts)")
        #expect((counts[.purchase] ?? 0) > total / 40, "\(counts)")
    }

    @Test func `some products are too new to have been seen by many`() {
        let young = Self.catalogue.products.count { $0.age < 3 }
        #expect((20...150).contains(young))
    }

    @Test func `tastes are worth learning: personalization beats popularity clearly`() throws {
        let data = Self.trainingData()
        func ndcg(_ recipe: RecipeName) throws -> Double {
            let evaluation = try evaluate(data, FitConfiguration(recipe: recipe, threads: 2))
            return evaluation.metrics["normalized_discounted_cumulative_gain_at_25"] ?? 0
        }
        let popular = try ndcg(.popularityCount)
        let personal = try ndcg(.userPersonalization)
        #expect(personal > 3 * popular && personal > 0.05, "personal \(personal), popular \(popular)")
    }

    @Test func `the first of a pair is followed by what goes with it`() throws {
        let model = try fit(Self.trainingData(), FitConfiguration(recipe: .sims, eventType: "Purchase", threads: 2)).opened()
        var scratch = RankingScratch()
        var hits = 0
        var asked = 0
        for (position, product) in Self.catalogue.products.enumerated() where DemoCategory.isLead(product.category) {
            guard model.rowOfItem(Int32(position)) != nil else { continue }
            let answer = model.rank(RankingRequest(item: Int32(position), count: 3), scratch: &scratch)
            guard answer.items.contains(where: { $0.kind == .related }) else { continue }
            asked += 1
            if answer.items.contains(where: { product.companions.contains(Int($0.item)) }) { hits += 1 }
        }
        #expect(asked > 60 && Double(hits) > 0.7 * Double(asked), "\(hits) of \(asked)")
    }

    @Test func `the import files hold a line for every product, visitor and event`() throws {
        let files = DemoFiles(catalogue: Self.catalogue, end: PGTimestamp(seconds: 1_790_000_000))
        #expect(files.items().count { $0 == 0x0A } == 2001)
        #expect(files.users(Self.population.visitors).count { $0 == 0x0A } == 1501)
        let before = files.interactions(Self.population, before: 10)
        #expect(before.count { $0 == 0x0A } > 20_000)
        #expect(before == files.interactions(DemoPopulation(catalogue: Self.catalogue, visitorCount: 1500, days: 28), before: 10))
    }

    static func trainingData() -> TrainingData {
        var data = TrainingData(eventTypeNames: ["View", "AddToCart", "Purchase"])
        for visit in population.visits {
            for action in population.actions(visit) {
                let type: UInt8 = action.kind == .view ? 0 : action.kind == .cart ? 1 : 2
                data.append(
                    user: Int32(visit.visitor), item: Int32(action.product), eventType: type,
                    timestamp: 1_790_000_000 - Int64(visit.daysLeft * 86_400) + Int64(action.seconds))
            }
        }
        return data
    }
}
