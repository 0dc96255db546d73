/// One sentence on the primary metric, at the planned end and not before.
struct ExperimentVerdict {
    let sentence: String

    init(_ experiment: Experiment, _ comparisons: [ExperimentReport.Comparison], _ totals: [OutcomeTotals], currency: String) {
        let control = experiment.arms.first?.name ?? ""
        let primary = comparisons.filter(\.isPrimary)
        let told = primary.filter { $0.effect.map { !$0.isEarly } ?? false }
        guard !told.isEmpty else {
            sentence = "Too few visitors or orders to tell the arms apart."
            return
        }
        let clear = told.filter { ($0.adjustedPValue ?? 1) < 0.05 && ($0.effect?.isClear ?? false) }
        let figure = FigureText(metric: experiment.primaryMetric.outcome, currency: currency)
        // The best first; among arms that are clearly worse, the least bad.
        guard let best = clear.max(by: { ($0.effect?.difference ?? 0) < ($1.effect?.difference ?? 0) }), let effect = best.effect else {
            sentence = Self.unclear(told, experiment, control: control, figure)
            return
        }
        let arm = experiment.arms[best.arm].name
        let verb = effect.difference > 0 ? "raised" : "lowered"
        let interval = "between \(figure.difference(effect.lower)) and \(figure.difference(effect.upper)), 95 % interval"
        sentence = "'\(arm)' \(verb) \(figure.name) against '\(control)' by \(figure.size(effect.difference)) (\(interval))."
    }

    private static func unclear(
        _ told: [ExperimentReport.Comparison], _ experiment: Experiment, control: String, _ figure: FigureText
    ) -> String {
        let effects = told.compactMap(\.effect)
        let lower = effects.map(\.lower).min() ?? 0
        let upper = effects.map(\.upper).max() ?? 0
        let arms = told.count == 1 ? "'\(experiment.arms[told[0].arm].name)'" : "the other arms"
        return
            "No clear difference in \(figure.name) between '\(control)' and \(arms): the true one lies between "
            + "\(figure.difference(lower)) and \(figure.difference(upper)) (95 % interval)."
    }
}

/// Writes values of a metric and their differences for people.
public struct FigureText: Sendable {
    public let metric: OutcomeMetric
    /// ISO 4217.
    public let currency: String

    public init(metric: OutcomeMetric, currency: String) {
        self.metric = metric
        self.currency = currency
    }

    /// `revenue per visitor`
    public var name: String {
        switch metric {
        case .conversion: "the conversion rate"
        case .revenue: "revenue per visitor"
        case .cappedRevenue: "revenue per visitor with the largest capped"
        case .clickThrough: "clicks per list"
        }
    }

    /// `3.41 %`, `€4.32`
    public func value(_ value: Double) -> String {
        switch metric {
        case .conversion, .clickThrough: Self.decimal(value * 100) + " %"
        case .revenue, .cappedRevenue: money(value)
        }
    }

    /// With its sign: `+0.41 percentage points`, `−€0.12`
    public func difference(_ value: Double) -> String {
        let sign = value < 0 ? "−" : "+"
        return sign + size(value)
    }

    /// Without a sign.
    public func size(_ value: Double) -> String {
        switch metric {
        case .conversion, .clickThrough: Self.decimal(abs(value) * 100) + " percentage points"
        case .revenue, .cappedRevenue: money(abs(value))
        }
    }

    /// Two decimals; three where the number is under a tenth.
    static func decimal(_ value: Double) -> String { NumberFormat.decimal(value, places: places(value)) }

    private func money(_ value: Double) -> String { NumberFormat.money(value, currency: currency, places: Self.places(value)) }

    private static func places(_ value: Double) -> Int { abs(value) < 0.1 && value != 0 ? 3 : 2 }
}
