extension ImplicitALS {
    /// Users whose own terms are looked at, the same after every round: a curve needs no more, and a round no longer.
    private static let observedUsers = 500

    /// What the fit minimizes, per user: sum of w (1 - x.y)^2 over what a user met, alpha sum of (x.y)^2 over all items, and both sides'
    /// regularization; users' terms over users spread evenly.
    func loss(users: [Float], items: [Float], byUser: SparseRows, byItem: SparseRows) -> Double {
        let d = dimensions
        guard byUser.rowCount > 0, d > 0 else { return 0 }
        let itemCount = items.count / d
        let gram = NormalEquations.gram(items, rows: itemCount, dimensions: d)
        var sum = 0.0
        var count = 0.0
        for user in stride(from: 0, to: byUser.rowCount, by: max(1, byUser.rowCount / Self.observedUsers)) {
            let x = users[user * d..<(user + 1) * d]
            sum += userLoss(x, byUser, user, items, gram, itemCount)
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
        _ x: ArraySlice<Float>, _ rows: SparseRows, _ user: Int, _ items: [Float], _ gram: [Float], _ itemCount: Int
    ) -> Double {
        let d = dimensions
        var sum: Float = 0
        var weightSum: Float = 0
        for position in rows.offsets[user]..<rows.offsets[user + 1] {
            let start = Int(rows.columns[position]) * d
            var product: Float = 0
            for (index, value) in x.enumerated() { product += value * items[start + index] }
            sum += rows.values[position] * (1 - product) * (1 - product)
            weightSum += rows.values[position]
        }
        var all: Float = 0
        for (row, left) in x.enumerated() {
            var product: Float = 0
            for (column, right) in x.enumerated() { product += right * gram[row * d + column] }
            all += left * product
        }
        let square = x.reduce(Float(0)) { $0 + $1 * $1 }
        return Double(sum + unobservedWeight * all + regularization(weightSum: weightSum, otherRows: itemCount) * square)
    }
}
