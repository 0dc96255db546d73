import Kernels

/// Weighted sums of compressed rows. While few rows are met only those are touched, later and at the next start; when
/// many are to come everything is.
struct ScoreSums: Sendable {
    /// One per item, zero where nothing was added.
    private(set) var totals: [Float] = []
    /// The rows with a sum and their sums, in the order met; nil when all rows have to be looked at. Valid after `settle`.
    private(set) var touched: [Int32]?
    private(set) var values: [Float] = []
    private var met: [Int32] = []
    private var metCount = 0
    private var isDense = false
    private let path = kernels_best_path()

    /// Above this share of the items, passing over all of them is cheaper than keeping a list.
    private static let denseShare = 4

    /// Empties the sums; `additions` are to come at most.
    mutating func start(itemCount: Int, additions: Int) {
        if totals.count != itemCount {
            totals = [Float](repeating: 0, count: itemCount)
        } else if let touched {
            for row in touched { totals[Int(row)] = 0 }
        } else {
            totals.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        }
        isDense = additions > itemCount / Self.denseShare
        if !isDense, met.count <= additions { met = [Int32](repeating: 0, count: 2 * additions + 1) }
        metCount = 0
        touched = nil
    }

    mutating func add(_ rows: UnsafePointer<Int32>, _ values: UnsafePointer<Float>, count: Int, weight: Float) {
        if isDense {
            kernels_add_row(rows, values, count, weight, &totals, totals.count)
        } else {
            metCount = kernels_add_row_touching(rows, values, count, weight, &totals, totals.count, &met, metCount)
        }
    }

    /// Adds others' sums, which are settled and know their rows.
    mutating func add(_ other: ScoreSums, weight: Float) {
        guard let rows = other.touched else { return }
        add(rows, other.values, count: rows.count, weight: weight)
    }

    mutating func settle() {
        guard !isDense else { return }
        if values.count < metCount { values = [Float](repeating: 0, count: 2 * metCount) }
        metCount = kernels_settle(&met, metCount, &totals, &values)
        touched = Array(met[..<metCount])
    }

    /// Of all sums.
    var sumOfSquares: Float {
        touched.map { kernels_sum_squares(path, values, $0.count) } ?? kernels_sum_squares(path, totals, totals.count)
    }

    /// Adds weight x every sum to the totals of all items.
    func add(_ weight: Float, to target: inout [Float]) {
        guard let touched else { return kernels_add_scaled(path, totals, totals.count, weight, &target) }
        kernels_add_row(touched, values, touched.count, weight, &target, target.count)
    }
}
