import Foundation
import Testing

@testable import Ranking

@Suite struct FactorPartTests {
    let planted = PlantedData()

    /// Solves a small dense system in double precision by elimination with pivoting.
    private func solve(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
        var rows = zip(matrix, right).map { $0 + [$1] }
        let n = right.count
        for column in 0..<n {
            let pivot = (column..<n).max { abs(rows[$0][column]) < abs(rows[$1][column]) } ?? column
            rows.swapAt(column, pivot)
            for row in 0..<n where row != column {
                let factor = rows[row][column] / rows[column][column]
                for index in column...n { rows[row][index] -= factor * rows[column][index] }
            }
        }
        return (0..<n).map { rows[$0][n] / rows[$0][$0] }
    }

    @Test func `fold-in finds the user that training would have found`() throws {
        var configuration = FitConfiguration(recipe: .userPersonalization)
        configuration.blend = BlendChoice(entries: [.init(ingredient: .factors, rule: SourceRule(kind: .recent), weight: 1)])
        let file = try ModelFile(ModelBytes(try fit(planted.training(), configuration).bytes))
        let header = try ModelHeader(file)
        let part = try #require(try BlendRecipe(opening: file, header).scorer.members.first?.part as? FactorPart)
        let factors = try file.floats("part0.factors")
        let d = file.section("part0.factors")?.columns ?? 0
        var history = WeightedHistory()
        var space = PartSpace()
        for block in 0..<planted.blocks {
            let events = planted.history(block: block, length: 12)
            history.collect(count: events.count, itemCount: header.itemCount, header.weighting) {
                (events[$0].item, 0, events[$0].value)
            }
            #expect(part.foldIn(history, &space))
            let alpha = Double(part.als.unobservedWeight), lambda = Double(part.als.regularization)
            let exponent = Double(part.als.regularizationExponent)
            let weights = events.indices.map {
                1 + Double(header.weighting.recencyBoost) * exp(-Double(11 - $0) / Double(header.weighting.recencySpan))
            }
            let scaled = lambda * pow(weights.reduce(0, +) + alpha * Double(header.itemCount), exponent)
            var matrix = (0..<d).map { row in (0..<d).map { $0 == row ? scaled : 0 } }
            var right = [Double](repeating: 0, count: d)
            for item in 0..<header.itemCount {
                let place = events.firstIndex { Int($0.item) == item }
                let weight = alpha + (place.map { weights[$0] } ?? 0)
                for row in 0..<d {
                    let value = Double(factors.buffer[item * d + row])
                    for column in 0..<d { matrix[row][column] += weight * value * Double(factors.buffer[item * d + column]) }
                    if let place { right[row] += weights[place] * value }
                }
            }
            let exact = solve(matrix, right)
            let size = largestOf(exact.map { Float($0) })
            #expect(size > 0 && exact.count == space.query.count)
            #expect(largestOf(zip(exact, space.query).map { Float($0) - $1 }) <= 1e-3 * size)
        }
    }
}
