import Kernels

/// A'B of two sparse matrices with the same rows, one dense output row at a time.
struct SparseProduct: Sendable {
    /// A by columns.
    private let left: SparseRows
    private let right: SparseRows
    private let width: Int

    init(_ left: SparseRows, leftWidth: Int, _ right: SparseRows, rightWidth: Int) {
        self.init(turned: left.transposed(columnCount: leftWidth), right, width: rightWidth)
    }

    /// Of A' as it is.
    init(turned left: SparseRows, _ right: SparseRows, width: Int) {
        (self.left, self.right, self.width) = (left, right, width)
    }

    /// Adds row `index` of A'B to `row`.
    func add(_ index: Int, to row: UnsafeMutablePointer<Float>) {
        right.columns.withUnsafeBufferPointer { columns in
            right.values.withUnsafeBufferPointer { values in
                guard let columns = columns.baseAddress, let values = values.baseAddress else { return }
                let last = left.offsets[index + 1] - 1
                for position in left.offsets[index]..<left.offsets[index + 1] {
                    let next = Int(left.columns[min(position + Self.prefetched, last)])
                    let bytes = min(4 * (right.offsets[next + 1] - right.offsets[next]), Self.prefetchedBytes)
                    kernels_prefetch(columns + right.offsets[next], bytes)
                    kernels_prefetch(values + right.offsets[next], bytes)
                    let shared = Int(left.columns[position])
                    let start = right.offsets[shared]
                    kernels_add_row(
                        columns + start, values + start, right.offsets[shared + 1] - start, left.values[position], row, width)
                }
            }
        }
    }

    /// Rows lie all over the memory: the one after the next is fetched meanwhile.
    private static let prefetched = 2
    private static let prefetchedBytes = 1024

    /// All of A'B, row-major, on own threads.
    func dense(rows: Int, threads: Int, _ span: ProgressSpan) throws(FitError) -> SharedArray<Float> {
        let matrix = SharedArray<Float>(repeating: 0, count: rows * width)
        let width = width
        try ParallelRows(threads: threads).run(count: rows, chunk: 8, span: span) {
            { range in for row in range { add(row, to: matrix.base + row * width) } }
        }
        return matrix
    }
}
