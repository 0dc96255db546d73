import Foundation

/// How large an experiment must be, what it can see, and how long it takes.
public struct SampleSize: Sendable {
    /// How the report will be read.
    public enum Reading: Sendable {
        /// Once, at the end.
        case fixed
        /// At any time; sized for a verdict at the planned end.
        case alwaysValid
    }

    /// Variance of one unit in each arm.
    public let controlVariance: Double
    public let treatmentVariance: Double
    /// Share of the treatment among the units of both arms.
    public let treatmentShare: Double
    public let alpha: Double
    /// Probability of finding an effect that is there.
    public let power: Double
    public let reading: Reading

    /// - Parameters:
    ///   - correlation: of the metric with the same before the experiment, when CUPED will be used: the variance falls by its square.
    /// - Returns: nil unless variances are positive, shares and rates lie inside 0 ..< 1 and |correlation| < 1.
    public init?(
        controlVariance: Double, treatmentVariance: Double, treatmentShare: Double = 0.5, alpha: Double = 0.05, power: Double = 0.8,
        correlation: Double = 0, reading: Reading = .fixed
    ) {
        let open = [treatmentShare, alpha, power]
        guard controlVariance >= 0, treatmentVariance >= 0, controlVariance + treatmentVariance > 0,
            (controlVariance + treatmentVariance).isFinite, open.allSatisfy({ $0 > 0 && $0 < 1 }), abs(correlation) < 1
        else { return nil }
        self.controlVariance = controlVariance * (1 - correlation * correlation)
        self.treatmentVariance = treatmentVariance * (1 - correlation * correlation)
        self.treatmentShare = treatmentShare
        self.alpha = alpha
        self.power = power
        self.reading = reading
    }

    /// For a conversion rate that the treatment changes by a relative lift; nil when a rate leaves 0 ... 1.
    public init?(
        conversionRate: Double, relativeLift: Double, treatmentShare: Double = 0.5, alpha: Double = 0.05, power: Double = 0.8,
        reading: Reading = .fixed
    ) {
        let treated = conversionRate * (1 + relativeLift)
        guard (0...1).contains(conversionRate), (0...1).contains(treated) else { return nil }
        self.init(
            controlVariance: conversionRate * (1 - conversionRate), treatmentVariance: treated * (1 - treated),
            treatmentShare: treatmentShare, alpha: alpha, power: power, reading: reading)
    }

    /// Units of both arms for an absolute effect: N = (z + zβ)²·(s²A/a + s²B/b)/δ², rounded up; nil for an effect of zero or out of range.
    public func units(forEffect effect: Double) -> Int? {
        let units = (multiplier + powerQuantile) * (multiplier + powerQuantile) * varianceForUnit / (effect * effect)
        return units.isFinite && units < 1e15 ? Int(units.rounded(.up)) : nil
    }

    /// The smallest absolute effect that is found with the given power after some units of both arms; nil without units.
    public func smallestEffect(afterUnits units: Int) -> Double? {
        units > 0 ? (multiplier + powerQuantile) * (varianceForUnit / Double(units)).squareRoot() : nil
    }

    /// Probability of finding an absolute effect, in either direction, after some units of both arms; nil without units.
    public func power(ofEffect effect: Double, afterUnits units: Int) -> Double? {
        guard units > 0, effect.isFinite else { return nil }
        let z = effect / (varianceForUnit / Double(units)).squareRoot()
        return Normal.cumulative(z - multiplier) + Normal.cumulative(-z - multiplier)
    }

    /// Whole weeks until that many units came; nil without traffic.
    /// - Parameters:
    ///   - unitsPerDay: new eligible units a day.
    ///   - coverage: part of them in the experiment.
    public static func weeks(forUnits units: Int, unitsPerDay: Double, coverage: Double = 1) -> Int? {
        let weeks = Double(units) / (unitsPerDay * coverage) / 7
        guard unitsPerDay > 0, coverage > 0, weeks.isFinite, weeks < 1e9 else { return nil }
        return max(1, Int(weeks.rounded(.up)))
    }

    /// s²A/a + s²B/b: the variance of the difference times the units of both arms.
    private var varianceForUnit: Double { controlVariance / (1 - treatmentShare) + treatmentVariance / treatmentShare }

    private var powerQuantile: Double { Normal.quantile(power) }

    /// Standard errors that the estimate must be from zero.
    private var multiplier: Double {
        switch reading {
        case .fixed: Normal.quantile(1 - alpha / 2)
        case .alwaysValid: SequentialBound.multiplierAtPlan(alpha: alpha)
        }
    }
}
