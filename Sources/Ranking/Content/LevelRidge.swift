/// A ridge from features to one number per item: how popular items with such features are.
struct LevelRidge: Sendable {
    let features: FeatureRows
    let ridge: Float

    private static let rounds = 60

    /// mean + f' (F'F + ridge I)^-1 F'(y - mean) over the learned items, for all items, not below 0; by conjugate gradients.
    func levels(_ known: [Float], learned: [Bool]) -> [Float] {
        let rows = features.rows
        let count = Float(max(1, learned.count { $0 }))
        let mean = known.indices.reduce(Float(0)) { learned[$1] ? $0 + known[$1] : $0 } / count
        var residual = [Float](repeating: 0, count: features.featureCount)
        for item in known.indices where learned[item] {
            rows.forEach(in: item) { residual[$0] += $1 * (known[item] - mean) }
        }
        var solution = [Float](repeating: 0, count: residual.count)
        var direction = residual
        var square = Self.dot(residual, residual)
        let enough = square * 1e-8
        for _ in 0..<Self.rounds where square > enough && square.isFinite {
            let product = gram(direction, learned)
            let curvature = Self.dot(direction, product)
            guard curvature > 0 else { break }
            let step = Float(square / curvature)
            for index in solution.indices {
                solution[index] += step * direction[index]
                residual[index] -= step * product[index]
            }
            let next = Self.dot(residual, residual)
            let share = Float(next / square)
            for index in direction.indices { direction[index] = residual[index] + share * direction[index] }
            square = next
        }
        return known.indices.map { item in
            var level = mean
            rows.forEach(in: item) { level += $1 * solution[$0] }
            return level.isFinite ? max(0, level) : 0
        }
    }

    /// (F'F + ridge I) v
    private func gram(_ vector: [Float], _ learned: [Bool]) -> [Float] {
        var result = vector.map { ridge * $0 }
        for item in learned.indices where learned[item] {
            var value: Float = 0
            features.rows.forEach(in: item) { value += $1 * vector[$0] }
            features.rows.forEach(in: item) { result[$0] += $1 * value }
        }
        return result
    }

    private static func dot(_ left: [Float], _ right: [Float]) -> Double {
        var sum = 0.0
        for index in left.indices { sum += Double(left[index]) * Double(right[index]) }
        return sum
    }
}

extension SparseRows {
    /// Calls `body` with the column and value of each entry of a row.
    func forEach(in row: Int, _ body: (Int, Float) -> Void) {
        for position in offsets[row]..<offsets[row + 1] { body(Int(columns[position]), values[position]) }
    }
}
