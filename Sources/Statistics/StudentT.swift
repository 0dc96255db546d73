import Foundation

/// Student's t distribution with any positive number of degrees of freedom.
package enum StudentT {
    /// P(T > t) = ½ I_x(ν/2, ½) with x = ν/(ν + t²) for t ≥ 0 (Abramowitz and Stegun 1964, 26.7.1).
    package static func upperTail(_ t: Double, _ degreesOfFreedom: Double) -> Double {
        if t < 0 { return 1 - upperTail(-t, degreesOfFreedom) }
        // Here the difference from the normal distribution is below 1e-11.
        if degreesOfFreedom > 1e11 { return Normal.cumulative(-t) }
        let square = t * t
        if square.isInfinite { return 0 }
        let total = degreesOfFreedom + square
        return 0.5 * SpecialFunctions.incompleteBeta(degreesOfFreedom / 2, 0.5, x: degreesOfFreedom / total, complement: square / total)
    }

    package static func cumulative(_ t: Double, _ degreesOfFreedom: Double) -> Double { upperTail(-t, degreesOfFreedom) }

    /// The t with P(T > t) = p. Newton's method on the logarithm of the tail, kept inside a bracket.
    /// - Parameter p: 0 < p < 1; 0 and 1 give the infinities.
    package static func quantile(upperTail p: Double, _ degreesOfFreedom: Double) -> Double {
        guard p > 0, p < 1 else { return p <= 0 ? .infinity : -.infinity }
        if p > 0.5 { return -quantile(upperTail: 1 - p, degreesOfFreedom) }
        if p == 0.5 { return 0 }
        var low = 0.0
        var high = max(1, -Normal.quantile(p))
        while upperTail(high, degreesOfFreedom) > p, high < 1e150 {
            low = high
            high *= 2
        }
        var t = (low + high) / 2
        for _ in 0..<200 {
            let tail = upperTail(t, degreesOfFreedom)
            if tail > p { low = t } else { high = t }
            let step = tail * (log(tail) - log(p)) / density(t, degreesOfFreedom)
            let next = t + step
            let bounded = next > low && next < high ? next : (low + high) / 2
            if abs(bounded - t) <= 1e-15 * abs(t) { return bounded }
            t = bounded
        }
        return t
    }

    package static func density(_ t: Double, _ degreesOfFreedom: Double) -> Double {
        let power = -(degreesOfFreedom + 1) / 2 * log1p(t * t / degreesOfFreedom)
        return exp(power - SpecialFunctions.logBeta(degreesOfFreedom / 2, 0.5)) / degreesOfFreedom.squareRoot()
    }
}
