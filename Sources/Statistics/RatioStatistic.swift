/// A ratio of two totals with the visitor as the unit: clicks for each impression, revenue for each order.
public struct RatioStatistic: ArmStatistic, Equatable {
    /// For each unit its total in the numerator.
    public var numerator: MeanStatistic
    /// For each unit its total in the denominator; the same number of units.
    public var denominator: MeanStatistic
    /// Sum over the units of numerator times denominator.
    public var sumProducts: Double

    public init(numerator: MeanStatistic, denominator: MeanStatistic, sumProducts: Double) {
        self.numerator = numerator
        self.denominator = denominator
        self.sumProducts = sumProducts
    }

    public static func + (first: Self, second: Self) -> Self {
        Self(
            numerator: first.numerator + second.numerator, denominator: first.denominator + second.denominator,
            sumProducts: first.sumProducts + second.sumProducts)
    }

    public static func estimates(control: Self, treatment: Self) -> (control: ArmEstimate, treatment: ArmEstimate)? {
        guard let control = control.estimate, let treatment = treatment.estimate else { return nil }
        return (control, treatment)
    }

    /// Delta method: s²R = s²x/ȳ² − 2·x̄·sxy/ȳ³ + x̄²·s²y/ȳ⁴ (Deng, Knoblich, Lu 2018, Applying the delta method in metric analytics).
    var estimate: ArmEstimate? {
        let n = numerator.n
        guard n == denominator.n, let x = numerator.mean, let y = denominator.mean, y != 0,
            let varianceX = numerator.variance, let varianceY = denominator.variance,
            let covariance = Moments.covariance(n, numerator.sum, denominator.sum, sumProducts)
        else { return nil }
        let ratio = x / y
        let parts = [varianceX / (y * y), -2 * ratio * covariance / (y * y), ratio * ratio * varianceY / (y * y)]
        guard ratio.isFinite, let variance = Moments.variance(parts.reduce(0, +), scale: parts[0] + parts[2]), variance.isFinite else {
            return nil
        }
        return ArmEstimate(count: Double(n), mean: ratio, variance: variance, rawMean: ratio, conversions: nil)
    }
}
