/// Intervals for conversion rates of few units or few conversions, where the normal approximation fails.
extension ProportionStatistic {
    /// Wilson's score interval (Wilson 1927); nil without units.
    public func wilsonInterval(alpha: Double = 0.05) -> Interval? {
        guard n > 0, (0...n).contains(sum) else { return nil }
        let n = Double(n)
        let rate = Double(sum) / n
        let z = Normal.quantile(1 - alpha / 2)
        let square = z * z / n
        let center = (rate + square / 2) / (1 + square)
        let halfWidth = z / (1 + square) * (rate * (1 - rate) / n + square / (4 * n)).squareRoot()
        return Interval(
            lower: sum == 0 ? 0 : max(0, center - halfWidth), upper: sum == self.n ? 1 : min(1, center + halfWidth))
    }

    /// Interval of treatment minus control, from the two Wilson intervals (Newcombe 1998, method 10); nil without units in an arm.
    public static func newcombeInterval(control: Self, treatment: Self, alpha: Double = 0.05) -> Interval? {
        guard let a = control.wilsonInterval(alpha: alpha), let b = treatment.wilsonInterval(alpha: alpha) else { return nil }
        let rateA = Double(control.sum) / Double(control.n)
        let rateB = Double(treatment.sum) / Double(treatment.n)
        let below = ((rateB - b.lower) * (rateB - b.lower) + (a.upper - rateA) * (a.upper - rateA)).squareRoot()
        let above = ((b.upper - rateB) * (b.upper - rateB) + (rateA - a.lower) * (rateA - a.lower)).squareRoot()
        return Interval(lower: rateB - rateA - below, upper: rateB - rateA + above)
    }
}
