import Foundation

/// On which scale two arms are compared.
public enum Difference: String, Sendable {
    /// Treatment minus control.
    case absolute
    /// That, divided by the control's mean.
    case relative
}

/// An interval of plausible values. A bound may be infinite where the data leave that side open.
public struct Interval: Sendable, Equatable {
    public let lower: Double
    public let upper: Double

    public init(lower: Double, upper: Double) {
        self.lower = lower
        self.upper = upper
    }

    public func contains(_ value: Double) -> Bool { lower <= value && value <= upper }
}

/// The answer of a test.
public struct TestResult: Sendable, Equatable {
    public let estimate: Double
    public let standardError: Double
    public let interval: Interval
    /// Two-sided.
    public let pValue: Double
}

/// The difference between two arms with its variance: what every test, sequence and posterior starts from.
public struct Effect: Sendable {
    public let difference: Difference
    public let estimate: Double
    /// Squared standard error of `estimate`; positive.
    public let variance: Double
    /// Of Welch's test, always from the absolute difference (the convention of gbstats).
    public let degreesOfFreedom: Double
    /// Units of both arms together.
    public let count: Double
    /// Unadjusted mean of the control.
    public let controlMean: Double
    /// Whether a relative difference may be shown: the control's mean is positive and at least three standard errors from zero.
    public let isRelativeReliable: Bool
    /// Whether it is too early for a sequence: under 100 units, or under 10 conversions, in an arm.
    public let isEarly: Bool

    public var standardError: Double { variance.squareRoot() }

    /// Compares two arms of one metric. Nil, "too early to tell": an arm with fewer than two units, no variance in either arm,
    /// impossible totals, or a relative difference to a mean of zero.
    public init?<Statistic: ArmStatistic>(control: Statistic, treatment: Statistic, difference: Difference = .absolute) {
        guard let (a, b) = Statistic.estimates(control: control, treatment: treatment) else { return nil }
        let (errorA, errorB) = (a.variance / a.count, b.variance / b.count)
        let absolute = errorA + errorB
        guard absolute > 0, absolute.isFinite else { return nil }
        self.difference = difference
        switch difference {
        case .absolute:
            estimate = b.mean - a.mean
            variance = absolute
        case .relative:
            guard a.rawMean != 0 else { return nil }
            let base = a.rawMean * a.rawMean
            estimate = (b.mean - a.mean) / a.rawMean
            variance = errorB / base + errorA * b.rawMean * b.rawMean / (base * base)
        }
        // Welch 1947; the relative variance above is the delta method.
        degreesOfFreedom = absolute * absolute / (errorA * errorA / (a.count - 1) + errorB * errorB / (b.count - 1))
        count = a.count + b.count
        controlMean = a.rawMean
        isRelativeReliable = a.rawMean > 0 && a.rawMean * a.rawMean >= 9 * errorA
        isEarly = min(a.count, b.count) < 100 || min(a.conversions ?? 10, b.conversions ?? 10) < 10
        guard estimate.isFinite, variance.isFinite, variance > 0, degreesOfFreedom.isFinite, degreesOfFreedom > 0 else { return nil }
    }

    /// Welch's test, to be read once, at an end fixed before the start.
    /// - Parameter alpha: error rate, 0 < alpha < 1.
    public func fixedTest(alpha: Double = 0.05) -> TestResult {
        let halfWidth = StudentT.quantile(upperTail: alpha / 2, degreesOfFreedom) * standardError
        return TestResult(
            estimate: estimate, standardError: standardError,
            interval: Interval(lower: estimate - halfWidth, upper: estimate + halfWidth),
            pValue: min(1, 2 * StudentT.upperTail(abs(estimate) / standardError, degreesOfFreedom)))
    }

    /// The lower and the upper bound that each hold alone at level 1 − alpha. A guardrail passes when the lower one is above −margin
    /// (where lower is better: the upper one below the margin).
    public func oneSidedBounds(alpha: Double = 0.05) -> Interval {
        let halfWidth = StudentT.quantile(upperTail: alpha, degreesOfFreedom) * standardError
        return Interval(lower: estimate - halfWidth, upper: estimate + halfWidth)
    }

    /// Asymptotic confidence sequence: may be read at any time (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2021, Time-uniform central
    /// limit theory and asymptotic confidence sequences, with ρ tuned for one sample size as GrowthBook does).
    ///
    /// At `plannedUnits` the interval is 1.55 times the fixed one (alpha 0.05). Nil while `isEarly`.
    /// - Parameter plannedUnits: units of both arms at which it shall be narrowest; fixed before the start, positive.
    public func sequentialTest(alpha: Double = 0.05, plannedUnits: Int) -> TestResult? {
        guard !isEarly, plannedUnits > 0, alpha > 0, alpha < 1 else { return nil }
        let growth = count * SequentialBound.rhoSquared(alpha: alpha, plannedUnits: Double(plannedUnits))
        let halfWidth = standardError * SequentialBound.multiplier(growth: growth, alpha: alpha)
        let exponent = 0.5 * log(growth + 1) - growth * estimate * estimate / (variance * 2 * (growth + 1))
        return TestResult(
            estimate: estimate, standardError: standardError,
            interval: Interval(lower: estimate - halfWidth, upper: estimate + halfWidth), pValue: min(1, exp(exponent)))
    }
}

/// The boundary of the asymptotic confidence sequence.
package enum SequentialBound {
    /// ρ² = (−2 ln α + ln(−2 ln α + 1))/N*.
    package static func rhoSquared(alpha: Double, plannedUnits: Double) -> Double {
        let logarithm = -2 * log(alpha)
        return (logarithm + log(logarithm + 1)) / plannedUnits
    }

    /// Half-width in standard errors where Nρ² = growth.
    static func multiplier(growth: Double, alpha: Double) -> Double {
        (2 * (growth + 1) / growth * (0.5 * log(growth + 1) - log(alpha))).squareRoot()
    }

    /// At the planned size, whatever that is.
    static func multiplierAtPlan(alpha: Double) -> Double {
        multiplier(growth: rhoSquared(alpha: alpha, plannedUnits: 1), alpha: alpha)
    }
}
