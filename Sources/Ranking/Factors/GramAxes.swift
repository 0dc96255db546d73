import CBLAS

/// A Gram matrix by its axes: Y'Y = Q diag(energies) Q'.
struct GramAxes: Sendable {
    let dimensions: Int
    /// Q', one unit vector after another.
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

    /// alpha L + lambda, what a row's system has beside its entries in the coordinates of the axes: `dimensions` values.
    func diagonal(unobservedWeight: Float, regularization: Float, into diagonal: UnsafeMutablePointer<Float>) {
        for index in 0..<dimensions { diagonal[index] = unobservedWeight * energies[index] + regularization }
    }

    /// `count` row-major rows times Q (`dimensions` values each) into other memory: their coordinates along the axes.
    func turn(_ rows: UnsafePointer<Float>, count: Int, into turned: UnsafeMutablePointer<Float>) {
        let d = Int32(dimensions)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, Int32(count), d, d, 1, rows, d, axes, d, 0, turned, d)
    }

    /// One row from the coordinates along the axes to those before.
    func turnBack(_ row: [Float], into turned: UnsafeMutablePointer<Float>) {
        let d = Int32(dimensions)
        cblas_sgemv(CblasRowMajor, CblasTrans, d, d, 1, axes, d, row, 1, 0, turned, 1)
    }
}

/// Coordinates that follow the axes of one Gram matrix after another, and the way back to the first ones.
struct TurningBasis {
    let dimensions: Int
    let threads: Int
    /// From the first coordinates to the present ones, row-major.
    private var matrix: [Float]
    private static let blockRows = 256

    init(dimensions: Int, threads: Int) {
        (self.dimensions, self.threads) = (dimensions, threads)
        matrix = [Float](repeating: 0, count: dimensions * dimensions)
        for index in 0..<dimensions { matrix[index * dimensions + index] = 1 }
    }

    /// Turns the basis; rows that are to keep their place in it are turned by `turn`.
    mutating func follow(_ axes: GramAxes) {
        let before = matrix
        before.withUnsafeBufferPointer { before in
            guard let before = before.baseAddress else { return }
            axes.turn(before, count: dimensions, into: &matrix)
        }
    }

    /// Rows from the coordinates before `axes` to those along them, in place.
    func turn(_ rows: inout [Float], along axes: GramAxes, _ span: ProgressSpan) throws(FitError) {
        try replace(&rows, span) { axes.turn($0, count: $1, into: $2) }
    }

    /// Rows from the present coordinates to the first ones, in place.
    func turnBack(_ rows: inout [Float], _ span: ProgressSpan) throws(FitError) {
        let d = Int32(dimensions)
        let matrix = matrix
        try replace(&rows, span) {
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, Int32($1), d, d, 1, $0, d, matrix, d, 0, $2, d)
        }
    }

    private func replace(
        _ rows: inout [Float], _ span: ProgressSpan,
        _ turn: @Sendable @escaping (UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void
    ) throws(FitError) {
        let (d, count, blockRows) = (dimensions, rows.count / dimensions, Self.blockRows)
        var failure: FitError?
        rows.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let shared = SharedBuffer(pointer: base)
            do throws(FitError) {
                // The blocks are the same for any number of threads, and so are their products.
                try ParallelRows(threads: threads).run(count: (count + blockRows - 1) / blockRows, chunk: 4, span: span) {
                    var copy = [Float](repeating: 0, count: blockRows * d)
                    return { range in
                        for block in range {
                            let first = block * blockRows
                            let size = min(blockRows, count - first)
                            copy.withUnsafeMutableBufferPointer { copy in
                                guard let copy = copy.baseAddress else { return }
                                copy.update(from: shared.pointer + first * d, count: size * d)
                                turn(copy, size, shared.pointer + first * d)
                            }
                        }
                    }
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
