/// Learns next best actions from snapshots: users as they were one, two, … periods before the newest response, and what each
/// of them took within the period that followed. One logistic model per action, its probabilities set right on users whom it
/// did not know; learned once without the newest snapshot, which judges it, and then on all of them.
///
/// Without any response the model knows no scores, and all its actions are explored.
public func fitActions(
    _ data: ActionData, _ configuration: ActionConfiguration, progress: @escaping (Double, String) -> Bool = { _, _ in true }
) throws(FitError) -> ActionModel {
    try configuration.validate()
    guard !data.events.isEmpty || !data.actions.isEmpty else { throw .unusableData("There are no actions to learn about.") }
    let span = ProgressSpan(reporter: ProgressReporter(progress), start: 0, end: 1)
    try span.reporter.step(0, "Looking at users as they were")
    return try ActionFit(data.limited(to: ActionFit.actionLimit), configuration, span.part(0, 0.1)).run(span.part(0.1, 1))
}

struct ActionFit: Sendable {
    private let history: ActionHistory
    private let configuration: ActionConfiguration
    private let features: ActionFeatures
    private let snapshots: [Snapshot]
    /// Of the snapshots.
    private let states: [ActionState]
    private let isReady: [Bool]
    private let exposures: [Int]
    private var log: [String] = []

    /// The contract's: more actions are left out, and responses of either kind are needed within six weeks before the newest one.
    static let actionLimit = 1000
    private static let leastResponses = 50
    private static let responseWindow: Int64 = 42 * 86_400
    /// Snapshots in time, snapshots of users, those that judge, and examples per action that bound memory and work; examples that are
    /// left out are stood for by others.
    private static let snapshotLimit = 6
    private static let stateLimit = 200_000
    private static let judgeLimit = 20_000
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

    init(_ data: ActionData, _ configuration: ActionConfiguration, _ span: ProgressSpan) throws(FitError) {
        let history = ActionHistory(data)
        self.history = history
        self.configuration = configuration
        let start = history.newest - Self.responseWindow
        let taken = history.counts { $0.timestamp >= start && $0.response == .taken }
        let refused = history.counts { $0.timestamp >= start && $0.response != .taken }
        isReady = zip(taken, refused).map { $0 >= Self.leastResponses && $1 >= Self.leastResponses }
        exposures = history.counts { _ in true }
        let features = ActionFeatures(
            period: configuration.period, takenCounts: history.counts { $0.response == .taken }, responseCounts: exposures,
            userMetadata: data.userMetadata)
        self.features = features
        let (snapshots, note) = Self.snapshots(history, configuration)
        self.snapshots = snapshots
        if let note { log.append(note) }
        let places = features.places(in: data.userMetadata)
        let states = Slots<ActionState>(count: snapshots.count)
        try ParallelRows(threads: configuration.threads).run(count: snapshots.count, chunk: 512, span: span) {
            { range in
                for index in range {
                    let (user, moment) = (snapshots[index].user, snapshots[index].moment)
                    let attributes = places[history.userIDs[user]] ?? []
                    let state = features.state(history.events(of: user), history.visits(of: user), attributes: attributes, at: moment)
                    states.set(index, state)
                }
            }
        }
        self.states = states.values
    }

    private static func snapshots(_ history: ActionHistory, _ configuration: ActionConfiguration) -> ([Snapshot], note: String?) {
        let moments = (1...snapshotLimit).map { history.newest + 1 - Int64($0) * configuration.period }.filter { $0 > history.oldest }
        let share = Double(stateLimit) / Double(max(1, history.userIDs.count * moments.count))
        var snapshots: [Snapshot] = []
        for moment in moments {
            for user in history.userIDs.indices {
                let draw = RandomSource.mix(configuration.seed &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(history.userIDs[user]))
                guard share >= 1 || Double(draw >> 11) < share * Double(1 << 53) else { continue }
                let events = history.events(of: user)
                guard let first = events.first?.timestamp ?? history.visits(of: user).first, first < moment else { continue }
                let end = moment + configuration.period
                let taken = events.filter { $0.response == .taken && $0.timestamp >= moment && $0.timestamp < end }.map(\.row)
                // With a single snapshot, a third of its users judge.
                let isTest = moments.count > 1 ? moment == moments[0] : draw >> 8 % 3 == 0
                snapshots.append(Snapshot(user: user, moment: moment, taken: Set(taken), half: Int(draw & 1), isTest: isTest))
            }
        }
        let note = "Of \(history.userIDs.count) users a draw of one in \(decimals(1 / share, 1)) is learned from."
        return (snapshots, share < 1 ? note : nil)
    }

    func run(_ span: ProgressSpan) throws(FitError) -> ActionModel {
        let ready = isReady.indices.filter { isReady[$0] }
        var log =
            [
                "Learning from \(snapshots.count) snapshots of \(history.userIDs.count) users; \(ready.count) of \(isReady.count) actions "
                    + "have \(Self.leastResponses) responses of either kind within six weeks."
            ] + log
        try span.reporter.step(span.start, "Learning what users take")
        let first = try learned(ready, snapshots.indices.filter { !snapshots[$0].isTest }, span.part(0, 0.45))
        let metrics = judge(model(first), ready, &log)
        try span.reporter.step(span.share(0.5), "Learning from all snapshots")
        return model(try learned(ready, Array(snapshots.indices), span.part(0.5, 1)), metrics: metrics, log: log)
    }

