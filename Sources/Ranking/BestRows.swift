import Kernels

/// Work space that picks the best rows of dense scores; one per thread. What was found last stays in `rows` and `scores`.
struct BestRows: Sendable {
    /// At least as long as what the last call returned.
    private(set) var rows: [Int32] = []
    private(set) var scores: [Float] = []
    private var space: [UInt64] = []
    private let path: kernels_path

    init(path: kernels_path = kernels_best_path()) { self.path = path }

    /// The best `k` of the first `count` values, equal ones by ascending row; NaN and -inf never. Best first if `isOrdered`, else by
    /// ascending row.
    mutating func pick(
        _ k: Int, of values: UnsafePointer<Float>, count: Int, allowed: [UInt64]? = nil, isOrdered: Bool
    ) -> Int {
        reserve(k)
        return withWords(allowed) { words in
            kernels_top_float(path, values, count, words, k, isOrdered ? 1 : 0, &space, &scores, &rows)
        }
    }

    /// As above among the listed rows only, in no order to rely on unless `isOrdered`.
    mutating func pick(
        _ k: Int, of values: UnsafePointer<Float>, among: [Int32], allowed: [UInt64]? = nil, isOrdered: Bool = false
    ) -> Int {
        reserve(k)
        return withWords(allowed) { words in
            kernels_top_among(values, among, among.count, words, k, isOrdered ? 1 : 0, &space, &scores, &rows)
        }
    }

    private mutating func reserve(_ k: Int) {
        guard rows.count < k || space.isEmpty else { return }
        rows = [Int32](repeating: 0, count: k)
        scores = [Float](repeating: 0, count: k)
        space = [UInt64](repeating: 0, count: kernels_top_space(k))
    }
}

/// The bitmap's words as C takes them; NULL admits all.
func withWords<Result>(_ allowed: [UInt64]?, _ body: (UnsafePointer<UInt64>?) -> Result) -> Result {
    guard let allowed else { return body(nil) }
    return allowed.withUnsafeBufferPointer { body($0.baseAddress) }
}
