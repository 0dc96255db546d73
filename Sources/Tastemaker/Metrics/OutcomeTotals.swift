import Postgres
public import Statistics

/// What the units of one side did within the window after their own first exposure: totals that suffice for every test.
public struct OutcomeTotals: Sendable, Equatable {
    public var units = 0
    /// Units with at least one converting event.
    public var converted = 0
    public var orders = 0
    public var revenue = 0.0
    public var revenueSquares = 0.0
    /// Revenue with each unit's capped at the 99.9th percentile of the positive ones of all sides.
    public var cappedRevenue = 0.0
    public var cappedRevenueSquares = 0.0
    public var cappedUnits = 0
    public var clicks = 0
    public var clickSquares = 0.0
    /// Lists shown to the units in their windows.
    public var lists = 0
    public var listSquares = 0.0
    public var clicksTimesLists = 0.0
    /// Amounts in another currency than the group's: set aside, in no sum.
    public var foreignAmounts = 0
    /// Units whose window still runs.
    public var openUnits = 0

    public init() {}

    /// Of two sides together; caps of revenue are the same on both.
    static func + (left: OutcomeTotals, right: OutcomeTotals) -> OutcomeTotals {
        var sum = left
        sum.units += right.units
        sum.converted += right.converted
        sum.orders += right.orders
        sum.revenue += right.revenue
        sum.revenueSquares += right.revenueSquares
        sum.cappedRevenue += right.cappedRevenue
        sum.cappedRevenueSquares += right.cappedRevenueSquares
        sum.cappedUnits += right.cappedUnits
        sum.clicks += right.clicks
        sum.clickSquares += right.clickSquares
        sum.lists += right.lists
        sum.listSquares += right.listSquares
        sum.clicksTimesLists += right.clicksTimesLists
        sum.foreignAmounts += right.foreignAmounts
        sum.openUnits += right.openUnits
        return sum
    }

    public var conversion: ProportionStatistic { ProportionStatistic(n: units, sum: converted) }
    public var revenuePerUnit: MeanStatistic { MeanStatistic(n: units, sum: revenue, sumSquares: revenueSquares) }
    public var cappedRevenuePerUnit: MeanStatistic { MeanStatistic(n: units, sum: cappedRevenue, sumSquares: cappedRevenueSquares) }
    /// Clicks for each list shown, with the visitor as the unit.
    public var clickThrough: RatioStatistic {
        RatioStatistic(
            numerator: MeanStatistic(n: units, sum: Double(clicks), sumSquares: clickSquares),
            denominator: MeanStatistic(n: units, sum: Double(lists), sumSquares: listSquares), sumProducts: clicksTimesLists)
    }

    /// Nil where nothing was counted that the value could be a share of.
    public func value(of metric: OutcomeMetric) -> Double? {
        switch metric {
        case .conversion: units > 0 ? Double(converted) / Double(units) : nil
        case .revenue: units > 0 ? revenue / Double(units) : nil
        case .cappedRevenue: units > 0 ? cappedRevenue / Double(units) : nil
        case .clickThrough: lists > 0 ? Double(clicks) / Double(lists) : nil
        }
    }
}

/// A figure of a side, compared between sides.
public enum OutcomeMetric: String, Sendable, CaseIterable {
    case conversion
    case revenue
    /// The same with the largest orders cut: one giant order cannot decide.
    case cappedRevenue = "capped-revenue"
    case clickThrough = "click-through"
}

/// How a metric of a side differs from the control's.
public struct EffectEstimate: Sendable, Equatable {
    /// Side minus control.
    public let difference: Double
    /// 95 %.
    public let lower: Double
    public let upper: Double
    /// Two-sided.
    public let pValue: Double
    /// The same divided by the control's value; nil where that is not clearly away from zero.
    public let relative: Relative?
    /// Under 100 units, or under 10 conversions, in a side.
    public let isEarly: Bool

    public struct Relative: Sendable, Equatable {
        public let difference: Double
        public let lower: Double
        public let upper: Double
    }

    /// Whether the interval leaves out zero.
    public var isClear: Bool { lower > 0 || upper < 0 }

    /// Welch's test on means and shares, the delta method on ratios; for shares of few conversions Newcombe's interval.
    /// Nil: too early to tell.
    public init?(_ metric: OutcomeMetric, control: OutcomeTotals, treatment: OutcomeTotals) {
        func effects<Statistic: ArmStatistic>(_ part: (OutcomeTotals) -> Statistic) -> (Effect, Effect?)? {
            let (a, b) = (part(control), part(treatment))
            guard let absolute = Effect(control: a, treatment: b) else { return nil }
            return (absolute, absolute.isRelativeReliable ? Effect(control: a, treatment: b, difference: .relative) : nil)
        }
        let found =
            switch metric {
            case .conversion: effects(\.conversion)
            case .revenue: effects(\.revenuePerUnit)
            case .cappedRevenue: effects(\.cappedRevenuePerUnit)
            case .clickThrough: effects(\.clickThrough)
            }
        guard let (absolute, relative) = found else { return nil }
        let test = absolute.fixedTest()
        var interval = test.interval
        if metric == .conversion, min(control.converted, treatment.converted) < 30,
            let newcombe = ProportionStatistic.newcombeInterval(control: control.conversion, treatment: treatment.conversion)
        {
            interval = newcombe
        }
        difference = test.estimate
        lower = interval.lower
        upper = interval.upper
        pValue = test.pValue
        self.relative = relative.map { effect in
            let test = effect.fixedTest()
            return Relative(difference: test.estimate, lower: test.interval.lower, upper: test.interval.upper)
        }
        isEarly = min(control.units, treatment.units) < 100 || min(control.converted, treatment.converted) < 10
    }
}
