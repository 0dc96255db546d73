import Foundation

/// Implicit alternating least squares (Hu, Koren, Volinsky 2008) with the tuning of Rendle et al. 2022, "Revisiting the
/// Performance of iALS on Item Recommendation Benchmarks": weight alpha on unobserved pairs, regularization scaled by
/// frequency, init with standard deviation 0.1 / sqrt(d).
struct ImplicitALS: Sendable {
    enum Solver: Sendable {
        /// Cholesky for every row.
        case exact
        /// Conjugate gradients for rows with few entries, Cholesky for the others and in the first rounds, which move far.
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
        for iteration in 0..<iterations {
            let part = span.part(Double(iteration) / Double(iterations), Double(iteration + 1) / Double(iterations))
            try part.reporter.step(part.start, "Factorizing, round \(iteration + 1) of \(iterations)")
            let isExact = solver == .exact || iteration < Self.exactRounds
            try solve(byUser, exactly: isExact, fixed: items, into: &users, part.part(0, 0.5))
            try solve(byItem, exactly: isExact, fixed: users, into: &items, part.part(0.5, 1))
            losses.append(loss(users: users, items: items, byUser: byUser, byItem: byItem))
        }
        return (users, items, losses)
    }

    private func solve(
        _ rows: SparseRows, exactly isExact: Bool, fixed: [Float], into solved: inout [Float], _ span: ProgressSpan
    ) throws(FitError) {
        let d = dimensions
        let fixedRows = fixed.count / d
        let gram = fixed.withUnsafeBufferPointer { buffer -> [Float] in
            guard let base = buffer.baseAddress else { return [Float](repeating: 0, count: d * d) }
            return NormalEquations.gram(base, rows: fixedRows, dimensions: d)
        }
        let axes = isExact ? GramAxes(gram, dimensions: d) : nil
        var failure: FitError?
        solved.withUnsafeMutableBufferPointer { target in
            guard let base = target.baseAddress else { return }
            let output = SharedBuffer(pointer: base)
            do throws(FitError) {
                try ParallelRows(threads: threads).run(count: rows.rowCount, chunk: 16, span: span) {
                    var space = RowSpace(
                        equations: NormalEquations(dimensions: d), short: ShortRowSolver(dimensions: d),
                        gradient: ConjugateGradient(dimensions: d))
                    return { range in
                        for row in range {
                            solveRow(row, of: rows, isExact, fixed, fixedRows, gram, axes, &space, output.pointer + row * d)
                        }
                    }
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// One thread's.
    private struct RowSpace {
        var equations: NormalEquations
        var short: ShortRowSolver
        var gradient: ConjugateGradient
    }

    private func solveRow(
        _ row: Int, of rows: SparseRows, _ isExact: Bool, _ fixed: [Float], _ fixedRows: Int, _ gram: [Float], _ axes: GramAxes?,
        _ space: inout RowSpace, _ solution: UnsafeMutablePointer<Float>
    ) {
        let range = rows.offsets[row]..<rows.offsets[row + 1]
        var weightSum: Float = 0
        for position in range { weightSum += rows.values[position] }
        let lambda = regularization(weightSum: weightSum, otherRows: fixedRows)
        rows.columns.withUnsafeBufferPointer { columns in
            rows.values.withUnsafeBufferPointer { values in
                guard let columns = columns.baseAddress, let values = values.baseAddress else { return }
                let (columnsOfRow, valuesOfRow) = (columns + range.lowerBound, values + range.lowerBound)
                if !isExact, range.count <= ConjugateGradient.entryLimit(dimensions: dimensions),
                    space.gradient.improve(
                        gram: gram, unobservedWeight: unobservedWeight, regularization: lambda, factors: fixed, rows: columnsOfRow,
                        weights: valuesOfRow, count: range.count, solution: solution)
                {
                    return
                }
                if let axes, range.count > 0, range.count <= ShortRowSolver.entryLimit(dimensions: dimensions),
                    space.short.solve(
                        axes: axes, unobservedWeight: unobservedWeight, regularization: lambda, factors: fixed, rows: columnsOfRow,
                        weights: valuesOfRow, count: range.count, solution: solution)
                {
                    return
                }
                _ = space.equations.solve(
                    gram: gram, unobservedWeight: unobservedWeight, regularization: lambda, factors: fixed, rows: columnsOfRow,
                    weights: valuesOfRow, count: range.count, solution: solution)
            }
        }
    }
}