    private func model(_ entries: [ActionModel.Entry], metrics: [String: Double] = [:], log: [String] = []) -> ActionModel {
        let properties = [
            "recipe": RecipeName.nextBestAction.rawValue, "action_optimization_period": "\(configuration.periodDays)",
            "seed": "\(configuration.seed)", "created_at": "\(configuration.createdAt)", "users": "\(history.userIDs.count)",
            "snapshots": "\(snapshots.count)",
        ]
        return ActionModel(
            actionIDs: history.actionIDs, entries: entries, features: features, properties: properties, metrics: metrics, log: log)
    }

    /// An entry for every action, those of the given rows with weights and curves learned from some snapshots.
    private func learned(_ rows: [Int], _ chosen: [Int], _ span: ProgressSpan) throws(FitError) -> [ActionModel.Entry] {
        let slots = Slots<ActionModel.Entry>(count: rows.count)
        try ParallelRows(threads: configuration.threads).run(count: rows.count, chunk: 1, span: span) {
            { range in for index in range { slots.set(index, entry(rows[index], chosen)) } }
        }
        let unknown = [Float](repeating: 0, count: features.count)
        var entries = exposures.map { ActionModel.Entry(weights: unknown, exposures: Int32(clamping: $0)) }
        for (row, entry) in zip(rows, slots.values) { entries[row] = entry }
        return entries
    }

    private func entry(_ row: Int, _ chosen: [Int]) -> ActionModel.Entry {
        let examples = examples(Int32(row), chosen)
        let fit = LogisticFit()
        var pairs: [(score: Double, isPositive: Bool)] = []
        for half in 0..<2 {
            let known = examples.filter { $0.half != half }.map(\.example)
            let weights = fit.fit(known, featureCount: features.count)
            for index in chosen where snapshots[index].half == half {
                pairs.append((features.logit(states[index], action: Int32(row), weights), snapshots[index].taken.contains(Int32(row))))
            }
        }
        let weights = fit.fit(examples.map(\.example), featureCount: features.count)
        return ActionModel.Entry(
            isReady: true, weights: weights.map { Float($0) }, curve: IsotonicCurve(pairs), exposures: Int32(clamping: exposures[row]))
    }

    /// Every snapshot whose user took the action, and as many of the others as are affordable.
    private func examples(_ row: Int32, _ chosen: [Int]) -> [(half: Int, example: LogisticFit.Example)] {
        let negatives = chosen.count { !snapshots[$0].taken.contains(row) }
        let share = min(1, Double(Self.negativeLimit) / Double(max(1, negatives)))
        let limit = UInt64(share * Double(1 << 53))
        return chosen.indices.compactMap { place in
            let snapshot = snapshots[chosen[place]]
            let isPositive = snapshot.taken.contains(row)
            let draw = RandomSource.mix(configuration.seed ^ UInt64(place) &* 0xD1B5_4A32_D192_ED03 ^ UInt64(row) << 40) >> 11
            guard isPositive || draw < limit || share == 1 else { return nil }
            let example = LogisticFit.Example(
                features: features.vector(states[chosen[place]], action: row), isPositive: isPositive, weight: isPositive ? 1 : 1 / share)
            return (snapshot.half, example)
        }
    }

    /// Precision, recall and ROC area per action, averaged; log loss over all pairs of a held-out user and an action. An action
    /// counts as recommended to a user when it is among the user's best five, or the better half where there are fewer than ten.
    private func judge(_ model: ActionModel, _ rows: [Int], _ log: inout [String]) -> [String: Double] {
        let test = snapshots.indices.filter { snapshots[$0].isTest }
        let step = (test.count + Self.judgeLimit - 1) / Self.judgeLimit
        let held = stride(from: 0, to: test.count, by: max(1, step)).map { test[$0] }
        guard !held.isEmpty, !rows.isEmpty else {
            log.append("No metrics: nobody is left to test.")
            return [:]
        }
        let scores = held.map { index in
            let all = model.probabilities(states[index])
            return rows.map { all[$0] }
        }
        let depth = min(5, max(1, rows.count / 2))
        let recommended = scores.map { list in
            Set(list.indices.sorted { list[$0] != list[$1] ? list[$0] > list[$1] : $0 < $1 }.prefix(depth))
        }
        var sums = ActionMetricSums()
        for (index, row) in rows.enumerated() {
            sums.add(
                scores: scores.map { $0[index] }, isTaken: held.map { snapshots[$0].taken.contains(Int32(row)) },
                isRecommended: recommended.map { $0.contains(index) })
        }
        var metrics = sums.means
        metrics["coverage"] = Double(rows.count) / Double(isReady.count)
        log.append(
            "Newest responses, held out: log loss \(decimals(metrics["log_loss"] ?? 0, 4)); every action's own frequency would give "
                + "\(decimals(metrics["base_log_loss"] ?? 0, 4)). Brier score \(decimals(metrics["brier"] ?? 0, 4)).")
        return metrics
    }
}
