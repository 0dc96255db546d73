import Kernels

/// Solves the system of `NormalEquations` in the coordinates of the Gram matrix's axes, where all but the entries is diagonal.
/// Owns its work space, so one per thread.
struct RowSolver {
    let dimensions: Int
    private var space: [Float]
    private var diagonal: [Float]
    private let path: kernels_path

    /// Rows with more entries than this are solved whole: conjugate gradients pass over the entries' factors once a step,
    /// and these have to stay in a core's cache (half a megabyte).
    static func gradientLimit(dimensions: Int) -> Int { (512 << 10) / (4 * dimensions) }
    /// Where all entries fit one register, their small system takes no longer than a few steps.
    static let gradientLeast = 17
    static let steps: Int32 = 3

    init(dimensions: Int, path: kernels_path = kernels_best_path()) {
        self.dimensions = dimensions
        self.path = path
        space = [Float](repeating: 0, count: kernels_solve_space(dimensions))
        diagonal = [Float](repeating: 0, count: dimensions)
    }

    /// One row: its entries are rows of `factors`, along the axes of `axes`, with weights above 0.
    struct Row {
        var axes: GramAxes
        var unobservedWeight: Float
        var regularization: Float
        var factors: UnsafePointer<Float>
        var rows: UnsafePointer<Int32>
        var weights: UnsafePointer<Float>
        var count: Int
    }

    /// Writes x to `solution` (`dimensions` values); false, with zeros written, when the numbers do not allow it.
    @discardableResult
    mutating func solve(_ row: Row, _ solution: UnsafeMutablePointer<Float>) -> Bool {
        call(row) { kernels_solve_row($0, $1, $2, solution) }
    }

    /// Improves x in `solution` by a few steps of conjugate gradients, which is all that a row needs while the other side still
    /// moves (Takacs, Pilaszy, Tikk 2011, "Applications of the conjugate gradient method for implicit feedback collaborative
    /// filtering"). Leaves it alone where the steps give no finite numbers, and says so with false.
    mutating func improve(_ row: Row, _ solution: UnsafeMutablePointer<Float>) -> Bool {
        call(row) { kernels_improve_row($0, $1, Self.steps, $2, solution) }
    }

    private mutating func call(
        _ row: Row, _ body: (kernels_path, UnsafePointer<kernels_row>, UnsafeMutablePointer<Float>) -> Int32
    ) -> Bool {
        row.axes.diagonal(unobservedWeight: row.unobservedWeight, regularization: row.regularization, into: &diagonal)
        let (d, path) = (dimensions, path)
        return diagonal.withUnsafeBufferPointer { diagonal in
            space.withUnsafeMutableBufferPointer { space in
                guard let space = space.baseAddress else { return false }
                var system = kernels_row(
                    dimensions: d, diagonal: diagonal.baseAddress, factors: row.factors, rows: row.rows, weights: row.weights,
                    count: row.count)
                return body(path, &system, space) != 0
            }
        }
    }
}
