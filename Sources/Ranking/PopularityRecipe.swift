/// Items by the number of distinct users who interacted with them, or of interactions; the fallback of every other family too.
struct PopularityRecipe: Recipe {
    let kind = RankedItem.Kind.popular
    let normalization = ScoreNormalization.share
    /// Per row: users, or whatever else the order is by.
    private let values: MappedArray<Float>
    private let order: MappedArray<Int32>

    static func fit(
        _ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ span: ProgressSpan, into draft: inout ModelDraft
    ) throws(FitError) {
        if configuration.recipe.countsEvents {
            let (users, events) = matrix.popularity()
            draft.sections.append(SectionContent("popularity.by_events", order(events, users)))
        }
        try span.reporter.step(span.end, "Counted users per item")
    }

    static func memoryEstimate(items: Int, users: Int, events: Int, _ configuration: FitConfiguration) -> Int { items * 16 }

    init(opening file: ModelFile, _ header: ModelHeader) throws(ModelError) {
        if file.section("popularity.by_events") == nil {
            self.init(header)
        } else {
            self.init(
                values: header.popularityEvents, order: try file.array("popularity.by_events", .int32, count: header.itemCount))
        }
    }

    init(_ header: ModelHeader) { self.init(values: header.popularityUsers, order: header.popularityOrder) }

    /// - Parameter order: rows by falling value.
    init(values: MappedArray<Float>, order: MappedArray<Int32>) {
        self.values = values
        self.order = order
    }

    func score(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) -> Bool {
        if request.candidates != nil {
            for index in 0..<scratch.pool.count { scratch.pool.scores[index] = values.at(Int(scratch.pool.rows[index])) ?? 0 }
            return true
        }
        for row in order.buffer {
            if scratch.pool.count >= wanted { break }
            if let score = values.at(Int(row)), request.allows(Int(row)) { scratch.pool.add(row, score: score) }
        }
        for boost in request.boosts ?? [] where request.allows(boost.row) {
            if let score = values.at(boost.row) { scratch.pool.add(Int32(boost.row), score: score) }
        }
        return true
    }

    func parts(of row: Int32, _ request: RankingRequest, _ scratch: inout RankingScratch) -> [(item: Int32, part: Float)] { [] }

    /// The popularity sections of every model file.
    static func sections(_ matrix: InteractionMatrix) -> [SectionContent] {
        let (users, events) = matrix.popularity()
        return sections(users: users, events: events)
    }

    /// From distinct users, and events, per row.
    static func sections(users: [Float], events: [Float]) -> [SectionContent] {
        return [
            SectionContent("popularity.users", users), SectionContent("popularity.events", events),
            SectionContent("popularity.order", order(users, events)),
        ]
    }

    /// Rows by falling count, then by the other one, then by row.
    private static func order(_ counts: [Float], _ others: [Float]) -> [Int32] {
        (0..<Int32(counts.count)).sorted {
            let (a, b) = (Int($0), Int($1))
            return (counts[b], others[b], a) < (counts[a], others[a], b)
        }
    }
}
