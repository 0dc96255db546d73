import CBLAS
import Foundation
import Kernels

/// Solves one row of implicit alternating least squares, for training and for fold-in alike.
///
/// Minimizes sum_i w_i (x.y_i - 1)^2 + alpha sum_j (x.y_j)^2 + lambda |x|^2 over x (Hu, Koren, Volinsky 2008, in the
/// form of Rendle et al. 2022), exactly: (alpha G + sum_i w_i y_i y_i' + lambda I) x = sum_i w_i y_i with G = Y'Y.
/// Owns its work space, so one per thread.
struct NormalEquations {
    let dimensions: Int
    /// Holds the Cholesky factor after `solve`, in the lower triangle of column-major order.
    private(set) var matrix: [Float]
    private var gathered: [Float]
    private static let gatherRows = 256
    private let path = kernels_best_path()

    init(dimensions: Int) {
        self.dimensions = dimensions
        matrix = [Float](repeating: 0, count: dimensions * dimensions)
        gathered = [Float](repeating: 0, count: dimensions * Self.gatherRows)
    }

    /// One thread inside BLAS: our own threads run above it.
    static func useOneThreadInside() { openblas_set_num_threads(1) }

    /// Writes x to `solution` (`dimensions` values). False, with zeros written, when the matrix is not positive definite.
    mutating func solve(
        gram: UnsafePointer<Float>, unobservedWeight: Float, regularization: Float,
        factors: UnsafePointer<Float>, rows: UnsafePointer<Int32>, weights: UnsafePointer<Float>, count: Int,
        solution: UnsafeMutablePointer<Float>
    ) -> Bool {
        let d = dimensions
        for index in 0..<d * d { matrix[index] = unobservedWeight * gram[index] }
        for index in 0..<d { matrix[index * d + index] += regularization }
        solution.update(repeating: 0, count: d)
        var start = 0
        while start < count {
            let end = min(count, start + Self.gatherRows)
            gathered.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                base.update(repeating: 0, count: (end - start) * d)
                for position in start..<end {
                    let row = factors + Int(rows[position]) * d
                    kernels_add_scaled(path, row, d, weights[position].squareRoot(), base + (position - start) * d)
                    kernels_add_scaled(path, row, d, weights[position], solution)
                }
                cblas_ssyrk(
                    CblasColMajor, CblasLower, CblasNoTrans, Int32(d), Int32(end - start), 1, base, Int32(d), 1,
                    &matrix, Int32(d))
            }
            start = end
        }
        return factorAndSolve(solution)
    }

    private mutating func factorAndSolve(_ solution: UnsafeMutablePointer<Float>) -> Bool {
        var n = Int32(dimensions)
        var one = Int32(1)
        var info = Int32(0)
        sposv_("L", &n, &one, &matrix, &n, solution, &n, &info)
        var isFinite = info == 0
        for index in 0..<dimensions where !solution[index].isFinite { isFinite = false }
        if !isFinite { solution.update(repeating: 0, count: dimensions) }
        return isFinite
    }

    /// Solves for another right side with the factor of the last `solve`, in place.
    func solveAgain(_ rightSide: UnsafeMutablePointer<Float>) {
        var n = Int32(dimensions)
        var one = Int32(1)
        var info = Int32(0)
        matrix.withUnsafeBufferPointer { buffer in
            spotrs_("L", &n, &one, buffer.baseAddress, &n, rightSide, &n, &info)
        }
    }

    /// Y'Y of row-major factors, full symmetric, dimensions x dimensions.
    static func gram(_ factors: UnsafePointer<Float>, rows: Int, dimensions d: Int) -> [Float] {
        var gram = [Float](repeating: 0, count: d * d)
        guard rows > 0 else { return gram }
        cblas_ssyrk(
            CblasColMajor, CblasLower, CblasNoTrans, Int32(d), Int32(rows), 1, factors, Int32(d), 0, &gram, Int32(d))
        for column in 0..<d {
            for row in column + 1..<max(column + 1, d) { gram[row * d + column] = gram[column * d + row] }
        }
        return gram
    }
}
