/// Related items: those that the same users interacted with, overall and per event type, so that a list over purchases
/// alone gives "bought together".
struct NeighborRecipe: Recipe {
    let kind = RankedItem.Kind.related
    let normalization = ScoreNormalization.share
    private let itemIDs: MappedArray<Int32>
    private let overall: MappedLists
    /// Per event type of the model; nil where the type has no lists.
    private let byType: [MappedLists?]

    /// A user's newest events that take part; the pairs of a history grow with its square.
    private static let historyLimit = 500
    static let shrinkage: Float = 10

    static func fit(
        _ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ span: ProgressSpan, into draft: inout ModelDraft
    ) throws(FitError) {
        let fit = CointeractionFit(
            popularityDiscount: Float(configuration.number("popularity_discount_factor", 0.5)),
            minimumCount: configuration.integer("min_cointeraction_count", 3), shrinkage: shrinkage,
            threads: configuration.threads)
        let types = Set(matrix.types).sorted()
        let listed = types.count > 1 ? types : []
        let weighting = HistoryWeights(
            eventTypes: [Float](repeating: 1, count: matrix.eventTypeNames.count), unknownType: 0, valueConfidence: 0, meanValue: 1,
            recencyBoost: 0, recencySpan: 1)
        for (index, type) in ([nil] + listed.map { Optional($0) }).enumerated() {
            let part = span.part(Double(index) / Double(listed.count + 1), Double(index + 1) / Double(listed.count + 1))
            let what = type.map { "event type \(matrix.eventTypeNames[Int($0)])" } ?? "all events"
            try part.reporter.step(part.start, "Comparing items over \(what)")
            let rows = try matrix.userItems(weighting, type: type, limit: historyLimit, threads: configuration.threads, part)
            let lists = try fit.fit(rows, itemCount: matrix.itemCount, part)
            draft.log.append("Related items over \(what): \(lists.rows.count) pairs.")
            draft.sections += SectionContent.lists(type.map { "related.type\($0)" } ?? "related", lists)
        }
    }

    static func memoryEstimate(items: Int, users: Int, events: Int, _ configuration: FitConfiguration) -> Int {
        items * NeighborLists.limit(itemCount: items) * 8 * 2 + events * 16 + items * 8 * configuration.threads
    }

    init(opening file: ModelFile, _ header: ModelHeader) throws(ModelError) {
        itemIDs = header.itemIDs
        overall = try file.lists("related", itemCount: header.itemCount)
        var byType: [MappedLists?] = []
        for type in header.eventTypeNames.indices {
            let name = "related.type\(type)"
            byType.append(file.section("\(name).rows") == nil ? nil : try file.lists(name, itemCount: header.itemCount))
        }
        self.byType = byType
    }

    func score(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) -> Bool {
        guard let item = request.item, let row = firstRow(of: item, in: itemIDs.buffer) else { return false }
        var lists = overall
        if let type = request.relatedByEventType, type >= 0, type < byType.count, let typed = byType[type] { lists = typed }
        let isRestricted = request.candidates != nil
        for position in lists.range(of: row) {
            guard let neighbor = lists.rows.at(position), let strength = lists.strengths.at(position),
                neighbor >= 0, Int(neighbor) < itemIDs.count, strength.isFinite
            else { continue }
            if isRestricted {
                if let place = scratch.pool.place(of: neighbor) { scratch.pool.scores[place] = strength }
            } else if Int(neighbor) != row, request.allows(Int(neighbor)) {
                scratch.pool.add(neighbor, score: strength)
            }
        }
        return scratch.pool.count > 0
    }

    func parts(of row: Int32, _ request: RankingRequest, _ scratch: inout RankingScratch) -> [(item: Int32, part: Float)] {
        request.item.map { [(item: $0, part: Float(1))] } ?? []
    }
}
