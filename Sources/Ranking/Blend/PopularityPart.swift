import Kernels

/// A level per item, the same for everybody, of mean square 1.
struct PopularityPart: BlendPart {
    let levels: MappedArray<Float>
    let fixedOrder: [Int32]?
    private let path = kernels_best_path()
    let usesHistory = false

    /// Rows of the highest levels that are known in order: more than a list of the usual lengths can need.
    private static let orderLimit = 4096

    init(levels: MappedArray<Float>) {
        self.levels = levels
        var best = BestRows()
        fixedOrder = levels.base.map { base in
            let found = best.pick(min(levels.count, Self.orderLimit), of: base, count: levels.count, isOrdered: true)
            return Array(best.rows[..<found])
        }
    }

    func begin(_ history: WeightedHistory, _ space: inout PartSpace) -> Float? {
        levels.count > 0 ? 1 : nil
    }

    func addAll(_ weight: Float, _ space: inout PartSpace, allowed: [UInt64]?, to totals: inout [Float]) {
        kernels_add_scaled(path, levels.base, levels.count, weight, &totals)
    }

    func addExactly(_ weight: Float, _ space: inout PartSpace, rows: [Int32], to scores: inout [Float]) {
        for (index, row) in rows.enumerated() { scores[index] += weight * (levels.at(Int(row)) ?? 0) }
    }

    func addParts(
        _ weight: Float, of row: Int32, _ history: WeightedHistory, _ space: inout PartSpace, to parts: inout [Float]
    ) {}
}
