import Foundation
import Testing

@testable import Ranking

/// Serving a history gives what training with that user would give, the item side being as it is. Of each part this says:
/// the row of weights that a request's history becomes is the row that the fit sees of the same events; and the scores are
/// that row's product with the item side (linear parts, spectrum) or the minimizer of that row's objective (factors, in
/// FactorPartTests).
@Suite struct FoldInTests {
    private static let configuration = FitConfiguration(
        recipe: .userPersonalization, hyperparameters: ["value_confidence": "2"],
        eventWeights: [.init(eventType: "view", weight: 0.3), .init(eventType: "purchase", weight: 1)])

    /// With values, two types and repeats.
    private static func data() -> TrainingData {
        var data = PlantedData().training()
        for position in stride(from: 0, to: data.count, by: 3) { data.values[position] = Float(position % 7) }
        for position in stride(from: 500, to: data.count, by: 9) { data.items[position] = data.items[position - 480] }
        return data
    }

    private let matrix: InteractionMatrix
    private let weighting: HistoryWeights
    private let plan: BlendPlan

    init() throws {
        matrix = try InteractionMatrix(Self.data(), Self.configuration)
        weighting = HistoryWeights(matrix, Self.configuration)
        plan = BlendPlan(matrix, Self.configuration)
    }

    /// A user's events as a request brings them.
    private func history(_ user: Int) -> WeightedHistory {
        var history = WeightedHistory()
        matrix.collectHistory(user, weighting, into: &history)
        return history
    }

    @Test func `a request's history becomes the row that the fit sees`() throws {
        let data = Self.data()
        let fitted = try fit(data, Self.configuration)
        let header = try ModelHeader(ModelFile(ModelBytes(fitted.bytes)))
        // What the model file says of weights is what the fit used.
        #expect(header.weighting.eventTypes == weighting.eventTypes)
        #expect(header.weighting.recencyBoost == weighting.recencyBoost && header.weighting.recencyBoost > 0)
        #expect(abs(header.weighting.meanValue - weighting.meanValue) < 1e-5)
        var flat = weighting
        flat.recencyBoost = 0
        let (rows, weighted) = (try matrix.userItems(flat), try matrix.userItems(weighting))
        for user in 0..<matrix.userCount {
            let events = (0..<data.count).filter { data.users[$0] == matrix.userIDs[user] }
            var served = WeightedHistory()
            served.collect(count: events.count, itemCount: matrix.itemCount, header.weighting) {
                (data.items[events[$0]], Int(data.eventTypes[events[$0]]), data.values[events[$0]])
            }
            let range = rows.offsets[user]..<rows.offsets[user + 1]
            #expect(served.rows == Array(rows.columns[range]))
            #expect(zip(served.flatWeights, rows.values[range]).allSatisfy { abs($0 - $1) <= 1e-5 * $1 })
            #expect(zip(served.weights, weighted.values[range]).allSatisfy { abs($0 - $1) <= 1e-5 * $1 })
        }
    }

    @Test(arguments: Ingredient.forRelevance.filter { ![.spectrum, .sharpening, .factors, .popularity, .neighbors].contains($0) })
    func `linear scores are the user's row times the weights`(_ ingredient: Ingredient) throws {
        guard let part = try IngredientFit(matrix, Self.configuration, plan).fit(ingredient, prefix: "part", LinearCases.span) else {
            // What describes items is not in this data.
            #expect(![.ease, .graph, .nextItem, .successors].contains(ingredient))
            return
        }
        let opened = try part.opened(prefix: "part", itemCount: matrix.itemCount, properties: [:])
        let file = try ModelFile(ModelBytes(ModelFormat.encode(part.sections)))
        let lists = try file.lists("part", itemCount: matrix.itemCount)
        var space = PartSpace()
        for (rule, served) in zip(opened.rules, opened.parts) {
            for user in stride(from: 0, to: matrix.userCount, by: 17) {
                let history = history(user)
                var expected = [Double](repeating: 0, count: matrix.itemCount)
                rule.forEach(history) { index, weight in
                    for position in lists.range(of: Int(history.rows[index])) {
                        expected[Int(lists.rows.buffer[position])] += Double(weight) * Double(lists.strengths.buffer[position])
                    }
                }
                #expect(served.begin(history, &space) != nil)
                #expect(largestDifference(served, &space, expected) <= 1e-5)
            }
        }
        withExtendedLifetime((opened, file)) {}
    }

    @Test func `the spectrum's scores are the user's row projected`() throws {
        let fitting = IngredientFit(matrix, Self.configuration, plan)
        let part = try #require(try fitting.fit(.spectrum, prefix: "part", LinearCases.span))
        let opened = try part.opened(prefix: "part", itemCount: matrix.itemCount, properties: [:])
        var flat = weighting
        flat.recencyBoost = 0
        let (normalized, degrees) = GraphFit.normalize(try matrix.userItems(flat), itemCount: matrix.itemCount)
        let rank = plan.spectrumRank
        let vectors = try SpectrumFit(rank: rank, seed: 1, threads: 1).fit(normalized, itemCount: matrix.itemCount, LinearCases.span)
            .vectors
        let served = try #require(opened.rules.firstIndex { $0.kind == .flat }.map { opened.parts[$0] })
        var space = PartSpace()
        for user in stride(from: 0, to: matrix.userCount, by: 17) {
            // x D^-1/2 V V' D^1/2 of the training row x.
            let history = history(user)
            var inner = [Double](repeating: 0, count: rank)
            for (row, weight) in zip(history.rows, history.flatWeights) {
                let scale = Double(weight) / Double(degrees[Int(row)]).squareRoot()
                for dimension in 0..<rank { inner[dimension] += scale * Double(vectors[Int(row) * rank + dimension]) }
            }
            let expected = (0..<matrix.itemCount).map { item in
                (0..<rank).reduce(0.0) { $0 + inner[$1] * Double(vectors[item * rank + $1]) } * Double(degrees[item]).squareRoot()
            }
            #expect(served.begin(history, &space) != nil)
            #expect(largestDifference(served, &space, expected) <= 1e-4)
        }
        withExtendedLifetime(opened) {}
    }

