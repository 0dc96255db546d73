import Kernels

/// Solves the systems of `NormalEquations` in the coordinates of the Gram matrix's axes, where all but the entries is diagonal; up
/// to `together` rows at once. Owns its work space, so one per thread.
struct RowSolver {
    let dimensions: Int
    private let path: kernels_path
    private var space: [Float]
    /// Grows with the longest row that is improved.
    private var stepSpace: [Float] = []
    /// Rows to be solved, a diagonal of `dimensions` values for each, and where their solutions go.
    private var waiting: [kernels_row] = []
    private var diagonals: [Float]
    private var solutions: [UnsafeMutablePointer<Float>?] = []

    static let together = KERNELS_TOGETHER
    /// Rows with more entries than this are solved whole: conjugate gradients pass over the entries' factors once a step,
    /// and these have to stay in a core's cache (half a megabyte).
    static func gradientLimit(dimensions: Int) -> Int { (512 << 10) / (4 * dimensions) }
    /// Where all entries fit one register, their small system takes no longer than a few steps.
    static let gradientLeast = 17
    static let steps: Int32 = 3

    /// Of one thread, with the longest row that is improved and the room that the space for it grows by.
    static func workBytes(dimensions: Int) -> Int {
        let steps = kernels_improve_space(dimensions, gradientLimit(dimensions: dimensions))
        return 4 * (kernels_solve_space(dimensions, dimensions, together) + together * dimensions + steps + steps / 2)
    }

    init(dimensions: Int, path: kernels_path = kernels_best_path()) {
        self.dimensions = dimensions
        self.path = path
        space = [Float](repeating: 0, count: kernels_solve_space(dimensions, dimensions, Self.together))
        diagonals = [Float](repeating: 0, count: Self.together * dimensions)
        waiting.reserveCapacity(Self.together)
        solutions.reserveCapacity(Self.together)
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

    /// x goes to `solution` (`dimensions` values), zeros when the numbers do not allow it; now or with later rows, with `finish` at the
    /// latest. Till then all that the row points to has to stay. The others do not change its bits, only the time: they are
    /// solved in the time of the largest system among them.
    mutating func add(_ row: Row, _ solution: UnsafeMutablePointer<Float>) {
        waiting.append(place(row, waiting.count))
        solutions.append(solution)
        if waiting.count == Self.together { finish() }
    }

    /// Solves the rows that wait; false when the numbers of one of them do not allow it.
    @discardableResult
    mutating func finish() -> Bool {
        let (path, d, count) = (path, dimensions, waiting.count)
        guard count > 0 else { return true }
        let solved = diagonals.withUnsafeBufferPointer { diagonals in
            space.withUnsafeMutableBufferPointer { space in
                for index in waiting.indices { waiting[index].diagonal = diagonals.baseAddress.map { $0 + index * d } }
                return kernels_solve_rows(path, waiting, count, space.baseAddress, solutions)
            }
        }
        waiting.removeAll(keepingCapacity: true)
        solutions.removeAll(keepingCapacity: true)
        return solved == (1 << UInt32(count)) - 1
    }

    /// Improves x in `solution` by a few steps of conjugate gradients, which is all that a row needs while the other side still
    /// moves (Takacs, Pilaszy, Tikk 2011, "Applications of the conjugate gradient method for implicit feedback collaborative
    /// filtering"). Leaves it alone where the steps give no finite numbers, and says so with false.
    mutating func improve(_ row: Row, _ solution: UnsafeMutablePointer<Float>) -> Bool {
        let needed = kernels_improve_space(dimensions, row.count)
        if stepSpace.count < needed { stepSpace = [Float](repeating: 0, count: needed + needed / 2) }
        // Behind those of the rows that wait there is room for one more.
        let index = waiting.count
        var system = place(row, index)
        let (path, d) = (path, dimensions)
        return diagonals.withUnsafeBufferPointer { diagonals in
            stepSpace.withUnsafeMutableBufferPointer { space in
                system.diagonal = diagonals.baseAddress.map { $0 + index * d }
                return kernels_improve_row(path, &system, Self.steps, space.baseAddress, solution) != 0
            }
        }
    }

    /// The row but for its diagonal, which is written to a place of its own.
    private mutating func place(_ row: Row, _ index: Int) -> kernels_row {
        diagonals.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            row.axes.diagonal(
                unobservedWeight: row.unobservedWeight, regularization: row.regularization, into: base + index * dimensions)
        }
        return kernels_row(
            dimensions: dimensions, diagonal: nil, factors: row.factors, rows: row.rows, weights: row.weights, count: row.count)
    }
}

extension SparseRows {
    /// All rows, those with systems of one size in a sequence, the largest first: long rows that come last would keep one thread
    /// at work alone, and rows that are solved together take the time of the largest.
    func bySystemSize(dimensions: Int) -> [Int32] {
        let whole = (dimensions + 15) / 16
        var sizes = [[Int32]](repeating: [], count: whole + 2)
        for row in 0..<rowCount {
            let count = offsets[row + 1] - offsets[row]
            sizes[count > RowSolver.gradientLimit(dimensions: dimensions) ? whole + 1 : min((count + 15) / 16, whole)].append(Int32(row))
        }
        return Array(sizes.reversed().joined())
    }
}
