import Foundation

/// Implicit ALS: the history is folded in as training would have solved that user.
struct FactorPart: VectorPart {
    let vectors: ItemVectors
    let als: ImplicitALS
    let usesHistory = true
    private let axes: GramAxes?

    init(vectors: ItemVectors, als: ImplicitALS) {
        (self.vectors, self.als) = (vectors, als)
        axes = vectors.gram.base.flatMap { GramAxes($0, dimensions: vectors.dimensions) }
    }

    func begin(_ history: WeightedHistory, _ space: inout PartSpace) -> Float? {
        guard foldIn(history, &space) else { return nil }
        return vectors.rootMeanSquare(&space)
    }

    /// The user's factors into the query.
    func foldIn(_ history: WeightedHistory, _ space: inout PartSpace) -> Bool {
        guard history.count > 0, let factors = vectors.factors.base else { return false }
        let d = vectors.dimensions
        if let axes, history.count <= ShortRowSolver.entryLimit(dimensions: d) {
            var solver = space.solver ?? ShortRowSolver(dimensions: d)
            space.solver = nil
            if solver.dimensions != d { solver = ShortRowSolver(dimensions: d) }
            if space.query.count != d { space.query = [Float](repeating: 0, count: d) }
            let isSolved = solver.solve(
                axes: axes, unobservedWeight: als.unobservedWeight, regularization: lambda(history), factors: factors, rows: history.rows,
                weights: history.weights, count: history.count, solution: &space.query)
            space.solver = solver
            space.isWholeSystemSolved = false
            if isSolved { return true }
        }
        return foldInWhole(history, &space)
    }

    private func lambda(_ history: WeightedHistory) -> Float {
        als.regularization(weightSum: history.weights.reduce(0, +), otherRows: vectors.itemCount)
    }

    /// As `foldIn`, and leaves the factor of the whole system in the space.
    private func foldInWhole(_ history: WeightedHistory, _ space: inout PartSpace) -> Bool {
        guard let gram = vectors.gram.base, let factors = vectors.factors.base else { return false }
        let d = vectors.dimensions
        var equations = space.equations ?? NormalEquations(dimensions: d)
        space.equations = nil
        if equations.dimensions != d { equations = NormalEquations(dimensions: d) }
        if space.query.count != d { space.query = [Float](repeating: 0, count: d) }
        let isSolved = space.query.withUnsafeMutableBufferPointer { query -> Bool in
            guard let query = query.baseAddress else { return false }
            return equations.solve(
                gram: gram, unobservedWeight: als.unobservedWeight,
                regularization: lambda(history),
                factors: factors, rows: history.rows, weights: history.weights, count: history.count, solution: query)
        }
        space.equations = equations
        space.isWholeSystemSolved = isSolved
        return isSolved
    }

    func addAll(_ weight: Float, _ space: inout PartSpace, allowed: [UInt64]?, to totals: inout [Float]) {
        vectors.addAll(weight, space.query, allowed: allowed, to: &totals)
    }

    /// The exact additive decomposition of x.y over the history (Hu, Koren, Volinsky 2008, section 5): the part of item i
    /// is w_i y_i' A^-1 y with A the user's normal matrix.
    func addParts(
        _ weight: Float, of row: Int32, _ history: WeightedHistory, _ space: inout PartSpace, to parts: inout [Float]
    ) {
        guard space.isWholeSystemSolved || foldInWhole(history, &space), let equations = space.equations,
            let vector = vectors.vector(row)
        else { return }
        var solved = Array(UnsafeBufferPointer(start: vector, count: vectors.dimensions))
        equations.solveAgain(&solved)
        vectors.products(solved, history.rows, &space.products)
        for index in history.rows.indices { parts[index] += weight * history.weights[index] * space.products[index] }
    }
}
