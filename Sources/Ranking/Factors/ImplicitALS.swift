import Foundation

/// Implicit alternating least squares (Hu, Koren, Volinsky 2008) with the tuning of Rendle et al. 2022, "Revisiting the
/// Performance of iALS on Item Recommendation Benchmarks": weight alpha on unobserved pairs, regularization scaled by
/// frequency, init with standard deviation 0.1 / sqrt(d).
struct ImplicitALS: Sendable {
    enum Solver: Sendable {
        /// Cholesky for every row.
        case exact
        /// Conjugate gradients for rows of middling length, Cholesky for the others and in the first rounds, which move far.
        case byShape
    }

    var solver = Solver.byShape
    var dimensions: Int
    var iterations: Int
    /// alpha
    var unobservedWeight: Float
    /// lambda*, scaled per row to lambda* (sum of weights + alpha x other side's rows)^exponent.
    var regularization: Float
    var regularizationExponent: Float
    var seed: UInt64
    var threads: Int

    static let exactRounds = 2

    /// lambda of one row.
    func regularization(weightSum: Float, otherRows: Int) -> Float {
        let lambda = regularization * powf(weightSum + unobservedWeight * Float(otherRows), regularizationExponent)
        return max(lambda, 1e-6)
    }

    /// Both sides, row-major, rows x dimensions, and the loss after each round.
    ///
    /// - Parameter start: items' factors to begin with, from a fit on some of the rows, which save half of the rounds; random ones where it
    ///   has another size.
    func factorize(
        _ byUser: SparseRows, itemCount: Int, from start: [Float] = [], _ span: ProgressSpan
    ) throws(FitError) -> (users: [Float], items: [Float], losses: [Double]) {
        NormalEquations.useOneThreadInside()
        let byItem = byUser.transposed(columnCount: itemCount)
        let userSide = Side(rows: byUser, order: byUser.bySystemSize(dimensions: dimensions))
        let itemSide = Side(rows: byItem, order: byItem.bySystemSize(dimensions: dimensions))
        let isNear = start.count == itemCount * dimensions
        var items = isNear ? start : randomFactors(itemCount)
        let iterations = isNear ? (self.iterations + 1) / 2 : self.iterations
        var users = [Float](repeating: 0, count: byUser.rowCount * dimensions)
        var losses: [Double] = []
        var basis = TurningBasis(dimensions: dimensions, threads: threads)
        for iteration in 0..<iterations {
            let part = span.part(Double(iteration) / Double(iterations), Double(iteration + 1) / Double(iterations))
            try part.reporter.step(part.start, "Factorizing, round \(iteration + 1) of \(iterations)")
            let isExact = solver == .exact || (iteration < Self.exactRounds && !isNear)
            try solve(userSide, exactly: isExact || iteration == 0, fixed: &items, into: &users, &basis, part.part(0, 0.5))
            try solve(itemSide, exactly: isExact, fixed: &users, into: &items, &basis, part.part(0.5, 1))
            losses.append(loss(users: users, items: items, byUser: byUser, byItem: byItem))
        }
        // Along the axes a few dimensions hold most of every vector, which eight bits tell less exactly.
        try basis.turnBack(&users, span.part(1, 1))
        try basis.turnBack(&items, span.part(1, 1))
        return (users, items, losses)
    }

    private func randomFactors(_ rows: Int) -> [Float] {
        var random = RandomSource(seed: seed)
        let deviation = 0.1 / Float(dimensions).squareRoot()
        return (0..<rows * dimensions).map { _ in deviation * random.normal() }
    }

    /// One side's rows, and the order in which they are solved.
    private struct Side {
        let rows: SparseRows
        let order: [Int32]
    }

    /// Solves one side in the coordinates along the axes of the other one's Gram matrix, to which both are turned; products
    /// between the sides are the same in any.
    private func solve(
        _ side: Side, exactly isExact: Bool, fixed: inout [Float], into solved: inout [Float], _ basis: inout TurningBasis,
        _ span: ProgressSpan
    ) throws(FitError) {
        let d = dimensions
        let fixedRows = fixed.count / d
        let gram = fixed.withUnsafeBufferPointer { buffer -> [Float] in
            guard let base = buffer.baseAddress else { return [Float](repeating: 0, count: d * d) }
            return NormalEquations.gram(base, rows: fixedRows, dimensions: d)
        }
        guard let axes = GramAxes(gram, dimensions: d) else { throw .unusableData("The factors are not finite numbers.") }
        basis.follow(axes)
        try basis.turn(&fixed, along: axes, span.part(0, 0))
        if !isExact { try basis.turn(&solved, along: axes, span.part(0, 0)) }
        var failure: FitError?
        let others = fixed
        solved.withUnsafeMutableBufferPointer { target in
            guard let base = target.baseAddress else { return }
            let output = SharedBuffer(pointer: base)
            do throws(FitError) {
                try ParallelRows(threads: threads).run(count: side.order.count, chunk: RowSolver.together, span: span) {
                    var solver = RowSolver(dimensions: d)
                    return { range in solveSome(side.order[range], of: side.rows, isExact, others, axes, &solver, output.pointer) }
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func solveSome(
        _ some: ArraySlice<Int32>, of rows: SparseRows, _ isExact: Bool, _ fixed: [Float], _ axes: GramAxes, _ solver: inout RowSolver,
        _ solutions: UnsafeMutablePointer<Float>
    ) {
        fixed.withUnsafeBufferPointer { factors in
            rows.columns.withUnsafeBufferPointer { columns in
                rows.values.withUnsafeBufferPointer { values in
                    guard let factors = factors.baseAddress, let columns = columns.baseAddress, let values = values.baseAddress
                    else { return }
                    for row in some.lazy.map({ Int($0) }) {
                        let range = rows.offsets[row]..<rows.offsets[row + 1]
                        let weightSum = range.reduce(Float(0)) { $0 + values[$1] }
                        let system = RowSolver.Row(
                            axes: axes, unobservedWeight: unobservedWeight,
                            regularization: regularization(weightSum: weightSum, otherRows: fixed.count / dimensions),
                            factors: factors, rows: columns + range.lowerBound, weights: values + range.lowerBound, count: range.count)
                        solveRow(system, isExact, &solver, solutions + row * dimensions)
                    }
                    solver.finish()
                }
            }
        }
    }

    private func solveRow(
        _ row: RowSolver.Row, _ isExact: Bool, _ solver: inout RowSolver, _ solution: UnsafeMutablePointer<Float>
    ) {
        let isGradual =
            !isExact && row.count >= RowSolver.gradientLeast && row.count <= RowSolver.gradientLimit(dimensions: dimensions)
        if !(isGradual && solver.improve(row, solution)) { solver.add(row, solution) }
    }
}
