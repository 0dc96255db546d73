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
    func factorize(
        _ byUser: SparseRows, itemCount: Int, _ span: ProgressSpan
    ) throws(FitError) -> (users: [Float], items: [Float], losses: [Double]) {
        NormalEquations.useOneThreadInside()
        let byItem = byUser.transposed(columnCount: itemCount)
        var random = RandomSource(seed: seed)
        let deviation = 0.1 / Float(dimensions).squareRoot()
        var items = [Float](repeating: 0, count: itemCount * dimensions)
        for index in items.indices { items[index] = deviation * random.normal() }
        var users = [Float](repeating: 0, count: byUser.rowCount * dimensions)
        var losses: [Double] = []
        var basis = TurningBasis(dimensions: dimensions, threads: threads)
        for iteration in 0..<iterations {
            let part = span.part(Double(iteration) / Double(iterations), Double(iteration + 1) / Double(iterations))
            try part.reporter.step(part.start, "Factorizing, round \(iteration + 1) of \(iterations)")
            let isExact = solver == .exact || iteration < Self.exactRounds
            try solve(byUser, exactly: isExact, fixed: &items, into: &users, &basis, part.part(0, 0.5))
            try solve(byItem, exactly: isExact, fixed: &users, into: &items, &basis, part.part(0.5, 1))
            losses.append(loss(users: users, items: items, byUser: byUser, byItem: byItem))
        }
        // Along the axes a few dimensions hold most of every vector, which eight bits tell less exactly.
        try basis.turnBack(&users, span.part(1, 1))
        try basis.turnBack(&items, span.part(1, 1))
        return (users, items, losses)
    }

    /// Solves one side in the coordinates along the axes of the other one's Gram matrix, to which both are turned; products
    /// between the sides are the same in any.
    private func solve(
        _ rows: SparseRows, exactly isExact: Bool, fixed: inout [Float], into solved: inout [Float], _ basis: inout TurningBasis,
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
                try ParallelRows(threads: threads).run(count: rows.rowCount, chunk: 16, span: span) {
                    var solver = RowSolver(dimensions: d)
                    return { range in
                        for row in range { solveRow(row, of: rows, isExact, others, axes, &solver, output.pointer + row * d) }
                    }
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func solveRow(
        _ row: Int, of rows: SparseRows, _ isExact: Bool, _ fixed: [Float], _ axes: GramAxes, _ solver: inout RowSolver,
        _ solution: UnsafeMutablePointer<Float>
    ) {
        let range = rows.offsets[row]..<rows.offsets[row + 1]
        var weightSum: Float = 0
        for position in range { weightSum += rows.values[position] }
        fixed.withUnsafeBufferPointer { factors in
            rows.columns.withUnsafeBufferPointer { columns in
                rows.values.withUnsafeBufferPointer { values in
                    guard let factors = factors.baseAddress, let columns = columns.baseAddress, let values = values.baseAddress
                    else { return }
                    let system = RowSolver.Row(
                        axes: axes, unobservedWeight: unobservedWeight,
                        regularization: regularization(weightSum: weightSum, otherRows: fixed.count / dimensions),
                        factors: factors, rows: columns + range.lowerBound, weights: values + range.lowerBound, count: range.count)
                    let isGradual =
                        !isExact && range.count >= RowSolver.gradientLeast
                        && range.count <= RowSolver.gradientLimit(dimensions: dimensions)
                    if !(isGradual && solver.improve(system, solution)) { solver.solve(system, solution) }
                }
            }
        }
    }
}
