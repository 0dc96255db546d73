import Postgres
import Statistics

/// What an experiment could see by its end, from the placement's recent visitors.
public struct ExperimentForecast: Sendable, Equatable {
    /// Days of traffic that the forecast stands on.
    public let observedDays: Int
    /// Visitors of the placement in them.
    public let observedVisitors: Int
    public let days: Double
    /// Expected in all arms by the end.
    public let units: Int
    /// The primary metric's value in the observed time; nil without visitors.
    public let baseline: Double?
    /// Smallest difference between the control and an arm of the mean weight that is found with a chance of 80 %; nil: cannot be told.
    public let smallestEffect: Double?

    /// The same as a share of the baseline.
    public var smallestRelativeEffect: Double? {
        guard let smallestEffect, let baseline, baseline > 0 else { return nil }
        return smallestEffect / baseline
    }

    /// `In 14 days about 2,100 visitors take part …`
    public func sentence(_ metric: Experiment.PrimaryMetric, currency: String) -> String {
        let figure = FigureText(metric: metric.outcome, currency: currency)
        guard observedVisitors > 0, let baseline else {
            return
                "The placement had no visitors in the last \(observedDays) days, so nothing can be said about what the experiment will see."
        }
        let traffic = "About \(units) visitors will take part by the end, judged by \(observedVisitors) in the last \(observedDays) days."
        guard let smallestEffect else {
            return "\(traffic) None of them did what the metric counts, so the smallest visible effect cannot be told."
        }
        let relative = smallestRelativeEffect.map { ", which is \(FigureText.decimal($0 * 100)) % of it" } ?? ""
        return
            "\(traffic) \(figure.name.first?.uppercased() ?? "")\(figure.name.dropFirst()) is \(figure.value(baseline)); "
            + "the smallest change that is found with a chance of 80 % is \(figure.size(smallestEffect))\(relative)."
    }
}

extension Environment {
    /// Judged by the placement's visitors of the last fourteen days, or of the time since its first list if that is shorter.
    public func forecastExperiment(_ input: ExperimentInput, datasetGroupID: Int32, by caller: Caller) throws(OperationError)
        -> ExperimentForecast
    {
        try input.check(now: now())
        return try forecast(
            placement: input.placement, input, weights: input.arms.map(\.weight), from: now(), datasetGroupID: datasetGroupID, by: caller)
    }

    /// What the stored experiment will see by its planned end, counted from its start or from now.
    public func forecastExperiment(_ experiment: Experiment, by caller: Caller) throws(OperationError) -> ExperimentForecast {
        var input = ExperimentInput(
            name: experiment.name, placement: experiment.placementName, primaryMetric: experiment.primaryMetric,
            plannedEndAt: experiment.plannedEndAt, arms: [])
        input.convertingEvent = experiment.convertingEvent
        input.windowDays = experiment.windowDays
        input.coverage = experiment.coverage
        return try forecast(
            placement: experiment.placementName, input, weights: experiment.arms.map(\.weight), from: experiment.startedAt ?? now(),
            datasetGroupID: experiment.datasetGroupID, by: caller)
    }

    private func forecast(
        placement name: String, _ input: ExperimentInput, weights: [Double], from start: PGTimestamp, datasetGroupID: Int32,
        by caller: Caller
    ) throws(OperationError) -> ExperimentForecast {
        try read { connection in
            let placement = try placement(name: name, datasetGroupID: datasetGroupID, by: caller, connection)
            let group = try datasetGroup(id: datasetGroupID, connection)
            let observedDays = 14
            let from = start.adding(seconds: -Int64(observedDays) * 86_400)
            let count = OutcomeCount(
                group: group, interactionsDataset: try interactionsDataset(ofGroup: group.id, connection),
                convertingEvent: input.convertingEvent, windowDays: Int32(input.windowDays), earliest: from, until: start)
            let totals = try count.totals(
                units: ExperimentQueries.traffic(placementID: placement.id, datasetGroupID: group.id, from: from, to: start),
                lists: ExperimentQueries.trafficLists(placementID: placement.id, datasetGroupID: group.id, from: from), connection)
            let days = max(0, Double(input.plannedEndAt.microseconds - start.microseconds) / 86_400e6)
            return ExperimentForecast(
                totals[0] ?? OutcomeTotals(), metric: input.primaryMetric.outcome, observedDays: observedDays, days: days,
                coverage: input.coverage, weights: weights)
        }
    }
}

extension ExperimentForecast {
    init(_ totals: OutcomeTotals, metric: OutcomeMetric, observedDays: Int, days: Double, coverage: Double, weights: [Double]) {
        self.observedDays = observedDays
        observedVisitors = totals.units
        self.days = days
        let units = Int((Double(totals.units) / Double(observedDays) * days * coverage).rounded())
        self.units = units
        baseline = totals.value(of: metric)
        smallestEffect = Self.smallestEffect(totals, metric, units: units, weights: weights)
    }

    /// Between the control and an arm of the mean weight, judged by the spread of the totals; nil while they have none.
    static func smallestEffect(_ totals: OutcomeTotals, _ metric: OutcomeMetric, units: Int, weights: [Double]) -> Double? {
        let variance: Double? =
            switch metric {
            case .conversion: variance(totals.conversion)
            case .revenue: variance(totals.revenuePerUnit)
            case .cappedRevenue: variance(totals.cappedRevenuePerUnit)
            case .clickThrough: variance(totals.clickThrough)
            }
        let control = weights.first ?? 1
        let others = max(1, weights.count - 1)
        let treatment = max(0, weights.reduce(0, +) - control) / Double(others)
        // Of all units, those of the control and of one other arm are compared.
        let compared = Double(units) * (control + treatment) / max(weights.reduce(0, +), .leastNonzeroMagnitude)
        return variance.flatMap { variance in
            SampleSize(controlVariance: variance, treatmentVariance: variance, treatmentShare: treatment / (control + treatment))?
                .smallestEffect(afterUnits: Int(compared))
        }
    }

    private static func variance<Statistic: ArmStatistic>(_ statistic: Statistic) -> Double? {
        guard let variance = Statistic.estimates(control: statistic, treatment: statistic)?.control.variance, variance > 0 else {
            return nil
        }
        return variance
    }
}
