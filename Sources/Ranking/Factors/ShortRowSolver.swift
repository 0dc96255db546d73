import CBLAS

/// A Gram matrix by its axes: Y'Y = Q diag(energies) Q'.
struct GramAxes: Sendable {
    let dimensions: Int
    /// One unit vector after another.
    let axes: [Float]
    let energies: [Float]

    /// nil when the matrix has no such form in these numbers. `gram` is dimensions x dimensions, its lower triangle is read.
    init?(_ gram: UnsafePointer<Float>, dimensions: Int) {
        self.dimensions = dimensions
        var matrix = Array(UnsafeBufferPointer(start: gram, count: dimensions * dimensions))
        guard matrix.allSatisfy(\.isFinite) else { return nil }
        var values = [Float](repeating: 0, count: dimensions)
        var size = Int32(dimensions)
        var info = Int32(0)
        var workSize = Int32(dimensions * 40 + 64)
        var work = [Float](repeating: 0, count: Int(workSize))
        ssyev_("V", "L", &size, &matrix, &size, &values, &work, &workSize, &info)
        guard info == 0 else { return nil }
        axes = matrix
        energies = values.map { max(0, $0) }
    }
}

/// Solves the system of `NormalEquations` for rows with few entries: with the Gram matrix by its axes the unobserved part
/// D = alpha L + lambda I is diagonal, and x = Q D^-1 T' (W^-1 + T D^-1 T')^-1 1 with T = Y Q (Woodbury 1950), so that only a
/// system as large as the number of entries is to be solved. Owns its work space, so one per thread.
struct ShortRowSolver {
    let dimensions: Int
    private var gathered: [Float]
    private var turned: [Float]
    private var scaled: [Float]
    private var matrix: [Float]
    private var parts: [Float]
    private var product: [Float]

    /// With more entries the whole system is as cheap.
    static func entryLimit(dimensions: Int) -> Int { dimensions / 2 }

    init(dimensions: Int) {
        self.dimensions = dimensions
        let limit = Self.entryLimit(dimensions: dimensions)
        gathered = [Float](repeating: 0, count: limit * dimensions)
        turned = gathered
        scaled = gathered
        matrix = [Float](repeating: 0, count: limit * limit)
        parts = [Float](repeating: 0, count: limit)
        product = [Float](repeating: 0, count: dimensions)
    }

    /// Writes x to `solution` (`dimensions` values); 1 to `entryLimit` entries of positive weight. False, with nothing
    /// written, when the numbers do not allow it.
    mutating func solve(
        axes: GramAxes, unobservedWeight: Float, regularization: Float,
        factors: UnsafePointer<Float>, rows: UnsafePointer<Int32>, weights: UnsafePointer<Float>, count: Int,
        solution: UnsafeMutablePointer<Float>
    ) -> Bool {
        let d = dimensions
        let (n, h) = (Int32(d), Int32(count))
        gathered.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            for index in 0..<count { (base + index * d).update(from: factors + Int(rows[index]) * d, count: d) }
        }
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, h, n, n, 1, gathered, n, axes.axes, n, 0, &turned, n)
        for dimension in 0..<d { product[dimension] = 1 / (unobservedWeight * axes.energies[dimension] + regularization) }
        for index in 0..<count {
            for dimension in 0..<d { scaled[index * d + dimension] = turned[index * d + dimension] * product[dimension] }
        }
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, h, h, n, 1, scaled, n, turned, n, 0, &matrix, h)
        for index in 0..<count {
            matrix[index * count + index] += 1 / weights[index]
            parts[index] = 1
        }
        var (size, one, info) = (h, Int32(1), Int32(0))
        sposv_("L", &size, &one, &matrix, &size, &parts, &size, &info)
        guard info == 0 else { return false }
        cblas_sgemv(CblasRowMajor, CblasTrans, h, n, 1, scaled, n, parts, 1, 0, &product, 1)
        guard product.allSatisfy(\.isFinite) else { return false }
        cblas_sgemv(CblasRowMajor, CblasTrans, n, n, 1, axes.axes, n, product, 1, 0, solution, 1)
        return true
    }
}