    @Test func `the sharpening takes back what the spectrum leaves of graph and low pass`() throws {
        let fitting = IngredientFit(matrix, Self.configuration, plan)
        let part = try #require(try fitting.fit(.sharpening, prefix: "part", LinearCases.span))
        let opened = try part.opened(prefix: "part", itemCount: matrix.itemCount, properties: [:])
        let served = try #require(opened.parts.first)
        var flat = weighting
        flat.recencyBoost = 0
        let (normalized, degrees) = GraphFit.normalize(try matrix.userItems(flat), itemCount: matrix.itemCount)
        let spectrum = try SpectrumFit(rank: plan.spectrumRank, seed: 1, threads: 1)
            .fit(normalized, itemCount: matrix.itemCount, LinearCases.span)
        let definition = SharpeningDefinition(spectrum, degrees: degrees.map { Double($0) })
        var space = PartSpace()
        for user in stride(from: 0, to: matrix.userCount, by: 17) {
            let history = history(user)
            let expected = definition.scores(history.rows, history.weights)
            #expect(served.begin(history, &space) != nil)
            #expect(largestDifference(served, &space, expected) <= 1e-4)
            let row = user % matrix.itemCount
            var parts = [Float](repeating: 0, count: history.count)
            served.addParts(1, of: Int32(row), history, &space, to: &parts)
            let largest = expected.map { abs($0) }.max() ?? 0
            #expect(abs(Double(parts.reduce(0, +)) - expected[row]) <= 1e-4 * largest)
        }
        withExtendedLifetime(opened) {}
    }

    @Test func `eigenvalues are those of the item graph`() throws {
        var flat = weighting
        flat.recencyBoost = 0
        let (normalized, _) = GraphFit.normalize(try matrix.userItems(flat), itemCount: matrix.itemCount)
        let spectrum = try SpectrumFit(rank: 16, rounds: 40, seed: 1, threads: 1)
            .fit(normalized, itemCount: matrix.itemCount, LinearCases.span)
        // None is above 1, which belongs to the roots of the degrees.
        #expect(abs((spectrum.eigenvalues.max() ?? 0) - 1) < 1e-4)
        for column in [0, 15] {
            var square = 0.0
            for row in 0..<normalized.rowCount {
                var product = 0.0
                for position in normalized.offsets[row]..<normalized.offsets[row + 1] {
                    let entry = Double(spectrum.vectors[Int(normalized.columns[position]) * 16 + column])
                    product += Double(normalized.values[position]) * entry
                }
                square += product * product
            }
            #expect(abs(square - Double(spectrum.eigenvalues[column])) < 1e-3)
        }
    }

    /// Relative to the largest score.
    private func largestDifference(_ part: any BlendPart, _ space: inout PartSpace, _ expected: [Double]) -> Double {
        var scores = [Float](repeating: 0, count: expected.count)
        part.addExactly(1, &space, rows: (0..<Int32(expected.count)).map { $0 }, to: &scores)
        let largest = expected.map { abs($0) }.max() ?? 0
        let difference = zip(scores, expected).map { abs(Double($0) - $1) }.max() ?? .infinity
        return difference / max(largest, .leastNormalMagnitude)
    }
}

/// -x V (1 - e^-lambda) V' with x = r (P + L / 2), P = V diag(lambda) V', L = D^-1/2 V V' D^1/2, term by term.
private struct SharpeningDefinition {
    let vectors: [[Double]]
    let eigenvalues: [Double]
    let degrees: [Double]

    init(_ spectrum: SpectrumFit.Spectrum, degrees: [Double]) {
        let rank = spectrum.eigenvalues.count
        vectors = degrees.indices.map { item in (0..<rank).map { Double(spectrum.vectors[item * rank + $0]) } }
        eigenvalues = spectrum.eigenvalues.map { Double($0) }
        self.degrees = degrees
    }

    func scores(_ rows: [Int32], _ weights: [Float]) -> [Double] {
        var x = [Double](repeating: 0, count: degrees.count)
        for (row, weight) in zip(rows, weights) {
            for item in degrees.indices {
                let roots = (degrees[item] / degrees[Int(row)]).squareRoot()
                for (k, value) in eigenvalues.enumerated() {
                    let product = vectors[Int(row)][k] * vectors[item][k]
                    x[item] += Double(weight) * product * (value + 0.5 * roots)
                }
            }
        }
        var result = [Double](repeating: 0, count: degrees.count)
        for (k, value) in eigenvalues.enumerated() {
            var inner = 0.0
            for item in degrees.indices { inner += x[item] * vectors[item][k] }
            for item in degrees.indices { result[item] -= inner * (1 - exp(-value)) * vectors[item][k] }
        }
        return result
    }
}
