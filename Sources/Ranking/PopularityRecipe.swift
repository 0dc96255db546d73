import Foundation

/// Items by the number of distinct users who interacted with them, or of interactions; the fallback of every other family too.
struct PopularityRecipe: Recipe {
    let kind = RankedItem.Kind.popular
    let normalization = ScoreNormalization.share
    /// Per row: users, or whatever else the order is by.
    private let values: MappedArray<Float>
    private let order: MappedArray<Int32>
    private var effects: SituationEffects?

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

    /// - Parameter effects: what shifts popularity for users of whom only attributes and context are known.
    init(_ header: ModelHeader, effects: SituationEffects? = nil) {
        self.init(values: header.popularityUsers, order: header.popularityOrder, effects: effects)
    }

    /// - Parameter order: rows by falling value.
    init(values: MappedArray<Float>, order: MappedArray<Int32>, effects: SituationEffects? = nil) {
        self.values = values
        self.order = order
        self.effects = effects
    }

    func score(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) -> Bool {
        scratch.situation.removeAll(keepingCapacity: true)
        if let effects, shift(effects, request, &scratch) {
            scoreShifted(request, wanted: wanted, &scratch)
            return true
        }
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

    /// Logarithms of the shift per item; false when nothing about the request shifts anything.
    private func shift(_ effects: SituationEffects, _ request: RankingRequest, _ scratch: inout RankingScratch) -> Bool {
        guard effects.newcomerWeight > 0, !request.attributes.isEmpty || !request.context.isEmpty else { return false }
        scratch.situation = [Float](repeating: 0, count: values.count)
        let weight = effects.newcomerWeight
        let byUser = effects.add(request.attributes, .user, weight: weight, to: &scratch.situation)
        let byContext = effects.add(request.context, .context, weight: weight, to: &scratch.situation)
        if !byUser, !byContext { scratch.situation.removeAll(keepingCapacity: true) }
        return byUser || byContext
    }

    /// Score: users that would be expected if all were like this one. `situation` becomes what the shift adds.
    private func scoreShifted(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) {
        var shifted = [Float](repeating: 0, count: values.count)
        for row in shifted.indices {
            let plain = values.at(row) ?? 0
            shifted[row] = plain * expf(scratch.situation[row])
            scratch.situation[row] = shifted[row] - plain
        }
        if request.candidates == nil {
            let admitted = (0..<Int32(values.count)).lazy.filter { request.allows(Int($0)) }
            for entry in ScoredRow.best(wanted, of: admitted.map { ScoredRow(row: $0, score: shifted[Int($0)]) }) {
                scratch.pool.add(entry.row)
            }
            for boost in request.boosts ?? [] where boost.row < values.count && request.allows(boost.row) {
                scratch.pool.add(Int32(boost.row))
            }
        }
        for (place, row) in scratch.pool.rows.enumerated() where Int(row) < shifted.count { scratch.pool.scores[place] = shifted[Int(row)] }
    }

    func parts(of row: Int32, _ request: RankingRequest, _ scratch: inout RankingScratch) -> [(item: Int32, part: Float)] { [] }

    /// The popularity sections of every model file.
    static func sections(_ matrix: InteractionMatrix) -> [SectionContent] {
        let (users, events) = matrix.popularity()
        return sections(users: users, events: events)
    }

    /// From distinct users, and events, per row.
    static func sections(users: [Float], events: [Float]) -> [SectionContent] {
        [
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
