import Kernels

/// Solves the system of `NormalEquations` for rows with few entries whose factors do not lie along the axes of their Gram matrix:
/// turns the entries, solves, and turns the solution back. Owns its work space, so one per thread.
struct ShortRowSolver {
    let dimensions: Int
    private var gathered: [Float]
    private var turned: [Float]
    private var product: [Float]
    private var diagonal: [Float]
    private var space: [Float]
    private let path = kernels_best_path()
    private let places: [Int32]

    /// With more entries, turning them takes longer than the whole system.
    static func entryLimit(dimensions: Int) -> Int { dimensions / 2 }

    init(dimensions: Int) {
        self.dimensions = dimensions
        let limit = Self.entryLimit(dimensions: dimensions)
        gathered = [Float](repeating: 0, count: limit * dimensions)
        turned = gathered
        product = [Float](repeating: 0, count: dimensions)
        diagonal = product
        space = [Float](repeating: 0, count: kernels_short_space(dimensions, limit))
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
        axes.diagonal(unobservedWeight: unobservedWeight, regularization: regularization, into: &diagonal)
        let path = path
        let isSolved = turned.withUnsafeBufferPointer { turned in
            places.withUnsafeBufferPointer { places in
                diagonal.withUnsafeBufferPointer { diagonal in
                    var row = kernels_row(
                        dimensions: d, diagonal: diagonal.baseAddress, factors: turned.baseAddress, rows: places.baseAddress,
                        weights: weights, count: count)
                    return kernels_solve_short(path, &row, &space, &product) != 0
                }
            }
        }
        if isSolved { axes.turnBack(product, into: solution) }
        return isSolved
    }
}
