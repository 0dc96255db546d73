import Foundation
import Locks

/// How far a search for hyperparameters goes.
public struct TuningPlan: Sendable, Equatable {
    public var space: SearchSpace
    /// Fits in all, over all rungs.
    public var trialLimit: Int
    /// Fits at once; never more than the configuration has threads.
    public var parallelTrials: Int

    /// Nine settings, then three, then one: the work of about three fits on all the data.
    public static let defaultTrialLimit = 13

    public init(space: SearchSpace, trialLimit: Int = TuningPlan.defaultTrialLimit, parallelTrials: Int = 10) {
        self.space = space
        self.trialLimit = trialLimit
        self.parallelTrials = parallelTrials
    }
}

/// What a search found.
public struct TuningOutcome: Sendable {
    /// By bare name; every dimension of the space has a value.
    public var parameters: [String: String]
    /// Sentences for the training log.
    public var log: [String]
}

/// Searches for the hyperparameters that foretell the newest events of held-out users best.
///
/// Nothing that `fitAndEvaluate` judges by is seen: its test users are taken away first, and every trial holds out users of its own among
/// the others, the same ones for all trials of a rung. Memory is shared out among the fits that run at once.
/// - Parameters:
///   - finished: Results of an earlier attempt at the same search.
///   - onResult: Gets every new result, on the calling thread, in the order in which they come; false ends the search as cancelled.
public func tune(
    _ data: TrainingData, _ configuration: FitConfiguration, _ plan: TuningPlan, finished: [TrialResult] = [],
    onResult: (Trial, TrialResult) -> Bool = { _, _ in true }, progress: @escaping (Double, String) -> Bool = { _, _ in true }
) throws(FitError) -> TuningOutcome {
    let recipe = configuration.recipe
    let space = plan.space.effective(in: recipe)
    var outcome = TuningOutcome(parameters: plan.space.nearest(to: recipe), log: [])
    for dimension in plan.space.dimensions where !space.dimensions.contains(dimension) {
        outcome.log.append("\(dimension.name) has no effect on this model and is not searched.")
    }
    guard space.count(upTo: 2) > 1 else {
        outcome.log.append("There is nothing to search: the ranges leave one setting.")
        return outcome
    }
    let visible = try Holdout(data, configuration).training
    var search = HyperparameterSearch(
        space: space, recipe: recipe, limit: plan.trialLimit, rungs: tuningRungs(users: Set(visible.users).count),
        seed: configuration.seed)
    for result in finished { search.record(result) }
    let span = ProgressSpan(reporter: ProgressReporter(progress), start: 0, end: 1)
    while !search.pending.isEmpty {
        let trials = search.pending
        let learned = visible.usersShare(search.share(of: trials[0].rung), seed: configuration.seed)
        let run = TrialRun(data: learned, configuration: configuration, parallel: plan.parallelTrials)
        let done = Double(search.trialCount - trials.count) / Double(search.trialCount)
        try run.run(trials, span.part(done, 1)) { trial, result in
            search.record(result)
            return onResult(trial, result)
        }
        outcome.log.append(search.sentence(about: trials[0].rung))
    }
    guard let best = search.best else { throw .unusableData("None of the \(search.trialCount) settings could be fitted.") }
    outcome.parameters.merge(best.parameters) { $1 }
    let last = search.widths.count - 1
    let against = search.qualityOfDefaults(at: last).map { ", the defaults \(decimals($0, 4))" } ?? ""
    outcome.log.append("Tuned: \(described(best.parameters)): validation NDCG@25 \(decimals(best.quality, 4))\(against).")
    return outcome
}

/// Three rungs need users enough for the first to tell settings apart: a tenth of its ninth is tested on.
private func tuningRungs(users: Int) -> Int { users >= 9000 ? 3 : users >= 3000 ? 2 : 1 }

private func described(_ setting: [String: String]) -> String {
    setting.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
}

extension HyperparameterSearch {
    fileprivate func sentence(about rung: Int) -> String {
        let percent = Int((share(of: rung) * 100).rounded())
        let quality = best.map { "the best at NDCG@25 \(decimals($0.quality, 4))" } ?? "none of which could be fitted"
        return "Tried \(widths[rung]) settings on \(percent) % of the users, \(quality)."
    }
}

