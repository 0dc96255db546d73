import Foundation

/// Judges a configuration as the contract's GetSolutionMetrics describes it: a model fitted on 90 % of the users is asked
/// about the others, with the oldest 90 % of each one's events as history and the newest 10 % as truth. Every item is
/// ranked; nothing is sampled. The test users are drawn by the configuration's seed.
public func evaluate(
    _ data: TrainingData, _ configuration: FitConfiguration,
    progress: @escaping (Double, String) -> Bool = { _, _ in true }
) throws(FitError) -> Evaluation {
    try evaluate(data, configuration, ProgressSpan(reporter: ProgressReporter(progress), start: 0, end: 1))
}

/// Evaluates, then fits on everything; the metrics and the log of both are in the result. Data too small to be split
/// gives a model without metrics and a sentence in the log.
public func fitAndEvaluate(
    _ data: TrainingData, _ configuration: FitConfiguration,
    progress: @escaping (Double, String) -> Bool = { _, _ in true }
) throws(FitError) -> FittedModel {
    let span = ProgressSpan(reporter: ProgressReporter(progress), start: 0, end: 1)
    try configuration.validate()
    let evaluation = try evaluate(data, configuration, span.part(0, 0.65))
    var configuration = configuration
    (configuration.blend, configuration.audience) = (evaluation.blend, evaluation.audience)
    var fitted = try fit(data, configuration, span.part(0.65, 1))
    fitted.metrics = evaluation.metrics
    fitted.figures = evaluation.figures
    fitted.samplingErrors = evaluation.samplingErrors
    fitted.log = evaluation.log + fitted.log
    return fitted
}

func evaluate(_ data: TrainingData, _ configuration: FitConfiguration, _ span: ProgressSpan) throws(FitError) -> Evaluation {
    try configuration.validate()
    if configuration.recipe.description.makesSegments { return try SegmentEvaluation(data, configuration).run(span) }
    try span.reporter.step(span.start, "Holding out users")
    let holdout = try Holdout(data, configuration, span.part(0, 0))
    guard !holdout.testUsers.isEmpty, holdout.training.count > 0 else {
        return Evaluation(
            metrics: [:], testUserCount: 0,
            log: ["No metrics: the data has too few users with two or more interactions to hold any out."])
    }
    let judging = try TestJudging(data, configuration)
    let fitted = try fit(holdout.training, configuration, span.part(0.02, 0.9))
    let model: Model
    do throws(ModelError) { model = try fitted.opened() } catch { throw .unusableData(error.message) }
    try span.reporter.step(span.share(0.9), "Asking the model about \(holdout.testUsers.count) held-out users")
    var sums = MetricSums()
    var scratch = RankingScratch()
    for (index, user) in holdout.testUsers.enumerated() {
        judging.judge(user, model, &scratch, &sums)
        try span.reporter.poll(span.share(0.9 + 0.1 * Double(index) / Double(holdout.testUsers.count)))
    }
    var metrics = sums.means
    metrics["coverage"] = holdout.itemCount > 0 ? Double(model.metItemCount) / Double(holdout.itemCount) : 0
    if configuration.recipe.isTrend {
        metrics["trend_prediction_accuracy"] = try TrendAccuracy.measure(
            InteractionMatrix(data, configuration, span.part(0.99, 0.99)), window: configuration.trendWindow, span.part(0.99, 1))
    }
    let ndcg = metrics["normalized_discounted_cumulative_gain_at_10"] ?? 0
    return Evaluation(
        metrics: metrics, testUserCount: holdout.testUsers.count,
        log: (fitted.blend == nil ? [] : fitted.log) + [
            "Evaluated on \(holdout.testUsers.count) held-out users: NDCG@10 \(decimals(ndcg, 4))."
        ],
        blend: fitted.blend, figures: ListFigures(model, holdout.testUsers), samplingErrors: sums.errors)
}

/// The split into training events and test users.
struct Holdout {
    var training = TrainingData()
    var testUsers: [TestUser] = []
    /// Distinct items of the admitted events, of training and test users together.
    var itemCount = 0

    static let testShare = 0.1
    static let truthShare = 0.1

    init(_ data: TrainingData, _ configuration: FitConfiguration, _ span: ProgressSpan? = nil) throws(FitError) {
        let matrix = try InteractionMatrix(data, configuration, span)
        itemCount = matrix.metItems().count { $0 }
        let eligible = (0..<matrix.userCount).filter { matrix.offsets[$0 + 1] - matrix.offsets[$0] >= 2 }
        func draw(_ user: Int) -> UInt64 {
            RandomSource.mix(configuration.seed &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(matrix.userIDs[user]))
        }
        let wanted = Int((Double(matrix.userCount) * Self.testShare).rounded(.up))
        // Somebody has to stay in the training half.
        let count = min(wanted, eligible.count, matrix.userCount - 1)
        let chosen = eligible.map { (draw($0), $0) }.sorted { $0 < $1 }.prefix(max(0, count)).map(\.1)
        let isTested = Set(chosen.map { matrix.userIDs[$0] })
        try span?.poll()
        training = data.selecting((0..<data.count).filter { !isTested.contains(data.users[$0]) })
        testUsers = chosen.sorted().map { TestUser(matrix, user: $0, needs: configuration.recipe.description.needs) }
    }
}

/// A held-out user: what the model may know, and what it should have foretold.
struct TestUser {
    var request: RankingRequest
    var truth: Set<Int32>
    /// By item of the truth: types of its events.
    var truthTypes: [Int32: Set<UInt8>] = [:]

    private static let depth = 25

    init(_ matrix: InteractionMatrix, user: Int, needs: [RequestNeed]) {
        let range = matrix.offsets[user]..<matrix.offsets[user + 1]
        let hidden = max(1, Int((Double(range.count) * Holdout.truthShare).rounded()))
        let split = range.upperBound - hidden
        truth = Set((split..<range.upperBound).map { matrix.itemIDs[Int(matrix.items[$0])] })
        for position in split..<range.upperBound {
            truthTypes[matrix.itemIDs[Int(matrix.items[position])], default: []].insert(matrix.types[position])
        }
        let history = (range.lowerBound..<split).map { position in
            HistoryEvent(
                item: matrix.itemIDs[Int(matrix.items[position])], eventType: Int16(matrix.types[position]),
                timestamp: matrix.timestamps[position], value: matrix.values[position])
        }
        request = RankingRequest(history: history, count: Self.depth)
        request.moment = matrix.timestamps[split]
        if needs.contains(.itemId) { request.item = history.last?.item }
    }
}

/// Sums of the contract's metrics over users, and of their squares.
struct MetricSums {
    private var sums: [String: (sum: Double, squares: Double, users: Int)] = [:]

    mutating func add(_ list: RankingMetrics) {
        add(list.reciprocalRank(at: 25), to: "mean_reciprocal_rank_at_25")
        for k in [5, 10, 25] {
            add(list.ndcg(at: k), to: "normalized_discounted_cumulative_gain_at_\(k)")
            add(list.precision(at: k), to: "precision_at_\(k)")
        }
    }

    /// Of one user; not every user has every metric.
    mutating func add(_ value: Double, to name: String) {
        let known = sums[name] ?? (0, 0, 0)
        sums[name] = (known.sum + value, known.squares + value * value, known.users + 1)
    }

    var means: [String: Double] { sums.mapValues { $0.sum / Double($0.users) } }

    var errors: [String: SamplingError] {
        sums.compactMapValues { SamplingError(sum: $0.sum, squares: $0.squares, userCount: $0.users) }
    }
}
