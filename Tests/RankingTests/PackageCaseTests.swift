import Foundation
import Testing

@testable import Ranking

/// What the implicit package says of small data, made by Resources/make_package_cases.py.
@Suite struct PackageCaseTests {
    private struct Cases: Decodable {
        var items: Int
        /// Of each user, ascending.
        var histories: [[Int32]]
        /// Items x items.
        var cosine: [[Float]]
        var weight: Float
        var unobservedWeight: Float
        var regularization: Float
        /// Items x 16.
        var factors: [[Float]]
        /// Users x 16.
        var folded: [[Float]]
    }

    private let cases: Cases

    init() throws {
        let url = try #require(Bundle.module.url(forResource: "package-cases", withExtension: "json", subdirectory: "Resources"))
        cases = try JSONDecoder().decode(Cases.self, from: Data(contentsOf: url))
    }

    @Test func `neighbors without shrinkage are implicit's by cosine`() throws {
        var rows = SparseRows()
        for history in cases.histories {
            rows.columns += history
            rows.values += history.map { _ in 1 }
            rows.offsets.append(rows.columns.count)
        }
        let fit = CointeractionFit(popularityDiscount: 0.5, minimumCount: 1, shrinkage: 0, threads: 2)
        let found = try fit.fit(rows, itemCount: cases.items, LinearCases.span).dense(cases.items)
        for item in 0..<cases.items {
            for other in 0..<cases.items where other != item {
                #expect(abs(found[item][other] - cases.cosine[item][other]) < 1e-6, "\(item), \(other)")
            }
        }
    }

    @Test func `a history is folded in as implicit's ALS recalculates a user`() throws {
        let dimensions = cases.factors[0].count
        let sections = ItemVectors.sections(cases.factors.flatMap { $0 }, dimensions: dimensions, prefix: "part")
        let file = try ModelFile(ModelBytes(ModelFormat.encode(sections)))
        let als = ImplicitALS(
            dimensions: dimensions, iterations: 0, unobservedWeight: cases.unobservedWeight, regularization: cases.regularization,
            regularizationExponent: 0, seed: 0, threads: 1)
        let part = FactorPart(vectors: try ItemVectors(opening: file, prefix: "part", itemCount: cases.items), als: als)
        let weighting = HistoryWeights(
            eventTypes: [cases.weight], unknownType: 0, valueConfidence: 0, meanValue: 1, recencyBoost: 0, recencySpan: 1)
        var history = WeightedHistory()
        var space = PartSpace()
        for (user, items) in cases.histories.enumerated() {
            history.collect(count: items.count, itemCount: cases.items, weighting) { (items[$0], 0, .nan) }
            #expect(part.foldIn(history, &space))
            #expect(largestDifference([space.query], [cases.folded[user]]) < 1e-5)
        }
        withExtendedLifetime(file) {}
    }
}
