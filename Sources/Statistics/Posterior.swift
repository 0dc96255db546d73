import Foundation

/// What is believed of a relative lift before any data.
public enum Prior: Sendable, Equatable {
    case flat
    /// - Parameter deviation: positive.
    case normal(mean: Double, deviation: Double)

    public static let standard = Prior.normal(mean: 0, deviation: 0.3)
}

/// Normal posterior of an effect. Its chance to win is no guarantee under repeated reading.
public struct Posterior: Sendable, Equatable {
    public let mean: Double
    public let deviation: Double
    public let interval: Interval
    /// Probability that the treatment is better.
    public let chanceToWin: Double
    /// Expected loss, in units of the effect, of shipping the treatment although the control is better.
    public let lossOfShipping: Double
    /// Expected loss of keeping the control although the treatment is better.
    public let lossOfKeeping: Double
}

extension Effect {
    /// Normal likelihood times normal prior. The prior is one of the relative lift; for an absolute effect it is multiplied by the
    /// control's mean. Nil when that scaling, or a deviation that is not positive, leaves no prior.
    public func posterior(prior: Prior = .standard, alpha: Double = 0.05, lowerIsBetter: Bool = false) -> Posterior? {
        var precision = 1 / variance
        var weighted = estimate / variance
        if case .normal(let mean, let deviation) = prior {
            let scale = difference == .relative ? 1 : controlMean
            let priorPrecision = 1 / (deviation * deviation * scale * scale)
            guard deviation > 0, priorPrecision.isFinite else { return nil }
            precision += priorPrecision
            weighted += mean * scale * priorPrecision
        }
        let mean = weighted / precision
        let deviation = 1 / precision.squareRoot()
        let halfWidth = Normal.quantile(1 - alpha / 2) * deviation
        let gain = lowerIsBetter ? -mean : mean
        let z = gain / deviation
        let density = deviation * Normal.density(z)
        return Posterior(
            mean: mean, deviation: deviation, interval: Interval(lower: mean - halfWidth, upper: mean + halfWidth),
            chanceToWin: Normal.cumulative(z), lossOfShipping: max(0, density - gain * Normal.cumulative(-z)),
            lossOfKeeping: max(0, density + gain * Normal.cumulative(z)))
    }
}
