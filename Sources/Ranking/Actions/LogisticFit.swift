import Foundation

/// Logistic regression with a ridge, by Newton's method (iteratively reweighted least squares).
struct LogisticFit: Sendable {
    /// Of |w|^2 / 2, on features divided by their root mean square; the first feature, the bias, goes free.
    var ridge = 1.0

    struct Example: Sendable {
        var features: [Double]
        var isPositive: Bool
        /// How many examples it stands for.
        var weight = 1.0
    }

    /// Weights on the features as they are given.
    func fit(_ examples: [Example], featureCount n: Int) -> [Double] {
        let scales = scales(examples, n)
        let rows = examples.map { example in zip(example.features, scales).map { $0 * $1 } }
        var weights = [Double](repeating: 0, count: n)
        let positives = examples.reduce(0) { $0 + ($1.isPositive ? $1.weight : 0) }
        let total = examples.reduce(0) { $0 + $1.weight }
        guard positives > 0, positives < total else {
            // All alike: half an example of the other kind keeps the odds finite.
            weights[0] = log((positives + 0.5) / (total - positives + 0.5))
            return weights
        }
        weights[0] = log(positives / (total - positives))
        var loss = loss(rows, examples, weights)
        for _ in 0..<25 {
            guard let step = step(rows, examples, weights) else { break }
            var share = 1.0
            var next = weights
            var nextLoss = Double.infinity
            repeat {
                next = zip(weights, step).map { $0 + share * $1 }
                nextLoss = self.loss(rows, examples, next)
                share /= 2
            } while nextLoss > loss && share > 1e-4
            guard nextLoss <= loss else { break }
            let gain = loss - nextLoss
            (weights, loss) = (next, nextLoss)
            if gain < 1e-8 * loss { break }
        }
        return zip(weights, scales).map { $0 * $1 }
    }

    private func scales(_ examples: [Example], _ n: Int) -> [Double] {
        var squares = [Double](repeating: 0, count: n)
        for example in examples { for axis in 0..<n { squares[axis] += example.features[axis] * example.features[axis] } }
        return (0..<n).map { axis in
            let mean = squares[axis] / Double(max(1, examples.count))
            return axis == 0 || mean < 1e-12 ? 1 : 1 / mean.squareRoot()
        }
    }

    private func loss(_ rows: [[Double]], _ examples: [Example], _ weights: [Double]) -> Double {
        var loss = weights.dropFirst().reduce(0) { $0 + ridge * $1 * $1 / 2 }
        for (row, example) in zip(rows, examples) {
            let logit = Self.dot(row, weights)
            loss += example.weight * Self.softplus(example.isPositive ? -logit : logit)
        }
        return loss
    }

    private func step(_ rows: [[Double]], _ examples: [Example], _ weights: [Double]) -> [Double]? {
        let n = weights.count
        var gradient = (0..<n).map { $0 == 0 ? 0 : -ridge * weights[$0] }
        var curvature = [Double](repeating: 0, count: n * n)
        for axis in 0..<n { curvature[axis * n + axis] = axis == 0 ? 1e-9 : ridge }
        for (row, example) in zip(rows, examples) {
            let probability = Self.sigmoid(Self.dot(row, weights))
            let slope = example.weight * ((example.isPositive ? 1 : 0) - probability)
            let bend = example.weight * max(1e-12, probability * (1 - probability))
            for a in 0..<n where row[a] != 0 {
                gradient[a] += slope * row[a]
                for b in 0...a { curvature[a * n + b] += bend * row[a] * row[b] }
            }
        }
        return Self.solve(&curvature, gradient, n)
    }

    /// Cholesky on the lower half.
    private static func solve(_ matrix: inout [Double], _ right: [Double], _ n: Int) -> [Double]? {
        for a in 0..<n {
            for b in 0...a {
                var sum = matrix[a * n + b]
                for k in 0..<b { sum -= matrix[a * n + k] * matrix[b * n + k] }
                if a == b {
                    guard sum > 0 else { return nil }
                    matrix[a * n + a] = sum.squareRoot()
                } else {
                    matrix[a * n + b] = sum / matrix[b * n + b]
                }
            }
        }
        var solution = right
        for a in 0..<n {
            for k in 0..<a { solution[a] -= matrix[a * n + k] * solution[k] }
            solution[a] /= matrix[a * n + a]
        }
        for a in stride(from: n - 1, through: 0, by: -1) {
            for k in a + 1..<n { solution[a] -= matrix[k * n + a] * solution[k] }
            solution[a] /= matrix[a * n + a]
        }
        return solution
    }

    static func dot(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for index in a.indices { sum += a[index] * b[index] }
        return sum
    }

    static func sigmoid(_ x: Double) -> Double { x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)) }

    /// ln(1 + e^x)
    static func softplus(_ x: Double) -> Double { x > 30 ? x : log1p(exp(x)) }
}
