import Foundation

/// Learns next best actions from snapshots: users as they were one, two, … periods before the newest response, and what each
/// of them took within the period that followed. One logistic model per action, its probabilities set right on users whom it
/// did not know; learned once without the newest snapshot, which judges it, and then on all of them.
public func fitActions(
    _ data: ActionData, _ configuration: ActionConfiguration, progress: @escaping (Double, String) -> Bool = { _, _ in true }
) throws(FitError) -> ActionModel {
    try configuration.validate()
    guard let history = ActionHistory(data) else { throw .unusableData("There are no action interactions to learn from.") }
    let fit = ActionFit(data, history, configuration)
    return try fit.run(ProgressSpan(reporter: ProgressReporter(progress), start: 0, end: 1))
}

struct ActionFit: Sendable {
    private let history: ActionHistory
    private let configuration: ActionConfiguration
    private let features: ActionFeatures
    private let snapshots: [Snapshot]
    private let entries: [ActionModel.Entry]

    /// The contract's: responses of either kind within six weeks before the newest one.
    private static let leastResponses = 50
    private static let responseWindow: Int64 = 42 * 86_400
    /// Snapshots and examples per action that bound the work; examples that are left out are stood for by others.
    private static let snapshotLimit = 6
    private static let negativeLimit = 8000

    /// A user as of one moment.
    private struct Snapshot: Sendable {
        var user: Int
        var moment: Int64
        /// Rows taken within the period from the moment on.
        var taken: Set<Int32>
        /// Which half of the users, for learning on one and calibrating on the other.
        var half: Int
        var isTest: Bool
    }

    init(_ data: ActionData, _ history: ActionHistory, _ configuration: ActionConfiguration) {
        self.history = history
        self.configuration = configuration
        let start = history.newest - Self.responseWindow
        let recent = history.counts { $0.timestamp >= start && $0.response == .taken }
        let refused = history.counts { $0.timestamp >= start && $0.response != .taken }
        let exposures = history.counts { _ in true }
        let known = Dictionary(data.actions.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        entries = history.actionIDs.enumerated().map { row, id in
            let isReady = recent[row] >= Self.leastResponses && refused[row] >= Self.leastResponses
            return ActionModel.Entry(
                action: known[id] ?? ActionData.Action(id: id), weights: isReady ? [] : nil, exposures: exposures[row])
        }
        features = ActionFeatures(
            period: configuration.period, takenCounts: history.counts { $0.response == .taken }, responseCounts: exposures,
            userMetadata: data.userMetadata)
        snapshots = Self.snapshots(history, configuration)
    }

    private static func snapshots(_ history: ActionHistory, _ configuration: ActionConfiguration) -> [Snapshot] {
        let moments = (1...snapshotLimit).map { history.newest + 1 - Int64($0) * configuration.period }.filter { $0 > history.oldest }
        var snapshots: [Snapshot] = []
        for moment in moments {
            for user in history.userIDs.indices {
                let events = history.events(of: user)
                guard let first = events.first?.timestamp ?? history.visits(of: user).first, first < moment else { continue }
                let end = moment + configuration.period
                let taken = events.filter { $0.response == .taken && $0.timestamp >= moment && $0.timestamp < end }.map(\.row)
                let draw = RandomSource.mix(configuration.seed &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(history.userIDs[user]))
                // With a single snapshot, a third of its users judge.
                let isTest = moments.count > 1 ? moment == moments[0] : draw >> 8 % 3 == 0
                snapshots.append(
                    Snapshot(user: user, moment: moment, taken: Set(taken), half: Int(draw & 1), isTest: isTest))
            }
        }
        return snapshots
    }

    func run(_ span: ProgressSpan) throws(FitError) -> ActionModel {
        let ready = entries.indices.filter { entries[$0].weights != nil }
        var log = [
            "Learning from \(snapshots.count) snapshots of \(history.userIDs.count) users; \(ready.count) of \(entries.count) actions have "
                + "\(Self.leastResponses) responses of either kind within six weeks."
        ]
        try span.reporter.step(span.start, "Learning what users take")
        let first = try learned(ready, snapshots.filter { !$0.isTest }, span.part(0, 0.45))
        let metrics = judge(ActionModel(entries: first, features: features, metrics: [:], log: []), ready, &log)
        try span.reporter.step(span.share(0.5), "Learning from all snapshots")
        let last = try learned(ready, snapshots, span.part(0.5, 1))
        return ActionModel(entries: last, features: features, metrics: metrics, log: log)
    }

    /// The entries with weights and curves of the given rows, learned from the snapshots.
    private func learned(
        _ rows: [Int], _ snapshots: [Snapshot], _ span: ProgressSpan
    ) throws(FitError) -> [ActionModel.Entry] {
        let slots = Slots<ActionModel.Entry>(count: rows.count)
        try ParallelRows(threads: configuration.threads).run(count: rows.count, chunk: 1, span: span) {
            { range in for index in range { slots.set(index, entry(rows[index], snapshots)) } }
        }
        var entries = entries
        for (row, entry) in zip(rows, slots.values) { entries[row] = entry }
        return entries
    }

    private func entry(_ row: Int, _ snapshots: [Snapshot]) -> ActionModel.Entry {
        let examples = examples(Int32(row), snapshots)
        let fit = LogisticFit()
        var pairs: [(score: Double, isPositive: Bool)] = []
        for half in 0..<2 {
            let known = examples.filter { $0.half != half }.map(\.example)
            let weights = fit.fit(known, featureCount: features.count)
            for snapshot in snapshots where snapshot.half == half {
                pairs.append((LogisticFit.dot(vector(snapshot, Int32(row)), weights), snapshot.taken.contains(Int32(row))))
            }
        }
        var entry = entries[row]
        entry.weights = fit.fit(examples.map(\.example), featureCount: features.count)
        entry.curve = IsotonicCurve(pairs)
        return entry
    }

    /// Every snapshot whose user took the action, and as many of the others as are affordable.
    private func examples(_ row: Int32, _ snapshots: [Snapshot]) -> [(half: Int, example: LogisticFit.Example)] {
        let negatives = snapshots.count { !$0.taken.contains(row) }
        let share = min(1, Double(Self.negativeLimit) / Double(max(1, negatives)))
        let limit = UInt64(share * Double(1 << 53))
        return snapshots.indices.compactMap { index in
            let snapshot = snapshots[index]
            let isPositive = snapshot.taken.contains(row)
            let draw = RandomSource.mix(configuration.seed ^ UInt64(index) &* 0xD1B5_4A32_D192_ED03 ^ UInt64(row) << 40) >> 11
            guard isPositive || draw < limit || share == 1 else { return nil }
            let example = LogisticFit.Example(
                features: vector(snapshot, row), isPositive: isPositive, weight: isPositive ? 1 : 1 / share)
            return (snapshot.half, example)
        }
    }

    private func vector(_ snapshot: Snapshot, _ row: Int32) -> [Double] {
        let user = snapshot.user
        let state = features.state(
            of: history.userIDs[user], history.events(of: user), history.visits(of: user), at: snapshot.moment)
        return features.vector(state, action: row)
    }

    /// Precision, recall and ROC area per action, averaged; log loss over all pairs of a held-out user and an action. An action
    /// counts as recommended to a user when it is among the user's best five, or the better half where there are fewer than ten.
    private func judge(_ model: ActionModel, _ rows: [Int], _ log: inout [String]) -> [String: Double] {
        let held = snapshots.filter(\.isTest)
        guard !held.isEmpty, !rows.isEmpty else {
            log.append("No metrics: nobody is left to test.")
            return [:]
        }
        let scores = held.map { snapshot in rows.map { model.probability(model.entries[$0], vector(snapshot, Int32($0))) } }
        let depth = min(5, max(1, rows.count / 2))
        let recommended = scores.map { list in
            Set(list.indices.sorted { list[$0] != list[$1] ? list[$0] > list[$1] : $0 < $1 }.prefix(depth))
        }
        var sums = ActionMetricSums()
        for (index, row) in rows.enumerated() {
            sums.add(
                scores: scores.map { $0[index] }, isTaken: held.map { $0.taken.contains(Int32(row)) },
                isRecommended: recommended.map { $0.contains(index) })
        }
        var metrics = sums.means
        metrics["coverage"] = Double(rows.count) / Double(entries.count)
        log.append(
            "Held-out users: log loss \(decimals(metrics["log_loss"] ?? 0, 4)); every action's own frequency would give "
                + "\(decimals(metrics["base_log_loss"] ?? 0, 4)).")
        return metrics
    }
}

/// Sums of the metrics over actions.
struct ActionMetricSums {
    private var sums: [String: (total: Double, count: Double)] = [:]

