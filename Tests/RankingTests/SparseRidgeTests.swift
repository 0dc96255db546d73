import Testing

@testable import Ranking

@Suite struct SparseRidgeTests {
    let planted = PlantedData()

    private func rows() throws -> (rows: SparseRows, core: ItemCore) {
        let matrix = try InteractionMatrix(planted.training(), FitConfiguration(recipe: .userPersonalization))
        let core = ItemCore(users: matrix.popularity().users, limit: .max)
        return (core.restricting(try matrix.userItems(LinearCases.weighting)), core)
    }

    private func sparse(
        _ rows: SparseRows, targets: SparseRows, _ core: ItemCore, excludesSelf: Bool = true, ridge: Float = 20,
        neighbors: Int = 1000, scales: [Float]? = nil, threads: Int = 2
    ) throws -> NeighborLists {
        var gram = HalfGram(rows, width: core.count)
        #expect(try gram.multiply(threads: threads, budgetBytes: .max, LinearCases.span))
        return try SparseRidge(ridge: ridge, neighbors: neighbors, threads: threads, leastShare: 0).fit(
            gram, targets: targets, excludesSelf: excludesSelf, scales: scales ?? [Float](repeating: 1, count: core.count),
            items: core.items, itemCount: core.places.count, LinearCases.span)
    }

    @Test func `with all sources as neighbors EASE is the closed form`() throws {
        let cases = try LinearCases.load()
        let matrix = try cases.matrix()
        let core = ItemCore(users: matrix.popularity().users, limit: .max)
        let inner = core.restricting(try matrix.userItems(LinearCases.weighting))
        let lists = try sparse(inner, targets: inner, core, ridge: cases.ridge)
        #expect(largestDifference(lists.dense(cases.items), cases.ease) < 1e-5)
    }

    @Test func `the next-item model solves the normal equations of every neighborhood`() throws {
        let cases = try LinearCases.load()
        let matrix = try cases.matrix()
        let users = matrix.popularity().users
        let core = ItemCore(users: users, limit: .max)
        let fit = NextItemFit(
            rule: SourceRule(kind: .decayed, window: cases.window, span: cases.span), targets: 3, targetSpan: cases.targetSpan,
            ridge: cases.ridge, popularityExponent: cases.popularityExponent, limit: 100, threads: 2)
        let (sources, nexts) = fit.pairs(matrix, LinearCases.weighting, core)
        let n = core.count
        let gram = try SparseProduct(sources, leftWidth: n, sources, rightWidth: n).dense(rows: n, threads: 1, LinearCases.span)
        let cross = try SparseProduct(sources, leftWidth: n, nexts, rightWidth: n).dense(rows: n, threads: 1, LinearCases.span)
        let weights = try sparse(sources, targets: nexts, core, excludesSelf: false, ridge: cases.ridge, neighbors: 4).dense(cases.items)
        for target in 0..<n {
            let column = core.items.map { weights[Int($0)][Int(core.items[target])] }
            #expect(column.count { $0 != 0 } == min(4, (0..<n).count { cross.base[$0 * n + target] != 0 }))
            for source in 0..<n where column[source] != 0 {
                let left = (0..<n).reduce(cases.ridge * column[source]) { $0 + gram.base[source * n + $1] * column[$1] }
                #expect(abs(left - cross.base[source * n + target]) < 1e-4)
            }
        }
    }

    @Test func `few neighbors are the best ones, the same for any number of threads`() throws {
        let (rows, core) = try rows()
        let one = try sparse(rows, targets: rows, core, neighbors: 10, threads: 1)
        let three = try sparse(rows, targets: rows, core, neighbors: 10, threads: 3)
        #expect(one.offsets == three.offsets && one.rows == three.rows && one.strengths == three.strengths)
        var sourcesOfTarget = [Int](repeating: 0, count: planted.itemCount)
        var inside = 0
        for source in 0..<planted.itemCount {
            for position in Int(one.offsets[source])..<Int(one.offsets[source + 1]) {
                let target = Int(one.rows[position])
                sourcesOfTarget[target] += 1
                #expect(target != source)
                if planted.block(ofItem: Int32(target)) == planted.block(ofItem: Int32(source)) { inside += 1 }
            }
        }
        #expect(sourcesOfTarget.allSatisfy { $0 == 10 })
        #expect(Double(inside) > 0.85 * Double(one.rows.count))
    }

    @Test func `products that take more than the budget are not made`() throws {
        let (rows, core) = try rows()
        var gram = HalfGram(rows, width: core.count)
        #expect(try gram.multiply(threads: 2, budgetBytes: .max, LinearCases.span))
        let needed = try #require(gram.offsets.last) * 8
        var tight = HalfGram(rows, width: core.count)
        #expect(try !tight.multiply(threads: 2, budgetBytes: needed - 1, LinearCases.span))
        #expect(tight.offsets == [0])
        #expect(
            try EaseFit(ridge: 20, limit: 10, threads: 2)
                .fitSparsely(
                    rows, ItemCore(users: [Float](repeating: 2, count: core.count), limit: .max), neighbors: 10, budgetBytes: 8,
                    LinearCases.span)
                == nil)
    }

    @Test func `frequent columns come last, so that their rows are short`() throws {
        let (rows, core) = try rows()
        var gram = HalfGram(rows, width: core.count)
        _ = try gram.multiply(threads: 1, budgetBytes: .max, LinearCases.span)
        let trap = gram.places[Int(core.places[Int(planted.trap)])]
        #expect(Int(trap) == core.count - 1)
        #expect(gram.offsets[Int(trap)] == gram.offsets[Int(trap) + 1])
    }
}
