public import Foundation

/// Vectors that were made elsewhere, on their way into a model.
public struct VectorImport: Sendable {
    /// How a user's vector meets an item's.
    public enum Metric: String, Sendable, CaseIterable {
        case innerProduct = "inner-product"
        case cosine
    }

    public static let dimensionLimit = 2048

    public var metric: Metric
    public var dimensions: Int
    /// Interned ids, each once, in any order.
    public var itemIDs: [Int32]
    /// Row-major, items x dimensions.
    public var items: [Float]
    /// Interned ids, each once; users without a vector are served by their histories.
    public var userIDs: [Int32]
    /// Row-major, users x dimensions.
    public var users: [Float]
    /// By item: distinct users, and events, for people of whom nothing is known.
    public var popularity: [Int32: (users: Float, events: Float)] = [:]
    public var eventTypeNames: [String] = []
    public var createdAt = Date()
    /// With more items than this, vectors are sorted into inverted lists.
    public var listThreshold = InvertedListsFit.usualThreshold
    public var threads = 1

    public init(
        metric: Metric, dimensions: Int, itemIDs: [Int32], items: [Float], userIDs: [Int32] = [], users: [Float] = []
    ) {
        self.metric = metric
        self.dimensions = dimensions
        self.itemIDs = itemIDs
        self.items = items
        self.userIDs = userIDs
        self.users = users
    }

    /// The model file that serves the vectors. Throws `unusableData` for shapes that do not fit, ids that repeat, and numbers that are
    /// not finite. `progress` as in `fit`; only sorting vectors into lists takes long enough to ask it.
    public func model(progress: @escaping (Double, String) -> Bool = { _, _ in true }) throws(FitError) -> FittedModel {
        let start = ContinuousClock.now
        guard (1...Self.dimensionLimit).contains(dimensions) else {
            throw .unusableData("Vectors have 1 to \(Self.dimensionLimit) dimensions, not \(dimensions).")
        }
        guard !itemIDs.isEmpty else { throw .unusableData("There are no item vectors.") }
        let (ids, vectors) = try sorted(itemIDs, items, "item")
        let (owners, ownVectors) = try sorted(userIDs, users, "user")
        var draft = ModelDraft()
        describe(vectors, &draft)
        draft.sections += [
            SectionContent("item_ids", ids), SectionContent("event_types", texts: eventTypeNames),
            SectionContent("event_weights", [Float](repeating: 1, count: eventTypeNames.count)),
        ]
        draft.sections += PopularityRecipe.sections(
            users: ids.map { popularity[$0]?.users ?? 0 }, events: ids.map { popularity[$0]?.events ?? 0 })
        draft.sections += ItemVectors.sections(vectors, dimensions: padded, prefix: "vectors")
        draft.sections += [SectionContent("users.ids", owners), SectionContent("users.vectors", ownVectors, columns: padded)]
        draft.log.append(
            "Vectors of \(dimensions) dimensions for \(ids.count) items and \(owners.count) users, compared by \(metric.rawValue).")
        if ids.count > listThreshold {
            let span = ProgressSpan(reporter: ProgressReporter(progress), start: 0, end: 1)
            try VectorRecipe.sortIntoLists(&draft, threads: threads, span)
        }
        let bytes = draft.encoded()
        return FittedModel(
            bytes: bytes, log: draft.log, itemCount: ids.count, userCount: owners.count, interactionCount: 0,
            duration: ContinuousClock.now - start)
    }

    /// The kernels take multiples of 16; the rest is zeros.
    private var padded: Int { (dimensions + 15) / 16 * 16 }

    /// By ascending id, in padded rows; of length 1 for the cosine.
    private func sorted(_ ids: [Int32], _ values: [Float], _ kind: String) throws(FitError) -> ([Int32], [Float]) {
        guard values.count == ids.count * dimensions else {
            throw .unusableData("\(ids.count) \(kind) vectors of \(dimensions) dimensions have \(values.count) numbers.")
        }
        let order = ids.indices.sorted { ids[$0] < ids[$1] }
        for (left, right) in zip(order, order.dropFirst()) where ids[left] == ids[right] {
            throw .unusableData("One \(kind) has two vectors.")
        }
        var rows = [Float](repeating: 0, count: ids.count * padded)
        for (row, place) in order.enumerated() {
            let vector = values[place * dimensions..<(place + 1) * dimensions]
            let square = vector.reduce(0.0) { $0 + Double($1) * Double($1) }
            guard square.isFinite, square < 1e30 else {
                throw .unusableData("A \(kind) vector holds a number that is not finite or too large.")
            }
            let scale = metric == .cosine && square > 0 ? Float(1 / square.squareRoot()) : 1
            for (dimension, value) in vector.enumerated() { rows[row * padded + dimension] = value * scale }
        }
        return (order.map { ids[$0] }, rows)
    }

    private func describe(_ vectors: [Float], _ draft: inout ModelDraft) {
        var largest: Float = 0
        var longest: Float = 0
        var squares = 0.0
        for row in 0..<itemIDs.count {
            var sum: Float = 0
            for value in vectors[row * padded..<(row + 1) * padded] {
                largest = max(largest, abs(value))
                sum += abs(value)
                squares += Double(value) * Double(value)
            }
            longest = max(longest, sum)
        }
        draft.set("recipe", RecipeName.vectors.rawValue)
        draft.set("created_at", Int(createdAt.timeIntervalSince1970))
        draft.set("seed", 0)
        draft.set("metric", metric.rawValue)
        draft.set("dimensions", dimensions)
        draft.set("largest_value", largest)
        draft.set("largest_sum", longest)
        draft.set("mean_square", Float(squares / Double(itemIDs.count)))
        // A history is read like that of a fitted model: newer items count more, and what was just met stands last.
        for (name, value) in [
            ("unknown_type_weight", "1"), ("value_confidence", "0"), ("mean_value", "1"), ("recency_boost", "10"), ("recency_span", "5"),
            ("demotes_history", "true"),
        ] { draft.set(name, value) }
    }
}