    private mutating func add(_ name: String, _ value: Double) {
        let old = sums[name] ?? (0, 0)
        sums[name] = (old.total + value, old.count + 1)
    }

    /// Of one action, over the same users. Precision needs somebody to whom it was recommended, recall somebody who took it.
    mutating func add(scores: [Double], isTaken: [Bool], isRecommended: [Bool]) {
        let hits = Double(zip(isTaken, isRecommended).count { $0 && $1 })
        let recommended = Double(isRecommended.count { $0 })
        let taken = Double(isTaken.count { $0 })
        if recommended > 0 { add("precision", hits / recommended) }
        if taken > 0 { add("recall", hits / taken) }
        if let area = Self.area(scores: scores, isTaken: isTaken) { add("auc", area) }
        add("log_loss", Self.logLoss(zip(scores, isTaken)))
        let share = taken / Double(max(1, isTaken.count))
        add("base_log_loss", Self.logLoss(isTaken.map { (share, $0) }))
    }

    var means: [String: Double] { sums.mapValues { $0.total / $0.count } }

    /// Mean of -ln of the probability given to what happened.
    static func logLoss(_ pairs: some Sequence<(Double, Bool)>) -> Double {
        var sum = 0.0
        var count = 0.0
        for (probability, isTaken) in pairs {
            sum -= log(max(1e-15, isTaken ? probability : 1 - probability))
            count += 1
        }
        return sum / max(1, count)
    }

    /// Chance that who took it is scored above who did not, ties counting half (Mann and Whitney); nil without both kinds.
    static func area(scores: [Double], isTaken: [Bool]) -> Double? {
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        var rankSum = 0.0
        var position = 0
        while position < order.count {
            var end = position
            while end < order.count, scores[order[end]] == scores[order[position]] { end += 1 }
            let rank = Double(position + 1 + end) / 2
            for place in position..<end where isTaken[order[place]] { rankSum += rank }
            position = end
        }
        let taken = Double(isTaken.count { $0 })
        let others = Double(isTaken.count) - taken
        guard taken > 0, others > 0 else { return nil }
        return (rankSum - taken * (taken + 1) / 2) / (taken * others)
    }
}
