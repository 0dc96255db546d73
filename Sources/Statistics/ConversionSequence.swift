import Foundation

/// Exact test of two conversion rates that may be read at any time. Each unit converts at most once, and only the order of the
/// conversions counts: under equal rates each falls to the treatment with the probability of its share of the units
/// (Lindon and Malek 2022, Anytime-valid inference for multinomial count data, inhomogeneous Bernoulli processes).
///
/// Holds under any drift of traffic and rates that both arms share, as long as the share of the arms is constant.
public struct ConversionSequence: Sendable {
    /// Share of the treatment among the units of both arms, inside 0 ..< 1.
    public let share: Double
    /// Of the prior around equal rates.
    public let concentration: Double

    /// - Returns: nil unless 0 < share < 1 and the concentration is positive.
    public init?(share: Double, concentration: Double = 100) {
        guard share > 0, share < 1, concentration > 0, concentration.isFinite else { return nil }
        self.share = share
        self.concentration = concentration
    }

    public struct Result: Sendable, Equatable {
        /// Relative lift of the conversion rate; infinite while the control has no conversion.
        public let lift: Double
        /// −1 at the lowest; the upper bound may be infinite.
        public let interval: Interval
        /// The smallest over all looks.
        public let pValue: Double
    }

    /// The state after some first conversions in each arm; nil, too early, before the first.
    /// - Parameter previous: p-value of the look before, 1 at the first.
    public func result(control: Int, treatment: Int, alpha: Double = 0.05, previous: Double = 1) -> Result? {
        guard control >= 0, treatment >= 0, control + treatment > 0, alpha > 0, alpha < 1 else { return nil }
        let (s0, s1) = (Double(control), Double(treatment))
        let (prior0, prior1) = (concentration * (1 - share), concentration * share)
        let logMixture =
            SpecialFunctions.logBeta(prior0 + s0, prior1 + s1) - SpecialFunctions.logBeta(prior0, prior1)
        let logNull = Self.logLikelihood(s0, s1, share)
        let best = s1 / (s0 + s1)
        let line = logMixture + log(alpha)
        let lower = treatment == 0 ? 0 : Self.crossing(s0, s1, line, outside: 0, inside: best)
        let upper = control == 0 ? 1 : Self.crossing(s0, s1, line, outside: 1, inside: best)
        return Result(
            lift: lift(best), interval: Interval(lower: lift(lower), upper: lift(upper)),
            pValue: min(previous, exp(logNull - logMixture)))
    }

    /// The lift under which the treatment gets a part of all conversions.
    private func lift(_ part: Double) -> Double {
        part >= 1 ? .infinity : part / (1 - part) * ((1 - share) / share) - 1
    }

    private static func logLikelihood(_ s0: Double, _ s1: Double, _ part: Double) -> Double {
        (s0 == 0 ? 0 : s0 * log1p(-part)) + (s1 == 0 ? 0 : s1 * log(part))
    }

    /// Where the likelihood, which has one peak, falls to a line between a point below it and one above it.
    private static func crossing(_ s0: Double, _ s1: Double, _ line: Double, outside: Double, inside: Double) -> Double {
        var (outside, inside) = (outside, inside)
        for _ in 0..<200 {
            let middle = (outside + inside) / 2
            if middle == outside || middle == inside { break }
            if logLikelihood(s0, s1, middle) >= line { inside = middle } else { outside = middle }
        }
        return outside
    }
}
