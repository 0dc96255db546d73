/// Items by the number of distinct users who interacted with them; the fallback of every other family too.
struct PopularityRecipe: Recipe {
    let kind = RankedItem.Kind.popular
    let normalization = ScoreNormalization.share
    private let users: MappedArray<Float>
    private let order: MappedArray<Int32>

    static func fit(
        _ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ span: ProgressSpan, into draft: inout ModelDraft
    ) throws(FitError) {
        try span.reporter.step(span.end, "Counted users per item")
    }

    static func memoryEstimate(items: Int, users: Int, events: Int, _ configuration: FitConfiguration) -> Int { items * 16 }

    init(opening file: ModelFile, _ header: ModelHeader) throws(ModelError) { self.init(header) }

    init(_ header: ModelHeader) {
        users = header.popularityUsers
        order = header.popularityOrder
    }

    func score(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) -> Bool {
        if request.candidates != nil {
            for index in 0..<scratch.pool.count { scratch.pool.scores[index] = users.at(Int(scratch.pool.rows[index])) ?? 0 }
            return true
        }
        for row in order.buffer {
            if scratch.pool.count >= wanted { break }
            if let score = users.at(Int(row)), request.allows(Int(row)) { scratch.pool.add(row, score: score) }
        }
        for boost in request.boosts ?? [] where request.allows(boost.row) {
            if let score = users.at(boost.row) { scratch.pool.add(Int32(boost.row), score: score) }
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
        let order = (0..<Int32(users.count)).sorted {
            let (a, b) = (Int($0), Int($1))
            return (users[b], events[b], a) < (users[a], events[a], b)
        }
        return [
            SectionContent("popularity.users", users), SectionContent("popularity.events", events),
            SectionContent("popularity.order", order),
        ]
    }
}
