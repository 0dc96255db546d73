public import Postgres
public import Statistics

/// What an experiment found, as far as it may be read now.
public struct ExperimentReport: Sendable {
    /// Whether differences may be read.
    public enum Reading: Sendable, Equatable {
        case notStarted
        /// Fixed end: who looks earlier and stops at a good moment is wrong far more often than he thinks.
        case hiddenUntil(PGTimestamp)
        /// The units did not fall into the arms as planned: the comparison means nothing.
        case sampleRatioAlarm
        /// Differences are shown, but they decide nothing.
        case stoppedEarly
        case open
    }

    /// How the units of one day fell into the arms.
    public struct Split: Sendable, Equatable {
        /// `yyyy-MM-dd`, of the group's zone.
        public let day: String
        /// In order of the arms.
        public let units: [Int]
    }

    /// One arm against the control in one metric.
    public struct Comparison: Sendable {
        public let metric: OutcomeMetric
        /// Position of the arm; the control is 0.
        public let arm: Int
        public let isPrimary: Bool
        /// Nil: too early to tell.
        public let effect: EffectEstimate?
        /// For as many comparisons as were made: Holm over the arms for the primary metric, Benjamini-Hochberg for the others.
        public let adjustedPValue: Double?
    }

    public let experiment: Experiment
    public let at: PGTimestamp
    /// In order of the arms.
    public let totals: [OutcomeTotals]
    /// Nil without units.
    public let sampleRatio: SampleRatio.ChiSquare?
    /// Shares of the units that the weights ask for.
    public let plannedShares: [Double]
    /// By day; only while the ratio raises an alarm.
    public let split: [Split]
    public let reading: Reading
    /// Empty unless differences may be read.
    public let comparisons: [Comparison]
    /// One sentence; nil while it is hidden or would be none.
    public let verdict: String?
    /// IANA name of the zone that its days follow.
    public let timeZone: String
    public let currency: String

    /// Smallest difference of the primary metric that the units so far would show with a chance of 80 %; nil while that cannot be told.
    public var smallestEffect: Double? {
        ExperimentForecast.smallestEffect(
            totals.reduce(OutcomeTotals(), +), experiment.primaryMetric.outcome, units: units, weights: experiment.arms.map(\.weight))
    }

    public var units: Int { totals.reduce(0) { $0 + $1.units } }
    public var openUnits: Int { totals.reduce(0) { $0 + $1.openUnits } }
    public var foreignAmounts: Int { totals.reduce(0) { $0 + $1.foreignAmounts } }
}

extension Environment {
    /// Counts and compares the arms of an experiment. The sample ratio is checked first: an alarm hides every difference.
    public func experimentReport(_ id: Int32, by caller: Caller) throws(OperationError) -> ExperimentReport {
        let until = now()
        let experiment = try describeExperiment(id, by: caller)
        let group = try read { try datasetGroup(id: experiment.datasetGroupID, $0) }
        guard experiment.startedAt != nil else { return ExperimentReport(experiment, group, at: until, totals: [:], split: []) }
        let totals = try outcome(of: experiment, in: group)
        return try readReport { connection in
            var split: [ExperimentReport.Split] = []
            if ExperimentReport.sampleRatio(experiment, totals)?.isAlarm == true {
                let days = try ExperimentQueries.exposuresByDay(of: experiment, timeZone: group.timeZone, until: until, connection)
                split = Dictionary(grouping: days, by: \.day).sorted { $0.key < $1.key }.map { day, counts in
                    ExperimentReport.Split(
                        day: day, units: experiment.arms.indices.map { arm in counts.first { $0.arm == arm }?.units ?? 0 })
                }
            }
            return ExperimentReport(experiment, group, at: until, totals: totals, split: split)
        }
    }

    func outcome(of experiment: Experiment, in group: DatasetGroup) throws(OperationError) -> [Int32: OutcomeTotals] {
        guard let subject = outcomeSubject(of: experiment) else { return [:] }
        return try keptOutcome(subject, in: group)
    }

    /// Nil before it was started.
    func outcomeSubject(of experiment: Experiment) -> OutcomeSubject? {
        guard let started = experiment.startedAt else { return nil }
        let until = now()
        return OutcomeSubject(
            kind: .experiment, id: experiment.id, convertingEvent: experiment.convertingEvent, windowDays: Int32(experiment.windowDays),
            earliest: started, until: until, units: ExperimentQueries.units(of: experiment, until: until),
            lists: ExperimentQueries.lists(of: experiment),
            endsAt: experiment.countsUntil.adding(seconds: Int64(experiment.windowDays) * 86_400))
    }
}

extension ExperimentReport {
    static func sampleRatio(_ experiment: Experiment, _ totals: [Int32: OutcomeTotals]) -> SampleRatio.ChiSquare? {
        let observed = experiment.arms.indices.map { totals[Int32($0)]?.units ?? 0 }
        return SampleRatio(observed: observed, weights: experiment.arms.map(\.weight))?.chiSquare()
    }

    init(_ experiment: Experiment, _ group: DatasetGroup, at now: PGTimestamp, totals byArm: [Int32: OutcomeTotals], split: [Split]) {
        self.experiment = experiment
        at = now
        let totals = experiment.arms.indices.map { byArm[Int32($0)] ?? OutcomeTotals() }
        self.totals = totals
        let ratio = Self.sampleRatio(experiment, byArm)
        sampleRatio = ratio
        let weight = experiment.arms.reduce(0) { $0 + $1.weight }
        plannedShares = experiment.arms.map { $0.weight / weight }
        self.split = split
        timeZone = group.timeZone
        currency = group.currency
        reading =
            if experiment.startedAt == nil {
                .notStarted
            } else if ratio?.isAlarm == true {
                .sampleRatioAlarm
            } else if experiment.wasStoppedEarly {
                .stoppedEarly
            } else if now < experiment.plannedEndAt {
                .hiddenUntil(experiment.plannedEndAt)
            } else {
                .open
            }
        let isReadable = reading == .open || reading == .stoppedEarly
        comparisons = isReadable ? Self.compare(totals, primary: experiment.primaryMetric.outcome) : []
        verdict = reading == .open ? ExperimentVerdict(experiment, comparisons, totals, currency: group.currency).sentence : nil
    }

    private static func compare(_ totals: [OutcomeTotals], primary: OutcomeMetric) -> [Comparison] {
        guard let control = totals.first else { return [] }
        let metrics = [primary] + OutcomeMetric.allCases.filter { $0 != primary }
        let raw = metrics.flatMap { metric in
            totals.indices.dropFirst().map { arm in
                (metric: metric, arm: arm, effect: EffectEstimate(metric, control: control, treatment: totals[arm]))
            }
        }
        func adjusted(_ isPrimary: Bool, _ adjust: ([Double]) -> [Double]) -> [Double?] {
            let family = raw.filter { ($0.metric == primary) == isPrimary }
            var values = adjust(family.compactMap { $0.effect?.pValue }).makeIterator()
            return family.map { $0.effect == nil ? nil : values.next() }
        }
        let p = adjusted(true, MultipleComparisons.holm) + adjusted(false, MultipleComparisons.benjaminiHochberg)
        return zip(raw, p).map { comparison, p in
            Comparison(
                metric: comparison.metric, arm: comparison.arm, isPrimary: comparison.metric == primary, effect: comparison.effect,
                adjustedPValue: p)
        }
    }
}
