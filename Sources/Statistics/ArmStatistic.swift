/// What an arm's totals say about its mean, in the form that all comparisons of two arms share.
public struct ArmEstimate: Sendable {
    /// Number of units; at least 2.
    public let count: Double
    /// Mean for each unit, after any adjustment.
    public let mean: Double
    /// Variance of one unit, after any adjustment; its ratio to `count` is the squared standard error of `mean`.
    public let variance: Double
    /// The mean without adjustment: the base of relative differences.
    public let rawMean: Double
    /// Units that converted, for metrics where a unit does so at most once.
    public let conversions: Double?
}

/// Totals of one arm and one metric that suffice for every test. Totals of disjoint sets of units add up.
public protocol ArmStatistic: Sendable {
    static func + (first: Self, second: Self) -> Self

    /// Both arms' estimates; nil when a total is impossible or an arm has fewer than two units.
    static func estimates(control: Self, treatment: Self) -> (control: ArmEstimate, treatment: ArmEstimate)?
}

/// A value for each unit: revenue, number of clicks.
public struct MeanStatistic: ArmStatistic, Equatable {
    public var n: Int
    public var sum: Double
    public var sumSquares: Double

    public init(n: Int, sum: Double, sumSquares: Double) {
        self.n = n
        self.sum = sum
        self.sumSquares = sumSquares
    }

    public init(_ values: some Sequence<Double>) {
        self.init(n: 0, sum: 0, sumSquares: 0)
        for value in values {
            n += 1
            sum += value
            sumSquares += value * value
        }
    }

    public static func + (first: Self, second: Self) -> Self {
        Self(n: first.n + second.n, sum: first.sum + second.sum, sumSquares: first.sumSquares + second.sumSquares)
    }

    /// Nil without units.
    public var mean: Double? { n > 0 && sum.isFinite ? sum / Double(n) : nil }

    /// With n − 1; nil with fewer than two units or impossible totals.
    public var variance: Double? { Moments.covariance(n, sum, sum, sumSquares).flatMap { Moments.variance($0, scale: sumSquares) } }

    public static func estimates(control: Self, treatment: Self) -> (control: ArmEstimate, treatment: ArmEstimate)? {
        guard let control = control.estimate, let treatment = treatment.estimate else { return nil }
        return (control, treatment)
    }

    private var estimate: ArmEstimate? {
        guard let mean, let variance else { return nil }
        return ArmEstimate(count: Double(n), mean: mean, variance: variance, rawMean: mean, conversions: nil)
    }
}

/// Yes or no for each unit: converted or not.
public struct ProportionStatistic: ArmStatistic, Equatable {
    public var n: Int
    /// Units that converted, 0 ... n.
    public var sum: Int

    public init(n: Int, sum: Int) {
        self.n = n
        self.sum = sum
    }

    public static func + (first: Self, second: Self) -> Self { Self(n: first.n + second.n, sum: first.sum + second.sum) }

    public static func estimates(control: Self, treatment: Self) -> (control: ArmEstimate, treatment: ArmEstimate)? {
        guard let control = control.estimate, let treatment = treatment.estimate else { return nil }
        return (control, treatment)
    }

    private var estimate: ArmEstimate? {
        guard n >= 2, (0...n).contains(sum) else { return nil }
        let rate = Double(sum) / Double(n)
        return ArmEstimate(count: Double(n), mean: rate, variance: rate * (1 - rate), rawMean: rate, conversions: Double(sum))
    }
}

/// Sample moments from totals.
enum Moments {
    /// (Σxy − Σx·Σy/n)/(n − 1); nil with fewer than two units or totals that are not finite.
    static func covariance(_ n: Int, _ sumX: Double, _ sumY: Double, _ sumProducts: Double) -> Double? {
        guard n >= 2 else { return nil }
        let covariance = (sumProducts - sumX * sumY / Double(n)) / Double(n - 1)
        return covariance.isFinite ? covariance : nil
    }

    /// A variance that rounding made slightly negative is zero; one that is truly negative has impossible totals.
    static func variance(_ value: Double, scale: Double) -> Double? {
        if value >= 0 { return value }
        return value > -1e-9 * abs(scale) ? 0 : nil
    }
}
