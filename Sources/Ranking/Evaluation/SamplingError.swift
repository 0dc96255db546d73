/// How far a mean over held-out users may be from that over all such users.
public struct SamplingError: Sendable, Equatable {
    /// Of the mean: the users' standard deviation over the root of their number.
    public var standardError: Double
    public var userCount: Int

    /// With fewer users the mean is not near enough to a normal distribution.
    static let fewestUsers = 30
    /// The normal distribution's quantile of 97.5 %.
    private static let quantile = 1.959963984540054

    public init(standardError: Double, userCount: Int) {
        (self.standardError, self.userCount) = (standardError, userCount)
    }

    /// From the sum of the users' values and that of their squares; nil for fewer than two users.
    init?(sum: Double, squares: Double, userCount: Int) {
        guard userCount > 1 else { return nil }
        let count = Double(userCount)
        // Rounding may bring what is nothing below it.
        let variance = max(0, squares - sum * sum / count) / (count - 1)
        self.init(standardError: (variance / count).squareRoot(), userCount: userCount)
    }

    /// The 95 % interval of the difference of two means, by the normal approximation: difference ± 1.96 √(a² + b²) of the standard
    /// errors a and b. Nil where either side has fewer than 30 users.
    ///
    /// Users are not paired, since those held out by two trainings need not be the same. Where some are, their values go together, and
    /// the interval is wider than it had to be, so it calls nothing a difference that is none.
    public func interval(ofDifference difference: Double, from other: SamplingError) -> ClosedRange<Double>? {
        guard min(userCount, other.userCount) >= Self.fewestUsers else { return nil }
        let half = Self.quantile * (standardError * standardError + other.standardError * other.standardError).squareRoot()
        return (difference - half)...(difference + half)
    }
}
