import Testing

@testable import Ranking

@Suite struct ImplicitALSTests {
    let planted = PlantedData()

    private func als(_ solver: ImplicitALS.Solver) -> ImplicitALS {
        ImplicitALS(
            solver: solver, dimensions: 16, iterations: 8, unobservedWeight: 0.05, regularization: 0.01, regularizationExponent: 1, seed: 1,
            threads: 2)
    }

    /// What alternating least squares minimizes, by its definition: w (x.y - 1)^2 over the pairs, alpha (x.y)^2 over all
    /// users and items, lambda |x|^2 over all rows.
    private func objective(_ als: ImplicitALS, _ byUser: SparseRows, _ users: [Float], _ items: [Float]) -> Double {
        let d = als.dimensions
        let itemCount = items.count / d
        func vector(_ factors: [Float], _ row: Int) -> [Double] { factors[row * d..<(row + 1) * d].map { Double($0) } }
        var sum = 0.0
        var itemWeights = [Float](repeating: 0, count: itemCount)
        for user in 0..<byUser.rowCount {
            let x = vector(users, user)
            let range = byUser.offsets[user]..<byUser.offsets[user + 1]
            let weights = Dictionary(uniqueKeysWithValues: range.map { (byUser.columns[$0], byUser.values[$0]) })
            for item in 0..<itemCount {
                let score = zip(x, vector(items, item)).reduce(0) { $0 + $1.0 * $1.1 }
                sum += Double(als.unobservedWeight) * score * score
                guard let weight = weights[Int32(item)] else { continue }
                sum += Double(weight) * (score - 1) * (score - 1)
                itemWeights[item] += weight
            }
            let lambda = als.regularization(weightSum: weights.values.reduce(0, +), otherRows: itemCount)
            sum += Double(lambda) * x.reduce(0) { $0 + $1 * $1 }
        }
        for item in 0..<itemCount {
            let lambda = als.regularization(weightSum: itemWeights[item], otherRows: byUser.rowCount)
            sum += Double(lambda) * vector(items, item).reduce(0) { $0 + $1 * $1 }
        }
        return sum
    }

    @Test func `a few steps a round reach the objective of exact solutions`() throws {
        let matrix = try InteractionMatrix(planted.training(), FitConfiguration(recipe: .userPersonalization))
        let rows = matrix.userItems(LinearCases.weighting)
        func reached(_ solver: ImplicitALS.Solver) throws -> Double {
            let both = try als(solver).factorize(rows, itemCount: matrix.itemCount, LinearCases.span)
            return objective(als(solver), rows, both.users, both.items)
        }
        let exact = try reached(.exact)
        #expect(try reached(.byShape) < exact * 1.003)
        let nothing = objective(
            als(.exact), rows, [Float](repeating: 0, count: rows.rowCount * 16), [Float](repeating: 0, count: matrix.itemCount * 16))
        #expect(exact < 0.8 * nothing)
    }

    @Test func `the loss falls from round to round, and is that of the definition`() throws {
        let matrix = try InteractionMatrix(planted.training(), FitConfiguration(recipe: .userPersonalization))
        let rows = matrix.userItems(LinearCases.weighting)
        let both = try als(.exact).factorize(rows, itemCount: matrix.itemCount, LinearCases.span)
        #expect(both.losses.count == als(.exact).iterations)
        #expect(zip(both.losses, both.losses.dropFirst()).allSatisfy { $1 <= $0 * 1.0001 })
        let whole = objective(als(.exact), rows, both.users, both.items) / Double(rows.rowCount)
        #expect(abs((both.losses.last ?? 0) - whole) < 1e-3 * whole)
    }

    @Test(arguments: [0, 1, 5, 8, 9, 300])
    func `enough steps, and the small system of a short row, end at the exact solution`(_ count: Int) {
        var random = RandomSource(seed: 5)
        let d = 16
        let factors = (0..<400 * d).map { _ in random.normal() }
        let gram = factors.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { NormalEquations.gram($0, rows: 400, dimensions: d) } ?? []
        }
        let rows = (0..<Int32(count)).map { ($0 * 7) % 400 }
        let weights = (0..<count).map { 1 + Float($0 % 3) }
        var exact = [Float](repeating: 0, count: d)
        var equations = NormalEquations(dimensions: d)
        #expect(
            equations.solve(
                gram: gram, unobservedWeight: 0.1, regularization: 0.5, factors: factors, rows: rows, weights: weights, count: count,
                solution: &exact))
        var short = ShortRowSolver(dimensions: d)
        if count > 0, count <= ShortRowSolver.entryLimit(dimensions: d) {
            let axes = GramAxes(gram, dimensions: d)
            var solution = [Float](repeating: .nan, count: d)
            let isSolved = axes.map {
                short.solve(
                    axes: $0, unobservedWeight: 0.1, regularization: 0.5, factors: factors, rows: rows, weights: weights, count: count,
                    solution: &solution)
            }
            #expect(isSolved == true)
            #expect(largestOf(zip(solution, exact).map { $0 - $1 }) < 1e-4)
        }
        var solution = (0..<d).map { _ in random.normal() }
        var gradient = ConjugateGradient(dimensions: d)
        for _ in 0..<12 {
            #expect(
                gradient.improve(
                    gram: gram, unobservedWeight: 0.1, regularization: 0.5, factors: factors, rows: rows, weights: weights, count: count,
                    solution: &solution))
        }
        #expect(largestOf(zip(solution, exact).map { $0 - $1 }) < 1e-4)
        #expect(count == 0 || largestOf(exact) > 0.01)
    }

    @Test func `numbers that are not finite leave the solution alone`() {
        var solution: [Float] = Array(repeating: 0.5, count: 16)
        var gradient = ConjugateGradient(dimensions: 16)
        let factors = [Float](repeating: .nan, count: 16)
        #expect(
            !gradient.improve(
                gram: [Float](repeating: 0, count: 256), unobservedWeight: 0.1, regularization: 0.5, factors: factors, rows: [0],
                weights: [1], count: 1, solution: &solution))
        #expect(solution == Array(repeating: 0.5, count: 16))
    }
}
