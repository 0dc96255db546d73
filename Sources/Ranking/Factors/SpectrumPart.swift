import Kernels

/// The low-pass half of GF-CF (Shen et al. 2021): the history projected on the strongest singular vectors of the
/// normalized interactions, score(j) = sum over history items i of weight(i) / d(i) y_i . y_j with y = sqrt(d) v.
struct SpectrumPart: VectorPart {
    let vectors: ItemVectors
    /// 1 / d per item.
    let sourceScales: MappedArray<Float>
    let rule: SourceRule
    let usesHistory = true
    private let path = kernels_best_path()

    init(vectors: ItemVectors, sourceScales: MappedArray<Float>, rule: SourceRule) {
        (self.vectors, self.sourceScales, self.rule) = (vectors, sourceScales, rule)
    }

    func begin(_ history: WeightedHistory, _ space: inout PartSpace) -> Float? {
        let d = vectors.dimensions
        if space.query.count != d { space.query = [Float](repeating: 0, count: d) }
        space.query.withUnsafeMutableBufferPointer { query in
            guard let base = query.baseAddress else { return }
            query.update(repeating: 0)
            rule.forEach(history) { index, weight in
                let row = history.rows[index]
                guard let vector = vectors.vector(row) else { return }
                kernels_add_scaled(path, vector, d, weight * (sourceScales.at(Int(row)) ?? 0), base)
            }
        }
        return vectors.rootMeanSquare(&space)
    }

    func addAll(_ weight: Float, _ space: inout PartSpace, allowed: [UInt64]?, to totals: inout [Float]) {
        vectors.addAll(weight, space.query, allowed: allowed, to: &totals)
    }

    func addParts(
        _ weight: Float, of row: Int32, _ history: WeightedHistory, _ space: inout PartSpace, to parts: inout [Float]
    ) {
        guard let vector = vectors.vector(row) else { return }
        vectors.products(Array(UnsafeBufferPointer(start: vector, count: vectors.dimensions)), history.rows, &space.products)
        rule.forEach(history) { index, source in
            parts[index] += weight * source * (sourceScales.at(Int(history.rows[index])) ?? 0) * space.products[index]
        }
    }
}
