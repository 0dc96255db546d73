import CBLAS

/// Inverts a symmetric positive definite matrix in place by block sweeps (Goodnight 1979, "A tutorial on the SWEEP
/// operator"), all work in matrix products on own threads.
///
/// One sweep of block k: P = A_kk^-1, A_ik becomes A_ik P, A_ij becomes A_ij - A_ik P A_kj, A_kk becomes -P. After all
/// sweeps the matrix is -A^-1. n^3 operations.
struct SymmetricInverse: Sendable {
    let matrix: SharedArray<Float>
    let size: Int
    let threads: Int
    static let block = 192

    /// Row-major; only the lower triangle is read. False when the matrix is not positive definite.
    func invert(_ span: ProgressSpan) throws(FitError) -> Bool {
        NormalEquations.useOneThreadInside()
        let panel = SharedArray<Float>(repeating: 0, count: size * Self.block)
        let swept = SharedArray<Float>(repeating: 0, count: size * Self.block)
        for start in stride(from: 0, to: size, by: Self.block) {
            let part = span.part(Double(start) / Double(size), Double(min(size, start + Self.block)) / Double(size))
            guard try sweep(start, min(Self.block, size - start), panel, swept, part) else { return false }
        }
        let size = size
        let matrix = matrix
        try ParallelRows(threads: threads).run(count: size, chunk: 64, span: span.part(1, 1)) {
            { range in
                for row in range {
                    for column in 0...row {
                        let value = -matrix.base[row * size + column]
                        matrix.base[row * size + column] = value
                        matrix.base[column * size + row] = value
                    }
                }
            }
        }
        return true
    }

    private func sweep(
        _ start: Int, _ width: Int, _ panel: SharedArray<Float>, _ swept: SharedArray<Float>, _ span: ProgressSpan
    ) throws(FitError) -> Bool {
        let n = size
        let end = start + width
        let matrix = matrix
        guard let pivot = invertedPivot(start, width) else { return false }
        // Column block k as it stands, rows of the block itself zero.
        for row in 0..<n {
            for column in 0..<width {
                let isInside = row >= start && row < end
                let at = row >= end ? row * n + start + column : (start + column) * n + row
                panel.base[row * width + column] = isInside ? 0 : matrix.base[at]
            }
        }
        let chunk = 128
        try ParallelRows(threads: threads).run(count: n, chunk: chunk, span: span.part(0, 0.2)) {
            { range in
                cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(range.count), Int32(width), Int32(width), 1,
                    panel.base + range.lowerBound * width, Int32(width), pivot.base, Int32(width), 0,
                    swept.base + range.lowerBound * width, Int32(width))
            }
        }
        try ParallelRows(threads: threads).run(count: n, chunk: chunk, span: span.part(0.2, 1)) {
            { range in
                for (from, to) in [(0, min(start, range.upperBound)), (end, range.upperBound)] where to > from {
                    cblas_sgemm(
                        CblasRowMajor, CblasNoTrans, CblasTrans, Int32(range.count), Int32(to - from), Int32(width), -1,
                        swept.base + range.lowerBound * width, Int32(width), panel.base + from * width, Int32(width), 1,
                        matrix.base + range.lowerBound * n + from, Int32(n))
                }
                for row in range where row >= end {
                    for column in 0..<width { matrix.base[row * n + start + column] = swept.base[row * width + column] }
                }
            }
        }
        for row in 0..<width {
            for column in 0..<start { matrix.base[(start + row) * n + column] = swept.base[column * width + row] }
            for column in 0..<width { matrix.base[(start + row) * n + start + column] = -pivot.base[row * width + column] }
        }
        return true
    }

    /// The inverse of a diagonal block, full symmetric.
    private func invertedPivot(_ start: Int, _ width: Int) -> SharedArray<Float>? {
        let pivot = SharedArray<Float>(repeating: 0, count: width * width)
        for row in 0..<width {
            for column in 0...row { pivot.base[row * width + column] = matrix.base[(start + row) * size + start + column] }
        }
        var n = Int32(width)
        var info = Int32(0)
        // The lower triangle of rows is the upper triangle of LAPACK's columns.
        spotrf_("U", &n, pivot.base, &n, &info)
        if info == 0 { spotri_("U", &n, pivot.base, &n, &info) }
        guard info == 0 else { return nil }
        for row in 0..<width {
            for column in 0..<row {
                let value = pivot.base[row * width + column]
                guard value.isFinite else { return nil }
                pivot.base[column * width + row] = value
            }
        }
        return pivot
    }
}
