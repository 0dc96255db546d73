import Foundation

/// Incomplete beta and gamma functions. References by number are to the NIST Digital Library of Mathematical Functions (DLMF).
package enum SpecialFunctions {
    /// ln Γ(x) for x > 0.
    package static func logGamma(_ x: Double) -> Double { lgamma(x).0 }

    /// ln B(a, b) for positive a and b. Large arguments go through the remainder of Stirling's series, because the difference of three
    /// log-gammas would lose all the digits that the result is made of (Didonato and Morris 1992, Algorithm 708).
    package static func logBeta(_ a: Double, _ b: Double) -> Double {
        let (small, large) = (min(a, b), max(a, b))
        if large < 10 { return logGamma(small) + logGamma(large) - logGamma(small + large) }
        let share = small / (small + large)
        if small < 10 {
            let correction = stirlingRemainder(large) - stirlingRemainder(small + large)
            return logGamma(small) + correction + small - small * log(small + large) + (large - 0.5) * log1p(-share)
        }
        let correction = stirlingRemainder(small) + stirlingRemainder(large) - stirlingRemainder(small + large)
        let constant = 0.5 * log(2 * Double.pi / large)
        return constant + correction + (small - 0.5) * log(share) + large * log1p(-share)
    }

    private static let stirlingCoefficients: [Double] = [
        1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360_360, 1.0 / 156,
    ]

    /// ln Γ(x) − ((x − ½) ln x − x + ½ ln 2π) for x ≥ 10 (DLMF 5.11.1).
    private static func stirlingRemainder(_ x: Double) -> Double {
        let inverseSquare = 1 / (x * x)
        return stirlingCoefficients.reversed().reduce(0.0) { sum, coefficient in sum * inverseSquare + coefficient } / x
    }

    /// Regularised incomplete beta function I_x(a, b).
    /// - Parameter complement: 1 − x, given apart because it may be tiny.
    package static func incompleteBeta(_ a: Double, _ b: Double, x: Double, complement: Double) -> Double {
        if x <= 0 { return 0 }
        if complement <= 0 { return 1 }
        // On the other side of the mean the fraction converges slowly; there I_x(a, b) = 1 − I_(1−x)(b, a) (DLMF 8.17.4).
        if x > (a + 1) / (a + b + 2) { return 1 - betaFraction(b, a, x: complement, complement: x) }
        return betaFraction(a, b, x: x, complement: complement)
    }

    /// The even part of the continued fraction DLMF 8.17.22 in the arrangement of Didonato and Morris 1992 (BFRAC), whose λ is exact also
    /// for x near 1; evaluated by the method of Lentz as modified by Thompson and Barnett 1986.
    private static func betaFraction(_ a: Double, _ b: Double, x: Double, complement y: Double) -> Double {
        let logX = x < 0.5 ? log(x) : log1p(-y)
        let logY = y < 0.5 ? log(y) : log1p(-x)
        let factor = exp(a * logX + b * logY - logBeta(a, b))
        let lambda = y < x ? (a + b) * y - b : a - (a + b) * x
        var lentz = Lentz(firstDenominator: a / (a + 1) * (lambda + 1))
        for step in 1...maximumSteps {
            let n = Double(step)
            let middle = a + 2 * n - 1
            let common = n * (b - n) * x / middle
            let change = lentz.advance(
                numerator: (a + n - 1) * (a + b + n - 1) / middle * common * x,
                denominator: n + common + (a + n) / (middle + 2) * (lambda + 1 + n * (1 + y)))
            if abs(change - 1) < 4e-16 { break }
        }
        return factor * lentz.value
    }

    /// Regularised upper incomplete gamma function Q(a, x), a > 0: the upper tail of a chi-square with 2a degrees of freedom at 2x.
    package static func upperIncompleteGamma(_ a: Double, _ x: Double) -> Double {
        if x <= 0 { return 1 }
        if x.isInfinite { return 0 }
        let factor = exp(a * log(x) - x - logGamma(a))
        if x < a + 1 {
            // DLMF 8.11.4.
            var term = 1 / a
            var sum = term
            for step in 1...maximumSteps {
                term *= x / (a + Double(step))
                sum += term
                if term < sum * 1e-17 { break }
            }
            return max(0, 1 - factor * sum)
        }
        // DLMF 8.9.2 in its even form.
        var lentz = Lentz(firstDenominator: x + 1 - a)
        for step in 1...maximumSteps {
            let n = Double(step)
            let change = lentz.advance(numerator: -n * (n - a), denominator: x + 2 * n + 1 - a)
            if abs(change - 1) < 4e-16 { break }
        }
        return factor * lentz.value
    }

    /// Both fractions need about the square root of their largest parameter.
    private static let maximumSteps = 100_000

    /// Evaluates 1/(d₀ + n₁/(d₁ + n₂/(d₂ + …))) from the left.
    private struct Lentz {
        private(set) var value: Double
        private var c: Double
        private var d: Double

        init(firstDenominator: Double) {
            c = 1 / Self.tiny
            d = 1 / Self.away(firstDenominator)
            value = d
        }

        mutating func advance(numerator: Double, denominator: Double) -> Double {
            d = 1 / Self.away(denominator + numerator * d)
            c = Self.away(denominator + numerator / c)
            value *= c * d
            return c * d
        }

        private static let tiny = 1e-300
        private static func away(_ x: Double) -> Double { abs(x) < tiny ? tiny : x }
    }
}
