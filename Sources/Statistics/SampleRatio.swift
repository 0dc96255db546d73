import Foundation

/// Checks whether the units fell into the arms in the planned ratio. When they did not, the comparison of the arms means nothing.
public struct SampleRatio: Sendable {
    /// Units found in each arm.
    public let observed: [Int]
    /// Planned shares, sum 1. For several phases: Σ over phases of units first exposed in the phase times its weight, scaled.
    public let shares: [Double]

    /// - Returns: nil without units, with a negative number or weight, with different lengths, or with fewer than two arms of positive weight.
    public init?(observed: [Int], weights: [Double]) {
        let total = weights.reduce(0, +)
        guard observed.count == weights.count, observed.allSatisfy({ $0 >= 0 }), observed.contains(where: { $0 > 0 }),
            weights.allSatisfy({ $0 >= 0 }), weights.count(where: { $0 > 0 }) >= 2, total.isFinite
        else { return nil }
        self.observed = observed
        shares = weights.map { $0 / total }
    }

    /// The answer of the fixed check.
    public struct ChiSquare: Sendable, Equatable {
        /// Infinite when an arm of weight 0 has units.
        public let statistic: Double
        /// Arms of positive weight, less one.
        public let degreesOfFreedom: Int
        public let pValue: Double
        /// p below 0.001, the usual line for this check.
        public var isAlarm: Bool { pValue < 0.001 }
    }

    /// Pearson's chi-square, to be read once.
    public func chiSquare() -> ChiSquare {
        let total = Double(observed.reduce(0, +))
        let statistic = zip(observed, shares).reduce(0.0) { sum, arm in
            let expected = total * arm.1
            if expected == 0 { return arm.0 > 0 ? .infinity : sum }
            let excess = Double(arm.0) - expected
            return sum + excess * excess / expected
        }
        let degreesOfFreedom = shares.count { $0 > 0 } - 1
        return ChiSquare(
            statistic: statistic, degreesOfFreedom: degreesOfFreedom,
            pValue: SpecialFunctions.upperIncompleteGamma(Double(degreesOfFreedom) / 2, statistic / 2))
    }

    /// ln of the Bayes factor against the planned ratio (Lindon and Malek 2022, Anytime-valid inference for multinomial count data).
    ///
    /// Exact at any time: p = 1/factor, the smallest over all looks. The logarithms of several phases add up.
    /// - Parameter concentration: of the Dirichlet prior around the plan, positive.
    public func logBayesFactor(concentration: Double = 1000) -> Double {
        var prior: [Double] = []
        var posterior: [Double] = []
        var null = 0.0
        for (count, share) in zip(observed, shares) {
            if share == 0 {
                if count > 0 { return .infinity }
                continue
            }
            prior.append(concentration * share)
            posterior.append(concentration * share + Double(count))
            null += Double(count) * log(share)
        }
        return Self.logBeta(posterior) - Self.logBeta(prior) - null
    }

    /// The always-valid p-value of a look.
    /// - Parameters:
    ///   - logBayesFactors: one for each phase.
    ///   - previous: of the look before, 1 at the first.
    public static func sequentialPValue(logBayesFactors: [Double], previous: Double = 1) -> Double {
        min(previous, exp(-logBayesFactors.reduce(0, +)))
    }

    private static func logBeta(_ parameters: [Double]) -> Double {
        parameters.reduce(0) { $0 + SpecialFunctions.logGamma($1) } - SpecialFunctions.logGamma(parameters.reduce(0, +))
    }
}
