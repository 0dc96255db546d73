import Kernels

extension ImplicitALS {
    /// Users whose own terms are looked at, the same after every round: a curve needs no more, and a round no longer.
    static let observedUsers = 500

    /// What the fit minimizes, per user: sum of w (1 - x.y)^2 over what a user met, alpha sum of (x.y)^2 over all items, and both sides'
    /// regularization; users' terms over some users spread evenly.
    func loss(users: [Float], items: [Float], byUser: SparseRows, byItem: SparseRows, observed: Int = observedUsers) -> Double {
        let d = dimensions
        guard byUser.rowCount > 0, d > 0 else { return 0 }
        let itemCount = items.count / d
        let gram = NormalEquations.gram(items, rows: itemCount, dimensions: d)
        var products: [Float] = []
        var sum = 0.0
        var count = 0.0
        for user in stride(from: 0, to: byUser.rowCount, by: max(1, byUser.rowCount / observed)) {
            let x = Array(users[user * d..<(user + 1) * d])
            sum += userLoss(x, byUser, user, items, gram, &products)
            count += 1
        }
        var ofItems = 0.0
        for item in 0..<itemCount {
            let weightSum = byItem.values[byItem.offsets[item]..<byItem.offsets[item + 1]].reduce(0, +)
            let square = items[item * d..<(item + 1) * d].reduce(Float(0)) { $0 + $1 * $1 }
            ofItems += Double(regularization(weightSum: weightSum, otherRows: byUser.rowCount) * square)
        }
        return sum / count + ofItems / Double(byUser.rowCount)
    }

    private func userLoss(
        _ x: [Float], _ rows: SparseRows, _ user: Int, _ items: [Float], _ gram: [Float], _ products: inout [Float]
    ) -> Double {
        let range = rows.offsets[user]..<rows.offsets[user + 1]
        multiply(items, Array(rows.columns[range]), x, &products)
        var sum: Float = 0
        var weightSum: Float = 0
        for (product, weight) in zip(products, rows.values[range]) {
            sum += weight * (1 - product) * (1 - product)
            weightSum += weight
        }
        multiply(gram, Array(0..<Int32(dimensions)), x, &products)
        let all = zip(x, products).reduce(Float(0)) { $0 + $1.0 * $1.1 }
        let square = x.reduce(Float(0)) { $0 + $1 * $1 }
        let lambda = regularization(weightSum: weightSum, otherRows: items.count / dimensions)
        return Double(sum + unobservedWeight * all + lambda * square)
    }

    /// Products of `x` with rows of a matrix, one for each.
    private func multiply(_ matrix: [Float], _ rows: [Int32], _ x: [Float], _ products: inout [Float]) {
        products = [Float](repeating: 0, count: rows.count)
        kernels_dot_rows(kernels_best_path(), matrix, dimensions, x, rows, rows.count, &products)
    }
}
