import Kernels
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
        let rows = try matrix.userItems(LinearCases.weighting)
        func reached(_ solver: ImplicitALS.Solver) throws -> Double {
            let both = try als(solver).factorize(rows, itemCount: matrix.itemCount, LinearCases.span)
            return objective(als(solver), rows, both.users, both.items)
        }
        let exact = try reached(.exact)
        #expect(try reached(.byShape) < exact * 1.001)
        let nothing = objective(
            als(.exact), rows, [Float](repeating: 0, count: rows.rowCount * 16), [Float](repeating: 0, count: matrix.itemCount * 16))
        #expect(exact < 0.8 * nothing)
    }

    @Test func `half of the rounds suffice from factors of some of the users`() throws {
        let matrix = try InteractionMatrix(planted.training(), FitConfiguration(recipe: .userPersonalization))
        let rows = try matrix.userItems(LinearCases.weighting)
        var some = SparseRows()
        for user in stride(from: 0, to: rows.rowCount, by: 2) {
            some.columns += rows.columns[rows.offsets[user]..<rows.offsets[user + 1]]
            some.values += rows.values[rows.offsets[user]..<rows.offsets[user + 1]]
            some.offsets.append(some.columns.count)
        }
        let als = als(.byShape)
        let start = try als.factorize(some, itemCount: matrix.itemCount, LinearCases.span).items
        let near = try als.factorize(rows, itemCount: matrix.itemCount, from: start, LinearCases.span)
        let anew = try als.factorize(rows, itemCount: matrix.itemCount, LinearCases.span)
        #expect(near.losses.count == 4 && anew.losses.count == 8)
        // Users are few here, and half of them tell less of the others than they do of their own.
        #expect(near.losses[3] < anew.losses[3] && near.losses[3] < 1.02 * anew.losses[7])
        // What is of another size is not used.
        let other = try als.factorize(rows, itemCount: matrix.itemCount, from: Array(start.dropLast()), LinearCases.span)
        #expect(other.items == anew.items && other.losses == anew.losses)
    }

    @Test func `the loss falls from round to round, and is that of the definition`() throws {
        let matrix = try InteractionMatrix(planted.training(), FitConfiguration(recipe: .userPersonalization))
        let rows = try matrix.userItems(LinearCases.weighting)
        let both = try als(.exact).factorize(rows, itemCount: matrix.itemCount, LinearCases.span)
        #expect(both.losses.count == als(.exact).iterations)
        #expect(zip(both.losses, both.losses.dropFirst()).allSatisfy { $1 <= $0 * 1.0001 })
        let whole = objective(als(.exact), rows, both.users, both.items) / Double(rows.rowCount)
        #expect(abs((both.losses.last ?? 0) - whole) < 1e-3 * whole)
    }

    private struct Case {
        let d = 64
        let factors: [Float]
        let gram: [Float]
        let rows: [Int32]
        let weights: [Float]
        let start: [Float]

        init(count: Int) {
            var random = RandomSource(seed: 5)
            let d = d
            factors = (0..<400 * d).map { _ in random.normal() }
            gram = factors.withUnsafeBufferPointer { buffer in
                buffer.baseAddress.map { NormalEquations.gram($0, rows: 400, dimensions: d) } ?? []
            }
            rows = (0..<Int32(count)).map { ($0 * 7) % 400 }
            weights = (0..<count).map { 1 + Float($0 % 3) }
            start = (0..<d).map { _ in random.normal() }
        }

        /// By Cholesky of the whole system, in LAPACK.
        var exact: [Float]? {
            var solution = [Float](repeating: 0, count: d)
            var equations = NormalEquations(dimensions: d)
            let isSolved = equations.solve(
                gram: gram, unobservedWeight: 0.1, regularization: 0.5, factors: factors, rows: rows, weights: weights,
                count: rows.count, solution: &solution)
            return isSolved ? solution : nil
        }

        /// By `body` in the coordinates of the Gram matrix's axes.
        func turned(_ start: [Float], _ body: (RowSolver.Row, UnsafeMutablePointer<Float>) -> Bool) throws -> [Float]? {
            let axes = try #require(GramAxes(gram, dimensions: d))
            var turned = factors
            axes.turn(factors, count: 400, into: &turned)
            var solution = start
            axes.turn(start, count: 1, into: &solution)
            let isSolved = turned.withUnsafeBufferPointer { turned in
                guard let turned = turned.baseAddress else { return false }
                return rows.withUnsafeBufferPointer { rows in
                    weights.withUnsafeBufferPointer { weights in
                        guard let rows = rows.baseAddress, let weights = weights.baseAddress else { return false }
                        return body(
                            RowSolver.Row(
                                axes: axes, unobservedWeight: 0.1, regularization: 0.5, factors: turned, rows: rows, weights: weights,
                                count: self.rows.count), &solution)
                    }
                }
            }
            var result = solution
            axes.turnBack(solution, into: &result)
            return isSolved ? result : nil
        }
    }

    @Test(arguments: [1, 5, 16, 17, 32, 40, 48, 49, 64, 65, 300])
    func `the kernel's solution is that of the whole system, the same bits on every path`(_ count: Int) throws {
        let one = Case(count: count)
        let exact = try #require(one.exact)
        let zero = [Float](repeating: 0, count: one.d)
        let solutions = try kernelPaths.map { path in
            var solver = RowSolver(dimensions: one.d, path: path)
            return try #require(
                try one.turned(zero) { row, solution in
                    solver.add(row, solution)
                    return solver.finish()
                })
        }
        #expect(solutions.allSatisfy { $0 == solutions[0] })
        #expect(largestOf(zip(solutions[0], exact).map { $0 - $1 }) < 1e-4)
        #expect(largestOf(exact) > 0.01)
    }

    @Test func `rows solved together get the bits that each gets alone`() throws {
        let counts = [0, 1, 16, 17, 300, 48, 5, 64, 33, 64, 2, 100, 49, 31, 400, 18, 7, 63, 200]
        let one = Case(count: 400)
        for path in kernelPaths {
            var (alone, together) = (RowSolver(dimensions: one.d, path: path), RowSolver(dimensions: one.d, path: path))
            var isSolved = true
            let solutions = try [true, false].map { isAlone in
                var solutions = [Float](repeating: .nan, count: counts.count * one.d)
                _ = try one.turned(one.start) { row, _ in
                    solutions.withUnsafeMutableBufferPointer { solutions in
                        guard let base = solutions.baseAddress else { return false }
                        for (index, count) in counts.enumerated() {
                            var row = row
                            row.count = count
                            row.regularization = 0.5 + Float(index)
                            if isAlone {
                                alone.add(row, base + index * one.d)
                                isSolved = alone.finish() && isSolved
                            } else {
                                together.add(row, base + index * one.d)
                            }
                        }
                        isSolved = together.finish() && isSolved
                        return true
                    }
                }
                return solutions
            }
            #expect(isSolved && solutions[0] == solutions[1])
            #expect(solutions[0].allSatisfy(\.isFinite) && solutions[0][..<one.d].allSatisfy { $0 == 0 })
        }
    }

    @Test(arguments: [1, 5, 9, 40, 300])
    func `enough steps end at the exact solution, the same bits on every path`(_ count: Int) throws {
        let one = Case(count: count)
        let exact = try #require(one.exact)
        let solutions = try kernelPaths.map { path in
            var solver = RowSolver(dimensions: one.d, path: path)
            return try #require(
                try one.turned(one.start) { row, solution in (0..<30).allSatisfy { _ in solver.improve(row, solution) } })
        }
        #expect(solutions.allSatisfy { $0 == solutions[0] })
        #expect(largestOf(zip(solutions[0], exact).map { $0 - $1 }) < 1e-4)
    }

    @Test(arguments: [1, 5, 16, 32]) func `a short row is solved without turning all factors`(_ count: Int) throws {
        let one = Case(count: count)
        let axes = try #require(GramAxes(one.gram, dimensions: one.d))
        var short = ShortRowSolver(dimensions: one.d)
        var solution = [Float](repeating: .nan, count: one.d)
        #expect(
            short.solve(
                axes: axes, unobservedWeight: 0.1, regularization: 0.5, factors: one.factors, rows: one.rows, weights: one.weights,
                count: count, solution: &solution))
        #expect(largestOf(zip(solution, try #require(one.exact)).map { $0 - $1 }) < 1e-4)
    }

    @Test func `numbers that are not finite leave the solution alone`() throws {
        let axes = try #require(GramAxes([Float](repeating: 0, count: 256), dimensions: 16))
        let factors = [Float](repeating: .nan, count: 16)
        for path in kernelPaths {
            var solver = RowSolver(dimensions: 16, path: path)
            var solution: [Float] = Array(repeating: 0.5, count: 16)
            factors.withUnsafeBufferPointer { factors in
                [Int32(0)].withUnsafeBufferPointer { rows in
                    [Float(1)].withUnsafeBufferPointer { weights in
                        guard let factors = factors.baseAddress, let rows = rows.baseAddress, let weights = weights.baseAddress else {
                            return
                        }
                        let row = RowSolver.Row(
                            axes: axes, unobservedWeight: 0.1, regularization: 0.5, factors: factors, rows: rows, weights: weights, count: 1
                        )
                        #expect(!solver.improve(row, &solution))
                        #expect(solution == Array(repeating: 0.5, count: 16))
                        solution.withUnsafeMutableBufferPointer { solution in
                            guard let solution = solution.baseAddress else { return }
                            solver.add(row, solution)
                            let isSolved = solver.finish()
                            #expect(!isSolved)
                        }
                        #expect(solution == Array(repeating: 0, count: 16))
                    }
                }
            }
        }
    }
}
