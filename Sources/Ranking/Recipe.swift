/// What every family of algorithms gives: learn, open, score, explain. The conformance suite runs over all of them.
protocol Recipe: Sendable {
    /// Learns from the interactions; returns the family's own sections and adds its properties and log lines.
    static func fit(
        _ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ span: ProgressSpan, into draft: inout ModelDraft
    ) throws(FitError)

    /// Bytes that `fit` needs beyond the interactions themselves, from shapes alone.
    static func memoryEstimate(items: Int, users: Int, events: Int, _ configuration: FitConfiguration) -> Int

    /// Does it make use of items that nobody met yet, but whose metadata is known?
    static var takesCatalog: Bool { get }

    /// Can nothing be learned without interactions?
    static var needsEvents: Bool { get }

    /// Takes the family's sections from a file whose common sections are already opened.
    init(opening file: ModelFile, _ header: ModelHeader) throws(ModelError)

    /// What an item chosen by the family is called in an answer.
    var kind: RankedItem.Kind { get }

    /// How raw scores become shares of 1.
    var normalization: ScoreNormalization { get }

    /// Bytes that every request passes over and that several could pass over together.
    var sharedBytes: Int { get }

    /// Does together, for requests whose histories are in the batch's scratches, what `score` would do for each; optional.
    func prepare(_ requests: [RankingRequest], _ batch: inout RankingBatch)

    /// Scores the pool's rows when the request lists candidates; else first puts at least the best `wanted` admitted rows
    /// (fewer only when fewer can be scored) into the pool. False when the request gives the family nothing to go on.
    func score(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) -> Bool

    /// What speaks for a row after `score`, as (item id, part), in any order; parts may be negative.
    func parts(of row: Int32, _ request: RankingRequest, _ scratch: inout RankingScratch) -> [(item: Int32, part: Float)]
}

extension Recipe {
    var sharedBytes: Int { 0 }

    func prepare(_ requests: [RankingRequest], _ batch: inout RankingBatch) {}
    static var takesCatalog: Bool { false }
    static var needsEvents: Bool { true }
}

enum ScoreNormalization: Sendable, Equatable {
    /// exp(sharpness x score), divided by the sum.
    case softmax(sharpness: Float)
    /// The score divided by the sum of scores.
    case share
}

/// A model in the making: sections, properties and what to tell people.
struct ModelDraft {
    var sections: [SectionContent] = []
    var properties: [(name: String, value: String)] = []
    var log: [String] = []
    /// What a blend is made of, to be used again on other data.
    var blend: BlendChoice?

    mutating func set(_ name: String, _ value: some CustomStringConvertible) {
        properties.removeAll { $0.name == name }
        properties.append((name, value.description))
    }

    /// The file, with the properties as they stand.
    func encoded() -> [UInt8] {
        ModelFormat.encode([SectionContent("properties", texts: properties.map { "\($0.name)=\($0.value)" })] + sections)
    }
}

/// What every model file holds, whatever its family.
struct ModelHeader: Sendable {
    let properties: [String: String]
    /// Of the learned rows.
    let itemIDs: MappedArray<Int32>
    let eventTypeNames: [String]
    /// Items that an update brought; nil without one.
    let added: AddedItems?
    /// Distinct users, and events, per row, added ones included.
    let popularityUsers: MappedArray<Float>
    let popularityEvents: MappedArray<Float>
    /// Rows by falling number of distinct users, then events, then row.
    let popularityOrder: MappedArray<Int32>
    let weighting: HistoryWeights

    /// Learned rows.
    var itemCount: Int { itemIDs.count }

    init(_ file: ModelFile) throws(ModelError) {
        var properties: [String: String] = [:]
        for line in try file.texts("properties") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { properties[String(parts[0])] = String(parts[1]) }
        }
        self.properties = properties
        itemIDs = try file.array("item_ids", .int32)
        eventTypeNames = try file.texts("event_types")
        added = try AddedItems(opening: file, learned: itemIDs.count)
        let rows = itemIDs.count + (added?.ids.count ?? 0)
        popularityUsers = try file.floats("popularity.users", count: rows)
        popularityEvents = try file.floats("popularity.events", count: rows)
        popularityOrder = try file.array("popularity.order", .int32, count: rows)
        let weights: MappedArray<Float> = try file.floats("event_weights")
        func number(_ name: String) -> Float { properties[name].flatMap(Float.init) ?? 0 }
        weighting = HistoryWeights(
            eventTypes: Array(weights.buffer), unknownType: number("unknown_type_weight"),
            valueConfidence: number("value_confidence"), meanValue: max(number("mean_value"), .leastNormalMagnitude),
            recencyBoost: number("recency_boost"), recencySpan: max(number("recency_span"), 0.1))
    }

    func number(_ name: String) throws(ModelError) -> Float {
        guard let number = properties[name].flatMap(Float.init), number.isFinite else {
            throw .damaged("property \(name) is missing")
        }
        return number
    }
}
