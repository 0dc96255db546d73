import Foundation

/// How much users' attributes and the context of a request count: nothing, unless held-out events say otherwise.
struct SituationSelection {
    let split: ValidationSplit
    let effects: SituationEffects
    private let attributes: UserAttributes
    /// Keeps the memory of the effects.
    private let file: ModelFile

    /// Of the blend's weight, for one unit of the logarithm of events over expected events.
    private static let shares: [Float] = [0.1, 0.25, 0.5, 1, 2, 4]
    private static let newcomerWeights: [Float] = [0.25, 0.5, 0.75, 1]
    /// Newcomers asked at most.
    private static let newcomerLimit = 500

    /// Nil when the data has neither attributes nor context that could be learned from.
    init?(_ split: ValidationSplit) throws(FitError) {
        let training = split.training
        guard training.userMetadata != nil || !training.contexts.isEmpty, let sections = SituationFit(matrix: training).sections()
        else { return nil }
        self.split = split
        attributes = UserAttributes(training.userMetadata)
        do throws(ModelError) {
            file = try ModelFile(ModelBytes(ModelFormat.encode(sections)))
            guard let effects = try SituationEffects.open(file, itemCount: training.itemCount, properties: [:]) else { return nil }
            self.effects = effects
        } catch { throw .unusableData(error.message) }
    }

    /// Two more columns of a user's scores: what attributes add to each row, then what the context adds.
    func columns(_ user: ValidationSplit.User, rows: [Int32], _ space: inout [Float]) -> [Float] {
        let given = attributes.attributes(of: split.training.userIDs[user.row])
        return column(given, .user, rows, &space) + column(user.context, .context, rows, &space)
    }

    private func column(
        _ values: [String: String], _ source: SituationKeys.Source, _ rows: [Int32], _ space: inout [Float]
    ) -> [Float] {
        space = [Float](repeating: 0, count: split.training.itemCount)
        guard effects.add(values, source, weight: 1, to: &space) else { return [Float](repeating: 0, count: rows.count) }
        return rows.map { space[Int($0)] }
    }

    /// The weights as properties of a model; empty when nothing helps.
    func choose(_ search: BlendSearch, _ weights: [Float], log: inout [String]) throws(FitError) -> [String: String] {
        var properties: [String: String] = [:]
        let total = weights.reduce(0, +)
        var chosen = weights + [0, 0]
        chosen[weights.count] = try best(search, search.cases, chosen, at: weights.count, total, "The user's attributes", &log)
        let inContext = zip(split.users, search.cases).filter { !$0.0.truthInContext.isEmpty }.map { user, single in
            var single = single
            single.relevant = single.relevantInContext
            single.truthCount = user.truthInContext.count
            (single.gains, single.idealGains) = ([:], [])
            return single
        }
        if !inContext.isEmpty {
            chosen[weights.count + 1] = try best(search, inContext, chosen, at: weights.count + 1, total, "The context of a request", &log)
        }
        for (name, weight) in [("user", chosen[weights.count]), ("context", chosen[weights.count + 1])] where weight > 0 {
            properties["situation.\(name)_weight"] = "\(weight)"
        }
        if let weight = try newcomerWeight(&log) { properties["situation.newcomer_weight"] = "\(weight)" }
        return properties
    }

    private func best(
        _ other: BlendSearch, _ cases: [ValidationCase], _ weights: [Float], at place: Int, _ total: Float, _ what: String,
        _ log: inout [String]
    ) throws(FitError) -> Float {
        let search = BlendSearch(columns: [], cases: cases, threads: other.threads, span: other.span)
        var reached = try search.quality(weights).objective
        var best: Float = 0
        for share in Self.shares {
            var tried = weights
            tried[place] = share * total
            let objective = try search.quality(tried).objective
            if objective > reached, try search.gains(tried, over: weights) { (best, reached) = (tried[place], objective) }
        }
        log.append(
            best > 0 ? "\(what) moves items, with weight \(decimals(Double(best), 2))." : "\(what) tells nothing that the history does not."
        )
        return best
    }

    /// Popularity shifted by attributes and context, for those without a history; nil when plain popularity is as good.
    private func newcomerWeight(_ log: inout [String]) throws(FitError) -> Float? {
        let training = split.training
        let popularity = training.popularity().users.map { logf($0 + 0.5) }
        var cases: [ValidationCase] = []
        var space: [Float] = []
        for user in split.users.prefix(Self.newcomerLimit) {
            let all = (0..<Int32(training.itemCount)).map { $0 }
            let columns = columns(user, rows: all, &space)
            let effect = zip(columns.prefix(all.count), columns.suffix(all.count)).map { $0 + $1 }
            guard effect.contains(where: { $0 != 0 }) else { continue }
            let rows = Array(Set(Self.top(popularity) + Self.top(zip(popularity, effect).map { $0 + $1 }))).sorted()
            cases.append(
                ValidationCase(
                    rowCount: rows.count, relevant: rows.indices.filter { user.truth.contains(rows[$0]) }, truthCount: user.truth.count,
                    scores: rows.map { popularity[Int($0)] } + rows.map { effect[Int($0)] }))
        }
        guard cases.count >= BlendSelection.minimumUsers else { return nil }
        let search = BlendSearch(columns: [], cases: cases)
        let plain = try search.quality([1, 0])
        var best = (weight: Float(0), quality: plain)
        for weight in Self.newcomerWeights {
            let quality = try search.quality([1, weight])
            if quality.objective > best.quality.objective { best = (weight, quality) }
        }
        guard try search.gains([1, best.weight], over: [1, 0]) else { return nil }
        log.append(
            "Users without a history get what is popular with their likes: NDCG@10 \(decimals(best.quality.ndcg, 4)) instead of "
                + "\(decimals(plain.ndcg, 4)).")
        return best.weight
    }

    private static func top(_ values: [Float]) -> [Int32] {
        var best = BestRows()
        let found = best.pick(min(values.count, ValidationCase.depth), of: values, count: values.count, isOrdered: false)
        return Array(best.rows.prefix(found))
    }
}
