import Postgres

/// What Today says of a dataset group's marketing, in sentences.
public struct TodayDigest: Sendable, Equatable {
    public struct Need: Sendable, Equatable {
        public enum Subject: Sendable, Equatable {
            case promotion(Int32)
            case experiment(Int32)
        }

        public let sentence: String
        public let subject: Subject
    }

    /// Revenue through recommendations of the last seven days against the seven before.
    public let money: String
    /// What was published, started or stopped in the last seven days.
    public let changes: String
    /// What waits for somebody, most pressing first.
    public let needs: [Need]
}

extension Environment {
    public func todayDigest(datasetGroupID: Int32, by caller: Caller) throws(OperationError) -> TodayDigest {
        let group = try describeDatasetGroup(id: datasetGroupID, by: caller)
        let report = try metrics(datasetGroupID: group.id, MetricsRange(lastDays: 14, today: today(in: group)), by: caller)
        let promotions = try listPromotions(datasetGroupID: group.id, by: caller)
        let experiments = try listExperiments(datasetGroupID: group.id, by: caller)
        return TodayDigest(
            money: money(report), changes: changes(promotions, experiments),
            needs: try experimentNeeds(experiments, by: caller) + promotionNeeds(promotions, group))
    }

    private func money(_ report: MetricsReport) -> String {
        let figure = FigureText(metric: .revenue, currency: report.currency)
        let now = report.days.suffix(7).reduce(0) { $0 + $1.activity.revenue }
        let before = report.days.dropLast(7).reduce(0) { $0 + $1.activity.revenue }
        guard now != 0 || before != 0 else { return "No purchase came through recommendations in the last two weeks." }
        return "Recommendations led to \(figure.value(now)) in the last seven days, \(figure.value(before)) in the seven before."
    }

    private func changes(_ promotions: [Promotion], _ experiments: [Experiment]) -> String {
        let since = now().adding(seconds: -7 * 86_400)
        func isRecent(_ time: PGTimestamp?) -> Bool { time.map { $0 >= since } ?? false }
        let parts = [
            (promotions.count { isRecent($0.published?.publishedAt) }, "promotion", "published"),
            (experiments.count { isRecent($0.startedAt) }, "experiment", "started"),
            (experiments.count { isRecent($0.stoppedAt) }, "experiment", "stopped"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s") \($0.2)" }
        return parts.isEmpty ? "Nothing was changed in the last seven days." : "In the last seven days: \(parts.joined(separator: ", "))."
    }

    private func experimentNeeds(_ experiments: [Experiment], by caller: Caller) throws(OperationError) -> [TodayDigest.Need] {
        var needs: [TodayDigest.Need] = []
        let since = now().adding(seconds: -7 * 86_400)
        for experiment in experiments where experiment.state == .stopped && experiment.stopReason == Experiment.plannedEndReason {
            guard let stopped = experiment.stoppedAt, stopped >= since else { continue }
            needs.append(
                .init(
                    sentence: "The experiment '\(experiment.name)' has reached its planned end: read its result.",
                    subject: .experiment(experiment.id)))
        }
        for experiment in experiments where experiment.state == .running {
            if now() >= experiment.plannedEndAt {
                needs.append(
                    .init(
                        sentence: "The experiment '\(experiment.name)' has reached its planned end: read its result and stop it.",
                        subject: .experiment(experiment.id)))
                continue
            }
            if try experimentReport(experiment.id, by: caller).reading == .sampleRatioAlarm {
                needs.append(
                    .init(
                        sentence: "The visitors of the experiment '\(experiment.name)' do not fall into its arms as planned.",
                        subject: .experiment(experiment.id)))
            }
        }
        return needs
    }

    private func promotionNeeds(_ promotions: [Promotion], _ group: DatasetGroup) -> [TodayDigest.Need] {
        promotions.compactMap { promotion in
            guard promotion.state(at: now(), timeZone: group.zone) == .live, let definition = promotion.published?.definition,
                let end = definition.schedule(in: group.zone)?.end, end <= now().adding(seconds: 2 * 86_400)
            else { return nil }
            let text = LocalTime(zoneName: group.timeZone).text(end)
            return TodayDigest.Need(sentence: "The promotion '\(promotion.name)' ends on \(text).", subject: .promotion(promotion.id))
        }
    }
}
