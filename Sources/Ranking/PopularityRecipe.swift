import Foundation

/// Items by the number of distinct users who interacted with them; the fallback of every other family too.
struct PopularityRecipe: Recipe {
    let kind = RankedItem.Kind.popular
    let normalization = ScoreNormalization.share
    private let users: MappedArray<Float>
    private let order: MappedArray<Int32>
    private var effects: SituationEffects?

    static func fit(
        _ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ span: ProgressSpan, into draft: inout ModelDraft
    ) throws(FitError) {
        try span.reporter.step(span.end, "Counted users per item")
    }

    static func memoryEstimate(items: Int, users: Int, events: Int, _ configuration: FitConfiguration) -> Int { items * 16 }

    init(opening file: ModelFile, _ header: ModelHeader) throws(ModelError) { self.init(header) }

    /// - Parameter effects: what shifts popularity for users of whom only attributes and context are known.
    init(_ header: ModelHeader, effects: SituationEffects? = nil) {
        self.effects = effects
        users = header.popularityUsers
        order = header.popularityOrder
    }

    func score(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) -> Bool {
        scratch.situation.removeAll(keepingCapacity: true)
        if let effects, shift(effects, request, &scratch) {
            scoreShifted(request, wanted: wanted, &scratch)
            return true
        }
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

    /// Logarithms of the shift per item; false when nothing about the request shifts anything.
    private func shift(_ effects: SituationEffects, _ request: RankingRequest, _ scratch: inout RankingScratch) -> Bool {
        guard effects.newcomerWeight > 0, !request.attributes.isEmpty || !request.context.isEmpty else { return false }
        scratch.situation = [Float](repeating: 0, count: users.count)
        let weight = effects.newcomerWeight
        let byUser = effects.add(request.attributes, .user, weight: weight, to: &scratch.situation)
        let byContext = effects.add(request.context, .context, weight: weight, to: &scratch.situation)
        if !byUser, !byContext { scratch.situation.removeAll(keepingCapacity: true) }
        return byUser || byContext
    }

    /// Score: users that would be expected if all were like this one. `situation` becomes what the shift adds.
    private func scoreShifted(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) {
        var shifted = [Float](repeating: 0, count: users.count)
        for row in shifted.indices {
            let plain = users.at(row) ?? 0
            shifted[row] = plain * expf(scratch.situation[row])
            scratch.situation[row] = shifted[row] - plain
        }
        if request.candidates == nil {
            let admitted = (0..<Int32(users.count)).lazy.filter { request.allows(Int($0)) }
            for entry in ScoredRow.best(wanted, of: admitted.map { ScoredRow(row: $0, score: shifted[Int($0)]) }) {
                scratch.pool.add(entry.row)
            }
            for boost in request.boosts ?? [] where boost.row < users.count && request.allows(boost.row) {
                scratch.pool.add(Int32(boost.row))
            }
        }
        for place in 0..<scratch.pool.count { scratch.pool.scores[place] = shifted[Int(scratch.pool.rows[place])] }
    }

    func parts(of row: Int32, _ request: RankingRequest, _ scratch: inout RankingScratch) -> [(item: Int32, part: Float)] { [] }

    /// The popularity sections of every model file.
    static func sections(_ matrix: InteractionMatrix) -> [SectionContent] {
        let (users, events) = matrix.popularity()
        let order = (0..<Int32(matrix.itemCount)).sorted {
            let (a, b) = (Int($0), Int($1))
            return (users[b], events[b], a) < (users[a], events[a], b)
        }
        return [
            SectionContent("popularity.users", users), SectionContent("popularity.events", events),
            SectionContent("popularity.order", order),
        ]
    }
}
