import Foundation

/// What makes one user more likely than another to interact with a target, and how much each of it counts. Learned on
/// held-out events; the scores that come out rank users.
struct AudienceWeights: Sendable, Equatable {
    /// In the order of `AudienceFeatures`: affinity, past, activity, staleness.
    var values: SIMD4<Float>

    private static let names = ["affinity", "past", "activity", "staleness"]

    /// Where nothing can be measured: users interact in proportion to their activity, and with items as the blend's own
    /// shares of them say.
    static func standard(sharpness: Float) -> AudienceWeights { AudienceWeights(values: [sharpness, 0, 1, 0]) }

    /// The most active users first, whatever is asked for: what a segment has to beat.
    static let activity = AudienceWeights(values: [0, 0, 1, 0])

    init(values: SIMD4<Float>) { self.values = values }

    init(_ header: ModelHeader) throws(ModelError) {
        var values = SIMD4<Float>()
        for (index, name) in Self.names.enumerated() { values[index] = try header.number("audience.\(name)") }
        self.values = values
    }

    func record(in draft: inout ModelDraft) {
        for (index, name) in Self.names.enumerated() { draft.set("audience.\(name)", values[index]) }
    }

    func score(_ features: SIMD4<Float>) -> Float { (values * features).sum() }

    var sentence: String {
        zip(Self.names, 0..<4).map { "\($0) \(decimals(Double(values[$1]), 2))" }.joined(separator: ", ")
    }
}

/// What segments are asked for, in model rows.
struct AudienceTarget: Sendable {
    /// Ascending, at least one.
    var rows: [Int32]
    /// Share of all events that fell on these rows.
    var share: Float
    /// One item asked for by its id, rather than items by their attributes.
    var isItem: Bool
}

/// Describes one user towards targets, as four numbers:
///
/// affinity: the blend's score of the item; for attributes 1 / k ln mean exp(k score) over the items, the soft maximum under
/// which the items' shares of a request add up. Past: has the user met the item; for attributes ln of the history's share of
/// such items over their share of all events, with the weight of one event as prior. Activity: ln of the distinct items met.
/// Staleness: ln(1 + days since the user's newest event).
struct AudienceFeatures {
    private let recipe: SegmentRecipe
    private let targets: [AudienceTarget]
    private var scratch = RankingScratch()
    /// Per target: place in the pool of each of its rows.
    private var places: [[Int32]] = []
    private var isHeld: [Bool]

    init(_ recipe: SegmentRecipe, _ targets: [AudienceTarget]) {
        self.recipe = recipe
        self.targets = targets
        isHeld = []
        scratch.pool.clear(itemCount: recipe.itemCount)
        places = targets.map { target in target.rows.map { Int32(scratch.pool.add($0)) } }
        isHeld = [Bool](repeating: false, count: scratch.pool.count)
    }

    /// One vector per target, for one user.
    mutating func describe(_ user: Int) -> [SIMD4<Float>] {
        recipe.histories.collect(user, itemCount: recipe.itemCount, recipe.weighting, into: &scratch.history)
        for index in 0..<scratch.pool.count { scratch.pool.scores[index] = 0 }
        _ = recipe.blend.score(RankingRequest(candidates: []), wanted: 0, &scratch)
        let total = scratch.history.flatWeights.reduce(0, +)
        let activity = logf(Float(max(1, scratch.history.count)))
        let staleness = logf(1 + max(0, recipe.histories.age(of: user)))
        for index in isHeld.indices { isHeld[index] = scratch.history.place(of: scratch.pool.rows[index]) != nil }
        return zip(targets, places).map { target, places in
            let affinity = affinity(places, target)
            let past = past(places, target, total: total)
            return [affinity.isFinite ? affinity : 0, past, activity, staleness]
        }
    }

    private func affinity(_ places: [Int32], _ target: AudienceTarget) -> Float {
        if target.isItem { return scratch.pool.scores[Int(places[0])] }
        var highest = -Float.infinity
        for place in places where !passesOver(place) { highest = max(highest, scratch.pool.scores[Int(place)]) }
        // Who has met them all does not come back to any.
        guard highest > -.infinity else { return Self.leastAffinity }
        var sum: Float = 0
        for place in places where !passesOver(place) {
            sum += expf(recipe.sharpness * (scratch.pool.scores[Int(place)] - highest))
        }
        return max(Self.leastAffinity, highest + logf(sum / Float(places.count)) / recipe.sharpness)
    }

    /// Items of the history do not speak for attributes where users do not come back to items.
    private func passesOver(_ place: Int32) -> Bool { recipe.demotesHistory && isHeld[Int(place)] }

    private func past(_ places: [Int32], _ target: AudienceTarget, total: Float) -> Float {
        if target.isItem { return isHeld[Int(places[0])] ? 1 : 0 }
        var met: Float = 0
        for place in places where isHeld[Int(place)] {
            if let index = scratch.history.place(of: scratch.pool.rows[Int(place)]) { met += scratch.history.flatWeights[index] }
        }
        let share = max(target.share, 1e-6)
        return logf((met + share) / (total + 1) / share)
    }

    /// Scores are about 1 at their best; far below any of them.
    private static let leastAffinity: Float = -10
}
