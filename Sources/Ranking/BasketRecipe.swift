/// What is bought together: items that share baskets, strongest first, and behind them items that share buyers at different times.
struct BasketRecipe: Recipe {
    let kind = RankedItem.Kind.related
    let normalization = ScoreNormalization.share
    private let pairs: NeighborRecipe

    /// Seconds without a purchase after which the next one begins another basket: half an hour, which web analytics takes as the end of
    /// a session. Purchases of one order carry one time or nearly so.
    static let sessionGap: Int64 = 1800
    /// Fewer common baskets or buyers are chance.
    private static let minimumCount = 2

    static func fit(
        _ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ span: ProgressSpan, into draft: inout ModelDraft
    ) throws(FitError) {
        let fit = CointeractionFit(
            popularityDiscount: 0.5, minimumCount: minimumCount, shrinkage: NeighborRecipe.shrinkage, threads: configuration.threads)
        let baskets = matrix.baskets(gap: sessionGap)
        try span.reporter.step(span.start, "Comparing items over \(baskets.rowCount) baskets")
        let together = try fit.fit(baskets, itemCount: matrix.itemCount, span.part(0, 0.5))
        try span.reporter.step(span.share(0.5), "Comparing items over \(matrix.userCount) buyers")
        let buyers = try fit.fit(matrix.baskets(gap: .max), itemCount: matrix.itemCount, span.part(0.5, 1))
        draft.log.append(
            "Found \(together.rows.count) pairs in \(baskets.rowCount) baskets of two items or more, "
                + "and \(buyers.rows.count) pairs by common buyers to fill short lists.")
        draft.sections += SectionContent.lists(
            "related", together.filled(from: buyers, limit: NeighborLists.limit(itemCount: matrix.itemCount)))
    }

    static func memoryEstimate(items: Int, users: Int, events: Int, _ configuration: FitConfiguration) -> Int {
        2 * NeighborRecipe.memoryEstimate(items: items, users: users, events: events, configuration)
    }

    init(opening file: ModelFile, _ header: ModelHeader) throws(ModelError) { pairs = try NeighborRecipe(opening: file, header) }

    func score(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) -> Bool {
        pairs.score(request, wanted: wanted, &scratch)
    }

    func parts(of row: Int32, _ request: RankingRequest, _ scratch: inout RankingScratch) -> [(item: Int32, part: Float)] {
        pairs.parts(of: row, request, &scratch)
    }
}

extension InteractionMatrix {
    /// The distinct items of each user's runs of events without a pause of more than `gap` seconds; runs of a single item say nothing of
    /// pairs and are left out. A basket keeps its newest 500 events.
    func baskets(gap: Int64) -> SparseRows {
        var result = SparseRows()
        for user in 0..<userCount {
            var start = offsets[user]
            for position in offsets[user]..<offsets[user + 1] {
                let isLast = position + 1 == offsets[user + 1]
                guard isLast || isPause(timestamps[position], timestamps[position + 1], gap) else { continue }
                let basket = Set(items[max(start, position + 1 - 500)...position]).sorted()
                start = position + 1
                guard basket.count > 1 else { continue }
                result.columns += basket
                result.values += repeatElement(1, count: basket.count)
                result.offsets.append(result.columns.count)
            }
        }
        return result
    }

    private func isPause(_ earlier: Int64, _ later: Int64, _ gap: Int64) -> Bool {
        let (pause, isOverflown) = later.subtractingReportingOverflow(earlier)
        return isOverflown ? gap < .max : pause > gap
    }
}

extension NeighborLists {
    /// Each list, followed by what another has besides, in the other's order and below the list's least strength.
    func filled(from other: NeighborLists, limit: Int) -> NeighborLists {
        var result = NeighborLists()
        for item in 0..<offsets.count - 1 {
            let own = Int(offsets[item])..<Int(offsets[item + 1])
            let more = Int(other.offsets[item])..<Int(other.offsets[item + 1])
            result.rows += rows[own]
            result.strengths += strengths[own]
            let known = Set(rows[own])
            let scale = (strengths[own].last ?? 1) / 2 / max(other.strengths[more].first ?? 1, .leastNormalMagnitude)
            for place in more where !known.contains(other.rows[place]) && result.rows.count - Int(result.offsets[item]) < limit {
                result.rows.append(other.rows[place])
                result.strengths.append(other.strengths[place] * scale)
            }
            result.offsets.append(UInt32(result.rows.count))
        }
        return result
    }
}