extension TrainingData {
    /// The events of about a share of the users, drawn by the seed.
    fileprivate func usersShare(_ share: Double, seed: UInt64) -> TrainingData {
        guard share < 1 else { return self }
        let limit = UInt64(share * 0x1p53)
        return selecting(users.indices.filter { RandomSource.mix(seed &* 0xA24B_AED4_963E_E407 ^ UInt64(users[$0])) >> 11 < limit })
    }
}

/// Fits and judges the trials of one rung on own threads, while the calling thread reports and asks whether to go on.
private struct TrialRun {
    let data: TrainingData
    let configuration: FitConfiguration
    let parallel: Int

    func run(_ trials: [Trial], _ span: ProgressSpan, onResult: (Trial, TrialResult) -> Bool) throws(FitError) {
        let workers = max(1, min(parallel, configuration.threads, trials.count))
        let queue = TrialQueue(trials)
        for _ in 0..<workers {
            let thread = Thread { work(queue, workers: workers) }
            thread.stackSize = 8 << 20
            thread.start()
        }
        var reported = 0
        var failure: FitError?
        while queue.runningOrWaiting > 0 || reported < queue.resultCount {
            queue.wait()
            for (trial, result) in queue.results(from: reported) {
                reported += 1
                if failure == nil, !onResult(trial, result) { failure = .cancelled }
            }
            do {
                try span.reporter.step(span.share(queue.done), "Tuning: \(reported) of \(trials.count) settings tried")
            } catch { failure = error }
            if failure != nil { queue.cancel() }
        }
        if let failure { throw failure }
    }

    private func work(_ queue: TrialQueue, workers: Int) {
        while let trial = queue.take() {
            var configuration = configuration
            configuration.hyperparameters.merge(trial.parameters) { $1 }
            configuration.threads = max(1, configuration.threads / workers)
            configuration.memoryBudgetBytes /= workers
            // Judged by what the vectors say, not by how fast that is found.
            configuration.listThreshold = .max
            // Another seed than the final evaluation's draws other users.
            configuration.seed &+= 1
            let start = ContinuousClock.now
            var quality: Double?
            do {
                let evaluation = try evaluate(data, configuration) { share, _ in queue.report(share, of: trial) }
                quality = evaluation.metrics["normalized_discounted_cumulative_gain_at_25"]
            } catch FitError.cancelled {
                queue.drop(trial)
                continue
            } catch {}
            queue.put(TrialResult(number: trial.number, rung: trial.rung, quality: quality, seconds: seconds(since: start)), of: trial)
        }
    }
}

/// Trials and their results between threads.
private final class TrialQueue: Sendable {
    private struct State {
        var waiting: [Trial]
        var shares: [Int: Double] = [:]
        var results: [(Trial, TrialResult)] = []
        var isCancelled = false
    }

    private let state: Lock<State>
    private let total: Double
    private let news = DispatchSemaphore(value: 0)

    init(_ trials: [Trial]) {
        total = Double(trials.count)
        state = Lock(State(waiting: trials.reversed()))
    }

    func take() -> Trial? {
        state.withLock { state in
            guard !state.isCancelled, let trial = state.waiting.popLast() else { return nil }
            state.shares[trial.number] = 0
            return trial
        }
    }

    /// False: give up.
    func report(_ share: Double, of trial: Trial) -> Bool {
        state.withLock { state in
            state.shares[trial.number] = share
            return !state.isCancelled
        }
    }

    func put(_ result: TrialResult, of trial: Trial) {
        state.withLock { state in
            state.shares[trial.number] = nil
            state.results.append((trial, result))
        }
        news.signal()
    }

    func drop(_ trial: Trial) {
        state.withLock { $0.shares[trial.number] = nil }
        news.signal()
    }

    func cancel() {
        state.withLock { state in
            state.isCancelled = true
            state.waiting = []
        }
    }

    /// Until something has happened, a quarter of a second at most.
    func wait() { _ = news.wait(timeout: .now() + 0.25) }

    var runningOrWaiting: Int { state.withLock { $0.waiting.count + $0.shares.count } }
    var resultCount: Int { state.withLock { $0.results.count } }
    func results(from first: Int) -> [(Trial, TrialResult)] { state.withLock { Array($0.results[first...]) } }

    /// Of the whole rung, 0...1.
    var done: Double { state.withLock { (Double($0.results.count) + $0.shares.values.reduce(0, +)) / total } }
}
