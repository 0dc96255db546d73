import FilterLanguage
import Ranking
import Locks

/// An item on its way into an answer.
struct Candidate: Sendable {
    enum Kind: Sendable { case personal, related, popular, trending, newest, fill, exploration, unknown }

    let item: Int32
    /// Share of all that was scored, 0 to 1; nil for what was not scored.
    let score: Double?
    let kind: Kind
    var contributions: [Contribution] = []
    /// What the model's objective adds to the raw score.
    var objectivePart: Float?
    /// What recent popularity, and being chosen or passed over when shown, add to the model's score.
    var popularityPart: Float?
    var choicePart: Float?
    /// What the user's attributes and the context add to the raw score.
    var situationPart: Float?
}

/// Work space of the ranking kernels, lent to one thread at a time.
final class ScratchPool: Sendable {
    private let free = Lock<[RankingScratch]>([])

    func withScratch<T>(_ body: (inout RankingScratch) -> T) -> T {
        var scratch = free.withLock { $0.popLast() } ?? RankingScratch()
        let result = body(&scratch)
        free.withLock { $0.append(scratch) }
        return result
    }
}

/// Where candidates come from, by the rung of the ladder.
enum CandidateSource: Sendable {
    case model(ServedModel, ModelQuery)
    case listed([Int32: Double], order: [Int32], Candidate.Kind)
    /// What the interactions of these minutes say; the model fills what they leave open.
    case trending([TrendingItem], ServedModel, ModelQuery)

    struct ModelQuery: Sendable {
        var history: [HistoryEvent]
        /// When the list is wanted, in seconds since 1970.
        var moment: Int64
        /// Of a known user, by whose vector a model may answer.
        var user: Int32?
        var item: Int32?
        var relatedByEventType: Int?
        var explains: Bool
        /// The user's attributes and the request's context, as text by column, where the model uses them.
        var attributes: [String: String] = [:]
        var context: [String: String] = [:]
        var influence = RankingInfluence()
        /// When items came into being; asked where freshness counts.
        var createdAt: @Sendable (Int32) -> Int64? = { _ in nil }
    }

    /// The same without the work of finding reasons.
    var withoutReasons: CandidateSource {
        guard case .model(let model, var query) = self else { return self }
        query.explains = false
        return .model(model, query)
    }

    var explains: Bool {
        if case .model(_, let query) = self { query.explains } else { false }
    }

    /// The best admitted items. `inputs`: exactly these, in order of score.
    func candidates(_ allowed: RowBitmap?, count: Int, inputs: [Int32]? = nil, _ scratches: ScratchPool) -> [Candidate] {
        switch self {
        case .model(let model, let query): ranked(model, query, allowed, count, inputs, scratches)
        case .listed(let scores, let order, let kind): listed(scores, order, kind, allowed, count)
        case .trending(let items, let model, let query): trending(items, model, query, allowed, count, scratches)
        }
    }

    private func ranked(
        _ model: ServedModel, _ query: ModelQuery, _ allowed: RowBitmap?, _ count: Int, _ inputs: [Int32]?, _ scratches: ScratchPool
    ) -> [Candidate] {
        var request = RankingRequest(
            history: query.history, item: query.item, relatedByEventType: query.relatedByEventType, allowed: allowed.map(model.rows),
            candidates: inputs, count: count, explain: query.explains)
        (request.user, request.moment) = (query.user, query.moment)
        (request.attributes, request.context) = (query.attributes, query.context)
        if !query.influence.isNeutral { request.count = max(count, RankingInfluence.depth) }
        let candidates = scratches.withScratch { model.model.rank(request, scratch: &$0) }.items.map { ranked in
            let kind: Candidate.Kind =
                switch ranked.kind {
                case .personalized: .personal
                case .related: .related
                case .popular: ranked.score == nil ? .fill : .popular
                case .unknown: .unknown
                }
            return Candidate(
                item: ranked.item, score: ranked.normalizedScore.map { Double($0) }, kind: kind, contributions: ranked.reasons,
                objectivePart: ranked.objectivePart, popularityPart: ranked.popularityPart, choicePart: ranked.choicePart,
                situationPart: ranked.situationPart)
        }
        if query.influence.isNeutral { return candidates }
        let reordered = query.influence.reordered(candidates, model.model, createdAt: query.createdAt)
        return inputs == nil ? Array(reordered.prefix(count)) : reordered
    }

    private func trending(
        _ items: [TrendingItem], _ model: ServedModel, _ query: ModelQuery, _ allowed: RowBitmap?, _ count: Int, _ scratches: ScratchPool
    ) -> [Candidate] {
        var found: [Candidate] = []
        for entry in items where found.count < count {
            if let allowed, Int(entry.item) >= allowed.count || !allowed[Int(entry.item)] { continue }
            // Rules need numbers that fall; nobody is shown them.
            found.append(
                Candidate(item: entry.item, score: 1 / Double(found.count + 1), kind: entry.isRising ? .trending : .popular))
        }
        guard found.count < count else { return found }
        let known = Set(found.map(\.item))
        let rest = ranked(model, query, allowed, count, nil, scratches).filter { !known.contains($0.item) }
        return found + rest.prefix(count - found.count).map { Candidate(item: $0.item, score: nil, kind: .fill) }
    }

    private func listed(
        _ scores: [Int32: Double], _ order: [Int32], _ kind: Candidate.Kind, _ allowed: RowBitmap?, _ count: Int
    ) -> [Candidate] {
        var found: [Candidate] = []
        for item in order where found.count < count {
            if let allowed, item < 0 || Int(item) >= allowed.count || !allowed[Int(item)] { continue }
            // Items that fill the list behind the counted ones are the newest.
            found.append(Candidate(item: item, score: scores[item], kind: scores[item] == nil ? .newest : kind))
        }
        return found
    }
}
