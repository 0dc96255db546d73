import Foundation
import Testing

@testable import Ranking

@Suite struct ListWeightTests {
    /// Lists of thirty with one chosen item; the first part tells which, the second tells nothing.
    private func cases(_ count: Int) -> [ValidationCase] {
        var random = RandomSource(seed: 11)
        return (0..<count).map { _ in
            let noise = (0..<30).map { _ in random.normal() }
            let taste = (0..<30).map { _ in random.normal() }
            let drawn = taste.indices.map { 2 * taste[$0] - logf(-logf(Float(random.uniform()))) }
            let chosen = drawn.indices.max { drawn[$0] < drawn[$1] } ?? 0
            return ValidationCase(rowCount: 30, relevant: [chosen], truthCount: 1, scores: taste + noise)
        }
    }

    @Test func `the logit finds the weights that choices were made by`() {
        let weights = ListLogit(cases: cases(1500), partCount: 2).fitted(from: [1, 1])
        #expect(abs(weights[0] - 2) < 0.25)
        #expect(weights[1] < 0.15 && weights[1] >= 0)
    }

    private let planted = PlantedData(blocks: 4, usersPerBlock: 60)

    /// A model whose weights for lists differ from those for everything.
    private func model() throws -> Model {
        let fitted = try planted.fitted(.personalizedRankingV2)
        var parts = try TakenApartModel(fitted.bytes)
        let weights = parts.properties.filter { $0.hasPrefix("blend.") && $0.contains(".weight=") }
        try #require(weights.count > 1)
        parts.properties.removeAll { $0.contains(".list_weight=") }
        for (place, line) in weights.enumerated() {
            let weight = try #require(line.split(separator: "=").last.flatMap { Float($0) })
            parts.properties.append("blend.\(place).list_weight=\(place == 0 ? weight * 3 : weight / 2)")
        }
        return try Model(opening: ModelBytes(parts.encoded()))
    }

    @Test func `weights for lists rank lists alone, and the scores of a list sum to one`() throws {
        let model = try model()
        let plain = try planted.fitted(.userPersonalizationV2).opened()
        var scratch = RankingScratch()
        var request = planted.request(block: 1, count: 20)
        #expect(model.rank(request, scratch: &scratch).items == plain.rank(request, scratch: &scratch).items)
        request.candidates = (0..<40).map { Int32($0) }
        let items = model.rank(request, scratch: &scratch).items
        #expect(items.count == 40)
        #expect(abs(items.reduce(0) { $0 + ($1.normalizedScore ?? 0) } - 1) < 1e-3)
        let others = plain.rank(request, scratch: &scratch).items
        #expect(zip(items, others).contains { $0.score != $1.score })
    }

    @Test func `what speaks for an item of a list is what its score is made of`() throws {
        let model = try model()
        var scratch = RankingScratch()
        var request = planted.request(block: 1, count: 20)
        request.candidates = (20..<60).map { Int32($0) }
        let items = model.rank(request, scratch: &scratch).items
        let recipe = try #require(model.family as? BlendRecipe)
        for item in items.prefix(10) {
            let row = Int32(try #require(model.rowOfItem(item.item)))
            let ofHistory = recipe.parts(of: row, request, &scratch).reduce(0) { $0 + $1.part }
            var ofAll: Float = 0
            for (index, member) in recipe.scorer.members.enumerated() where !member.part.usesHistory {
                var scores: [Float] = [0]
                member.part.addExactly(scratch.spaces[index].factor, &scratch.spaces[index], rows: [row], to: &scores)
                ofAll += scores[0]
            }
            #expect(abs(ofHistory + ofAll - (item.score ?? 0)) < 1e-3 * max(1, abs(item.score ?? 0)))
        }
    }

    @Test func `held-out choices decide whether lists have weights of their own`() throws {
        let log = try planted.fitted(.personalizedRanking).log
        #expect(log.contains { $0.hasPrefix("Lists of 100 items as popular as what users met: NDCG ") })
        #expect(try !planted.fitted(.userPersonalization).log.contains { $0.hasPrefix("Lists of 100") })
    }
}
