import CBLAS

/// Improves one row of implicit alternating least squares by a few steps of conjugate gradients from its last solution,
/// which is all that a row needs while the other side still moves (Takacs, Pilaszy, Tikk 2011, "Applications of the
/// conjugate gradient method for implicit feedback collaborative filtering"). The system is that of `NormalEquations`.
/// Owns its work space, so one per thread.
struct ConjugateGradient {
    let dimensions: Int
    private var gathered: [Float]
    private var reached: [Float]
    private var residual: [Float]
    private var direction: [Float]
    private var product: [Float]

    static let steps = 3

    /// Rows with more entries than this are not for it: the entries' factors are passed over once a step, and have to stay in
    /// a core's cache (half a megabyte).
    static func entryLimit(dimensions: Int) -> Int { (512 << 10) / (4 * dimensions) }

    init(dimensions: Int) {
        self.dimensions = dimensions
        let limit = Self.entryLimit(dimensions: dimensions)
        gathered = [Float](repeating: 0, count: limit * dimensions)
        reached = [Float](repeating: 0, count: limit)
        residual = [Float](repeating: 0, count: dimensions)
        direction = residual
        product = residual
    }

    /// Improves x in `solution` (`dimensions` values); at most `entryLimit` entries. Leaves it alone where the steps give
    /// no finite numbers, and says so with false.
    mutating func improve(
        gram: UnsafePointer<Float>, unobservedWeight: Float, regularization: Float,
        factors: UnsafePointer<Float>, rows: UnsafePointer<Int32>, weights: UnsafePointer<Float>, count: Int,
        solution: UnsafeMutablePointer<Float>
    ) -> Bool {
        let d = dimensions
        gathered.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            for index in 0..<count { (base + index * d).update(from: factors + Int(rows[index]) * d, count: d) }
        }
        var system = System(
            gram: gram, unobservedWeight: unobservedWeight, regularization: regularization, weights: weights, count: Int32(count),
            dimensions: Int32(d))
        let n = Int32(d)
        // r = Y'W(1 - Yx) - (alpha G + lambda I) x
        direction.withUnsafeMutableBufferPointer { $0.baseAddress?.update(from: solution, count: d) }
        system.target = 1
        system.multiply(direction, gathered, &reached, into: &residual)
        cblas_sscal(n, -1, &residual, 1)
        system.target = 0
        direction = residual
        var square = cblas_sdot(n, residual, 1, residual, 1)
        var result = [Float](UnsafeBufferPointer(start: solution, count: d))
        for _ in 0..<Self.steps where square > 1e-20 {
            system.multiply(direction, gathered, &reached, into: &product)
            let length = square / cblas_sdot(n, direction, 1, product, 1)
            cblas_saxpy(n, length, direction, 1, &result, 1)
            cblas_saxpy(n, -length, product, 1, &residual, 1)
            let next = cblas_sdot(n, residual, 1, residual, 1)
            cblas_sscal(n, next / square, &direction, 1)
            cblas_saxpy(n, 1, residual, 1, &direction, 1)
            square = next
        }
        guard square.isFinite, result.allSatisfy(\.isFinite) else { return false }
        result.withUnsafeBufferPointer { if let base = $0.baseAddress { solution.update(from: base, count: d) } }
        return true
    }

    private struct System {
        let gram: UnsafePointer<Float>
        let unobservedWeight: Float
        let regularization: Float
        let weights: UnsafePointer<Float>
        let count: Int32
        let dimensions: Int32
        /// What the entries are to score.
        var target: Float = 0

        /// out = (alpha G + lambda I) v + Y'W(Yv - target)
        func multiply(_ v: [Float], _ rows: [Float], _ reached: inout [Float], into out: inout [Float]) {
            let d = dimensions
            cblas_ssymv(CblasColMajor, CblasLower, d, unobservedWeight, gram, d, v, 1, 0, &out, 1)
            cblas_saxpy(d, regularization, v, 1, &out, 1)
            guard count > 0 else { return }
            cblas_sgemv(CblasRowMajor, CblasNoTrans, count, d, 1, rows, d, v, 1, 0, &reached, 1)
            for index in 0..<Int(count) { reached[index] = weights[index] * (reached[index] - target) }
            cblas_sgemv(CblasRowMajor, CblasTrans, count, d, 1, rows, d, reached, 1, 1, &out, 1)
        }
    }
}
