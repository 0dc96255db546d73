import Foundation
import Testing

@testable import Ranking

@Suite struct VectorRecipeTests {
    private static let dimensions = 20

    /// Items with ids 3, 6, 9, … in falling order, users 7 and 5.
    private func vectors(_ metric: VectorImport.Metric, items count: Int = 3000) -> VectorImport {
        var random = RandomSource(seed: 3)
        func draw(_ rows: Int) -> [Float] { (0..<rows * Self.dimensions).map { index in random.normal() * Float(1 + index % 7) } }
        return VectorImport(
            metric: metric, dimensions: Self.dimensions, itemIDs: (1...Int32(count)).reversed().map { $0 * 3 }, items: draw(count),
            userIDs: [7, 5], users: draw(2))
    }

    private func vector(_ values: [Float], _ row: Int) -> [Double] {
        values[row * Self.dimensions..<(row + 1) * Self.dimensions].map { Double($0) }
    }

    private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

    private func similarity(_ a: [Double], _ b: [Double], _ metric: VectorImport.Metric) -> Double {
        metric == .cosine ? dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot() : dot(a, b)
    }

    /// Ids by falling similarity to a vector.
    private func bruteForce(_ query: [Double], _ vectors: VectorImport) -> [Int32] {
        vectors.itemIDs.indices.map { (similarity(query, vector(vectors.items, $0), vectors.metric), vectors.itemIDs[$0]) }
            .sorted { $0.0 > $1.0 }.map(\.1)
    }

    @Test(arguments: VectorImport.Metric.allCases, [1, 10, 300])
    func `the best for an imported user are those of brute force`(metric: VectorImport.Metric, count: Int) throws {
        let vectors = vectors(metric)
        let model = try vectors.model().opened()
        var scratch = RankingScratch()
        for (place, user) in vectors.userIDs.enumerated() {
            var request = RankingRequest(count: count)
            request.user = user
            let expected = Array(bruteForce(vector(vectors.users, place), vectors).prefix(count))
            #expect(model.rank(request, scratch: &scratch).items.map(\.item) == expected)
        }
    }

    @Test(arguments: VectorImport.Metric.allCases)
    func `one large component does not hide the best behind rounding`(metric: VectorImport.Metric) throws {
        // Eight bits can tell nothing but the first component; the others decide.
        var vectors = vectors(metric, items: 2000)
        for row in 0..<2000 { vectors.items[row * Self.dimensions] = 5000 }
        vectors.users[0] = 0
        let model = try vectors.model().opened()
        var scratch = RankingScratch()
        var request = RankingRequest(count: 10)
        request.user = 7
        #expect(
            model.rank(request, scratch: &scratch).items.map(\.item) == Array(bruteForce(vector(vectors.users, 0), vectors).prefix(10)))
    }

    @Test func `a filter keeps the answer exact`() throws {
        let vectors = vectors(.innerProduct)
        let model = try vectors.model().opened()
        let rows = stride(from: 0, to: 3000, by: 41).map { $0 }
        var scratch = RankingScratch()
        var request = RankingRequest(allowed: rowBitmap(rows, count: 3000), count: 10)
        request.user = 5
        let allowed = Set(rows.compactMap { model.itemID(ofRow: $0) })
        let expected = bruteForce(vector(vectors.users, 1), vectors).filter { allowed.contains($0) }.prefix(10)
        #expect(model.rank(request, scratch: &scratch).items.map(\.item) == Array(expected))
    }

    @Test(arguments: VectorImport.Metric.allCases)
    func `a history is answered by its mean, and the reasons are exact`(metric: VectorImport.Metric) throws {
        let vectors = vectors(metric)
        let model = try vectors.model().opened()
        var scratch = RankingScratch()
        let history = [HistoryEvent(item: 30), HistoryEvent(item: 600)]
        let request = RankingRequest(history: history, count: 5, explain: true)
        let answer = model.rank(request, scratch: &scratch).items
        // Newer items weigh 1 + 10 exp(-age / 5); rows of the cosine have length 1.
        let weights = [1 + 10 * exp(-0.2), 11.0]
        var mean = [Double](repeating: 0, count: Self.dimensions)
        for (event, weight) in zip(history, weights) {
            let row = try #require(vectors.itemIDs.firstIndex(of: event.item))
            let values = vector(vectors.items, row)
            let scale = metric == .cosine ? 1 / dot(values, values).squareRoot() : 1
            for index in mean.indices { mean[index] += weight * values[index] * scale / weights.reduce(0, +) }
        }
        let known: Set<Int32> = [30, 600]
        #expect(answer.map(\.item) == Array(bruteForce(mean, vectors).filter { !known.contains($0) }.prefix(5)))
        for item in answer {
            let target = vector(vectors.items, try #require(vectors.itemIDs.firstIndex(of: item.item)))
            #expect(abs(Double(item.score ?? 0) - similarity(mean, target, metric)) < 1e-3 * max(1, abs(similarity(mean, target, metric))))
            #expect(item.reasons.allSatisfy { known.contains($0.historyItem) })
        }
        #expect(answer.contains { !$0.reasons.isEmpty })
    }

    @Test func `nobody known gets the popular items`() throws {
        var vectors = vectors(.cosine)
        vectors.popularity = [30: (users: 5, events: 9), 60: (users: 8, events: 8)]
        var scratch = RankingScratch()
        let items = try vectors.model().opened().rank(RankingRequest(count: 2), scratch: &scratch).items
        #expect(items.map(\.item) == [60, 30])
        #expect(items.first?.kind == .popular)
    }

    @Test func `what does not fit is refused with a sentence`() {
        #expect(throws: FitError.unusableData("One item has two vectors.")) {
            try VectorImport(metric: .cosine, dimensions: 1, itemIDs: [4, 4], items: [1, 2]).model()
        }
        #expect(throws: FitError.unusableData("2 item vectors of 2 dimensions have 3 numbers.")) {
            try VectorImport(metric: .cosine, dimensions: 2, itemIDs: [4, 5], items: [1, 2, 3]).model()
        }
        #expect(throws: FitError.unusableData("A user vector holds a number that is not finite or too large.")) {
            try VectorImport(metric: .cosine, dimensions: 1, itemIDs: [4], items: [1], userIDs: [1], users: [.nan]).model()
        }
        #expect(throws: FitError.unusableData("There are no item vectors.")) {
            try VectorImport(metric: .cosine, dimensions: 1, itemIDs: [], items: []).model()
        }
    }
}
