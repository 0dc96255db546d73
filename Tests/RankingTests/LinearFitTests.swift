import Foundation
import Testing

@testable import Ranking

@Suite struct LinearFitTests {
    @Test func `EASE is the closed form`() throws {
        let cases = try LinearCases.load()
        let matrix = try cases.matrix()
        let core = ItemCore(users: matrix.popularity().users, limit: 100)
        let fit = EaseFit(ridge: cases.ridge, limit: 100, threads: 2)
        let lists = try #require(try fit.fit(matrix.userItems(LinearCases.weighting), core, LinearCases.span))
        #expect(largestDifference(lists.dense(cases.items), cases.ease) < 1e-5)
    }

    @Test func `the next-item model is the closed form`() throws {
        let cases = try LinearCases.load()
        let matrix = try cases.matrix()
        let users = matrix.popularity().users
        let fit = NextItemFit(
            rule: SourceRule(kind: .decayed, window: cases.window, span: cases.span), targets: 3, targetSpan: cases.targetSpan,
            ridge: cases.ridge, popularityExponent: cases.popularityExponent, limit: 100, threads: 2)
        let lists = try #require(
            try fit.fit(matrix, LinearCases.weighting, ItemCore(users: users, limit: 100), users: users, LinearCases.span))
        #expect(largestDifference(lists.dense(cases.items), cases.nextItem) < 1e-5)
    }

    @Test func `the item graph is the product of the normalized interactions`() throws {
        let cases = try LinearCases.load()
        var rows = try cases.matrix().userItems(LinearCases.weighting)
        rows.values = rows.values.map { _ in 1 }
        let normalized = GraphFit.normalize(rows, itemCount: cases.items).rows
        let lists = try GraphFit(limit: 100, threads: 2).fit(normalized, itemCount: cases.items, LinearCases.span)
        #expect(largestDifference(lists.dense(cases.items), cases.graph) < 1e-5)
    }

    @Test func `large catalogs get the same item graph`() throws {
        let planted = PlantedData()
        let matrix = try InteractionMatrix(planted.training(), FitConfiguration(recipe: .userPersonalization))
        let normalized = GraphFit.normalize(try matrix.userItems(LinearCases.weighting), itemCount: planted.itemCount).rows
        let dense = try GraphFit(limit: 20, threads: 2).fit(normalized, itemCount: planted.itemCount, LinearCases.span)
        let sparse = try GraphFit(limit: 20, threads: 2, denseItems: 10)
            .fit(normalized, itemCount: planted.itemCount, LinearCases.span)
        #expect(dense.rows == sparse.rows)
        #expect(dense.strengths == sparse.strengths)
    }

    @Test func `the spectrum spans the strongest singular vectors`() throws {
        let cases = try LinearCases.load()
        var rows = try cases.matrix().userItems(LinearCases.weighting)
        rows.values = rows.values.map { _ in 1 }
        let normalized = GraphFit.normalize(rows, itemCount: cases.items).rows
        let vectors = try SpectrumFit(rank: 2, rounds: 60, seed: 3, threads: 2).fit(
            normalized, itemCount: cases.items, LinearCases.span
        ).vectors
        let projection = (0..<cases.items).map { (a: Int) -> [Float] in
            (0..<cases.items).map { (b: Int) -> Float in
                let first: Float = vectors[a * 2] * vectors[b * 2]
                return first + vectors[a * 2 + 1] * vectors[b * 2 + 1]
            }
        }
        #expect(largestDifference(projection, cases.projection) < 1e-3)
    }

    @Test(arguments: [1, 2, 191, 192, 193, 500], [1, 3])
    func `a matrix times its inverse is one`(_ size: Int, threads: Int) throws {
        var random = RandomSource(seed: 5)
        let factor = (0..<size * 8).map { _ in random.normal() }
        let matrix = SharedArray<Float>(repeating: 0, count: size * size)
        for row in 0..<size {
            for column in 0..<size {
                matrix.base[row * size + column] = row == column ? 3 : 0
                for inner in 0..<8 { matrix.base[row * size + column] += factor[row * 8 + inner] * factor[column * 8 + inner] }
            }
        }
        let original = (0..<size * size).map { matrix.base[$0] }
        #expect(try SymmetricInverse(matrix: matrix, size: size, threads: threads).invert(LinearCases.span))
        var errors: [Float] = []
        for row in stride(from: 0, to: size, by: max(1, size / 9)) {
            for column in 0..<size {
                var sum: Float = 0
                for inner in 0..<size { sum += matrix.base[row * size + inner] * original[inner * size + column] }
                errors.append(sum - (row == column ? 1 : 0))
            }
        }
        #expect(largestOf(errors) < 1e-3)
    }

    @Test func `a matrix that is not positive definite is refused`() throws {
        let matrix = SharedArray<Float>(repeating: 0, count: 4)
        matrix.base[0] = 1
        matrix.base[2] = 2
        matrix.base[3] = 1
        #expect(try !SymmetricInverse(matrix: matrix, size: 2, threads: 1).invert(LinearCases.span))
    }

    @Test func `what is pruned is no larger than what stays`() throws {
        let planted = PlantedData()
        let matrix = try InteractionMatrix(planted.training(), FitConfiguration(recipe: .userPersonalization))
        let rows = try matrix.userItems(LinearCases.weighting)
        let core = ItemCore(users: matrix.popularity().users, limit: 1000)
        let whole = try #require(try EaseFit(ridge: 20, limit: 1000, threads: 2).fit(rows, core, LinearCases.span))
        let pruned = try #require(try EaseFit(ridge: 20, limit: 12, threads: 2).fit(rows, core, LinearCases.span))
        let all = whole.dense(planted.itemCount)
        let kept = pruned.dense(planted.itemCount)
        let least = kept.joined().filter { $0 != 0 }.map { abs($0) }.min() ?? 0
        let counts = kept.map { $0.count { $0 != 0 } }
        #expect(counts.allSatisfy { $0 <= 4 * 12 } && abs(counts.reduce(0, +) - 12 * core.count) <= core.count)
        for (item, row) in kept.enumerated() {
            // Of a row that is full, what is below its own least goes as well.
            let least = counts[item] == 4 * 12 ? row.filter { $0 != 0 }.map { abs($0) }.min() ?? 0 : least
            for (column, value) in all[item].enumerated() {
                #expect(row[column] == value || (row[column] == 0 && abs(value) <= least))
            }
        }
    }

    @Test func `weights of the most popular targets take the place of others`() throws {
        var sparse = NeighborLists()
        (sparse.offsets, sparse.rows, sparse.strengths) = ([0, 2, 3, 3], [1, 2, 0], [0.5, 0.4, 0.3])
        var dense = NeighborLists()
        (dense.offsets, dense.rows, dense.strengths) = ([0, 1, 1, 2], [1, 1], [-0.6, 0.1])
        let both = sparse.replacing(targets: ItemCore(users: [2, 9, 2], limit: 1), with: dense)
        #expect(both.offsets == [0, 2, 3, 4] && both.rows == [1, 2, 0, 1] && both.strengths == [-0.6, 0.4, 0.3, 0.1])
    }

    @Test func `a request's history gives what the same user gave in training`() throws {
        let cases = try LinearCases.load()
        let matrix = try cases.matrix()
        let fit = NextItemFit(
            rule: SourceRule(kind: .decayed, window: cases.window, span: cases.span), ridge: cases.ridge, limit: 100, threads: 1)
        // With one more event the last row of the training matrix is the history before it.
        let core = ItemCore(users: matrix.popularity().users, limit: 100)
        var history = WeightedHistory()
        for user in 0..<matrix.userCount {
            var alone = matrix
            alone.offsets = [matrix.offsets[user], matrix.offsets[user + 1]]
            alone.userIDs = [0]
            let pairs = fit.pairs(alone, LinearCases.weighting, core)
            let range = pairs.sources.offsets[pairs.sources.rowCount - 1]..<pairs.sources.columns.count
            let start = matrix.offsets[user]
            history.collect(
                count: matrix.offsets[user + 1] - start - 1, itemCount: matrix.itemCount, LinearCases.weighting
            ) { (matrix.items[start + $0], 0, .nan) }
            var served: [Int32: Float] = [:]
            fit.rule.forEach(history) { index, weight in served[history.rows[index]] = weight }
            let trained = Dictionary(
                uniqueKeysWithValues: range.map { (core.items[Int(pairs.sources.columns[$0])], pairs.sources.values[$0]) })
            #expect(served == trained)
        }
    }
}
