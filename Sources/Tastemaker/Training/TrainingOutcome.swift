import JSON
import Postgres
import Ranking

/// What a training gave, on its way to the solution version.
struct TrainingOutcome {
    let seed: UInt64
    let threads: Int
    var bytes: [UInt8] = []
    var log: [String] = []
    var metricValues: [String: Double] = [:]
    /// Of metrics and figures that are means over held-out users, by name.
    var samplingErrors: [String: SamplingError] = [:]
    var counts: (interactions: Int, users: Int, items: Int) = (0, 0, 0)
    /// What the lists for held-out users are like; nil without an evaluation.
    var figures: ListFigures?
    /// Everything that the model recorded of itself.
    private var properties: [String: String] = [:]
    /// Up to which the data goes.
    var watermark: Int64 = 0
    /// Read, used or not.
    var interactionCount = 0
    var seconds = 0.0
    /// By bare name; empty without a search.
    var tunedParameters: [String: String] = [:]
    /// Of the search, which may be an earlier version's.
    var tunedAt: PGTimestamp?
    /// Of a solution that leaves the choice to us, when this training made it.
    var chosenRecipe: RecipeName?

    /// Before the training begins: its peak of memory counts from here on.
    init(seed: UInt64, threads: Int) {
        PeakMemory.forget()
        self.seed = seed
        self.threads = threads
    }

    mutating func take(_ fitted: FittedModel) {
        bytes = fitted.bytes
        log += fitted.log
        metricValues = fitted.metrics
        counts = (fitted.interactionCount, fitted.userCount, fitted.itemCount)
        figures = fitted.figures
        samplingErrors = fitted.samplingErrors.merging(fitted.figures?.samplingErrors ?? [:]) { first, _ in first }
        properties = (try? fitted.opened().properties) ?? [:]
    }

    mutating func take(_ model: ActionModel, of data: ActionData) {
        bytes = model.encoded
        log += model.log
        metricValues = model.metrics
        counts = (data.events.count, Set(data.events.map(\.user)).count, model.actionIDs.count)
        properties = model.properties
    }

    var report: JSONValue {
        var report: JSONObject = [
            "log": .array(log.map { .string($0) }), "interactions": .integer(Int64(counts.interactions)),
            "users": .integer(Int64(counts.users)), "items": .integer(Int64(counts.items)), "seed": .integer(Int64(clamping: seed)),
            "threads": .integer(Int64(threads)), "durationSeconds": .double(seconds), "peakMemoryBytes": .integer(Int64(PeakMemory.bytes)),
            "properties": .object(
                JSONObject(members: properties.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .string($0.value)) })),
        ]
        if let figures { report["figures"] = figures.json }
        if !samplingErrors.isEmpty {
            report["samplingErrors"] = .object(
                JSONObject(members: samplingErrors.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: $0.value.json) }))
        }
        return .object(report)
    }

    var metrics: JSONValue {
        var object = JSONObject()
        for (name, value) in metricValues.sorted(by: { $0.key < $1.key }) { object[name] = .double(value) }
        return .object(object)
    }

    /// Nil without a search.
    var tuned: JSONValue? {
        guard !tunedParameters.isEmpty else { return nil }
        return .object(
            JSONObject(members: tunedParameters.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .string($0.value)) }))
    }
}

/// Shares out the progress bar of a training among its stages, in order.
struct TrainingStages {
    private var next: Double
    private let end: Double

    init(from start: Double, to end: Double) {
        next = start
        self.end = end
    }

    /// A share of what is left.
    mutating func take(_ share: Double) -> ClosedRange<Double> {
        let start = next
        next += (end - next) * share
        return start...next
    }
}
