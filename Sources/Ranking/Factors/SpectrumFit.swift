import CBLAS
import Kernels

/// The strongest right singular vectors of a sparse matrix by block power iteration (Halko, Martinsson, Tropp 2011), on
/// own threads. A few rounds are enough, and as good as many: the subspace is a soft low-pass filter.
struct SpectrumFit: Sendable {
    var rank: Int
    var rounds = 4
    var seed: UInt64
    var threads: Int

    /// What a fit finds: with R~ for the rows, R~'R~ is close to V diag(eigenvalues) V'.
    struct Spectrum: Sendable {
        /// V: row-major items x rank, orthonormal columns; columns that the data cannot fill are zero.
        var vectors: [Float]
        /// Of R~'R~, ascending, 0 for columns that are zero.
        var eigenvalues: [Float]
    }

    func fit(_ rows: SparseRows, itemCount: Int, _ span: ProgressSpan) throws(FitError) -> Spectrum {
        NormalEquations.useOneThreadInside()
        let byItem = rows.transposed(columnCount: itemCount)
        var random = RandomSource(seed: seed)
        let items = SharedArray<Float>(repeating: 0, count: itemCount * rank)
        let users = SharedArray<Float>(repeating: 0, count: rows.rowCount * rank)
        for index in 0..<items.count { items.base[index] = random.normal() }
        var eigenvalues: [Float] = []
        for round in 0..<rounds {
            let part = span.part(Double(round) / Double(rounds), Double(round + 1) / Double(rounds))
            try multiply(rows, items, into: users, part.part(0, 0.4))
            try multiply(byItem, users, into: items, part.part(0.4, 0.8))
            eigenvalues = try orthonormalize(items, count: itemCount, part.part(0.8, 1))
        }
        return Spectrum(vectors: Array(UnsafeBufferPointer(start: items.base, count: items.count)), eigenvalues: eigenvalues)
    }

    private func multiply(
        _ rows: SparseRows, _ dense: SharedArray<Float>, into out: SharedArray<Float>, _ span: ProgressSpan
    ) throws(FitError) {
        let rank = rank
        let path = kernels_best_path()
        try ParallelRows(threads: threads).run(count: rows.rowCount, chunk: 64, span: span) {
            { range in
                for row in range {
                    let target = out.base + row * rank
                    target.update(repeating: 0, count: rank)
                    for position in rows.offsets[row]..<rows.offsets[row + 1] {
                        kernels_add_scaled(
                            path, dense.base + Int(rows.columns[position]) * rank, rank, rows.values[position], target)
                    }
                }
            }
        }
    }

    /// Z becomes Z V L^-1/2, where Z'Z = V L V'; columns with next to no length become zero. Gives the roots of L: with
    /// Z = R~'R~ Q for orthonormal Q they are eigenvalues of R~'R~.
    private func orthonormalize(_ items: SharedArray<Float>, count: Int, _ span: ProgressSpan) throws(FitError) -> [Float] {
        let d = Int32(rank)
        var gram = [Float](repeating: 0, count: rank * rank)
        cblas_ssyrk(CblasColMajor, CblasLower, CblasNoTrans, d, Int32(count), 1, items.base, d, 0, &gram, d)
        var eigenvalues = [Float](repeating: 0, count: rank)
        var size = d
        var info = Int32(0)
        var workSize = Int32(rank * 40 + 64)
        var work = [Float](repeating: 0, count: Int(workSize))
        ssyev_("V", "L", &size, &gram, &size, &eigenvalues, &work, &workSize, &info)
        guard info == 0, let largest = eigenvalues.last, largest > 0, largest.isFinite else {
            throw .unusableData("The interactions have no spectrum.")
        }
        // LAPACK's columns are our rows: row k of `gram` is the eigenvector of eigenvalue k.
        var rotation = [Float](repeating: 0, count: rank * rank)
        for column in 0..<rank where eigenvalues[column] > largest * 1e-6 {
            let scale = 1 / eigenvalues[column].squareRoot()
            for row in 0..<rank { rotation[row * rank + column] = gram[column * rank + row] * scale }
        }
        let turn = rotation
        let rank = rank
        try ParallelRows(threads: threads).run(count: count, chunk: 256, span: span) {
            var rows = [Float](repeating: 0, count: 256 * rank)
            return { range in
                let target = items.base + range.lowerBound * rank
                cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(range.count), d, d, 1, target, d, turn, d, 0, &rows, d)
                rows.withUnsafeBufferPointer { buffer in
                    if let base = buffer.baseAddress { target.update(from: base, count: range.count * rank) }
                }
            }
        }
        return eigenvalues.map { $0 > largest * 1e-6 ? $0.squareRoot() : 0 }
    }
}
