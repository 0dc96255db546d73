/// Solves the system of `NormalEquations` for rows with few entries whose factors do not lie along the axes of their Gram matrix:
/// turns the entries, solves, and turns the solution back. Owns its work space, so one per thread.
struct ShortRowSolver {
    let dimensions: Int
    private var gathered: [Float]
    private var turned: [Float]
    private var product: [Float]
    private var solver: RowSolver
    private let places: [Int32]

    /// With more entries, turning them takes longer than the whole system.
    static func entryLimit(dimensions: Int) -> Int { dimensions / 2 }

    init(dimensions: Int) {
        self.dimensions = dimensions
        let limit = Self.entryLimit(dimensions: dimensions)
        gathered = [Float](repeating: 0, count: limit * dimensions)
        turned = gathered
        product = [Float](repeating: 0, count: dimensions)
        solver = RowSolver(dimensions: dimensions)
        places = (0..<Int32(limit)).map { $0 }
    }

    /// Writes x to `solution` (`dimensions` values); 1 to `entryLimit` entries of positive weight. False, with nothing
    /// written, when the numbers do not allow it.
    mutating func solve(
        axes: GramAxes, unobservedWeight: Float, regularization: Float,
        factors: UnsafePointer<Float>, rows: UnsafePointer<Int32>, weights: UnsafePointer<Float>, count: Int,
        solution: UnsafeMutablePointer<Float>
    ) -> Bool {
        let d = dimensions
        gathered.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            for index in 0..<count { (base + index * d).update(from: factors + Int(rows[index]) * d, count: d) }
        }
        axes.turn(gathered, count: count, into: &turned)
        let isSolved = turned.withUnsafeBufferPointer { turned in
            guard let turned = turned.baseAddress else { return false }
            return places.withUnsafeBufferPointer { places in
                guard let places = places.baseAddress else { return false }
                let row = RowSolver.Row(
                    axes: axes, unobservedWeight: unobservedWeight, regularization: regularization, factors: turned, rows: places,
                    weights: weights, count: count)
                return product.withUnsafeMutableBufferPointer { product in
                    product.baseAddress.map { solver.solve(row, $0) } ?? false
                }
            }
        }
        if isSolved { axes.turnBack(product, into: solution) }
        return isSolved
    }
}
