extension BlendRecipe {
    /// Rows kept in order for what says the same to everybody: twice what the deepest request wants, twice over for filters.
    private static let leaderLimit = 8192

    /// Opens the inverted lists of every part that finds rows by vectors.
    static func openLists(_ file: ModelFile, _ members: inout [BlendScorer.Member]) throws(ModelError) {
        var best = BestRows()
        for index in members.indices where members[index].retrieves {
            if let part = members[index].part as? any VectorPart {
                members[index].lists = try InvertedLists(
                    opening: file, prefix: prefix(index), itemCount: part.vectors.itemCount, dimensions: part.vectors.dimensions)
            } else if let part = members[index].part as? PopularityPart, let levels = part.levels.base {
                let found = best.pick(min(leaderLimit, part.levels.count), of: levels, count: part.levels.count, isOrdered: true)
                members[index].leaders = Array(best.rows[..<found])
            }
        }
    }

    /// Sorts the vectors of the parts that find rows by them into inverted lists, where there are many items, and measures what a
    /// request finds by reading few of them.
    ///
    /// The queries are those of users without the newer half of their events: histories that the vectors were not fitted to.
    func sortIntoLists(
        _ matrix: InteractionMatrix, _ weighting: HistoryWeights, _ configuration: FitConfiguration, _ plan: BlendPlan,
        _ span: ProgressSpan,
        into draft: inout ModelDraft
    ) throws(FitError) {
        guard matrix.itemCount > configuration.listThreshold else { return }
        let indexed = scorer.members.indices.filter { scorer.members[$0].retrieves && scorer.isVectors($0) }
        guard !indexed.isEmpty else { return draft.log.append("No inverted lists: no part with vectors finds rows.") }
        let needed = indexed.reduce(0) { sum, index in
            guard let part = scorer.members[index].part as? any VectorPart else { return sum }
            return sum
                + InvertedListsFit.peakBytes(
                    items: part.vectors.itemCount, dimensions: part.vectors.dimensions, threads: configuration.threads)
        }
        guard needed <= plan.listBytes else {
            return draft.log.append("No inverted lists: they would not fit the memory budget. All items are looked at.")
        }
        try span.reporter.step(span.start, "Sorting vectors into lists")
        let fit = InvertedListsFit(seed: configuration.seed, threads: configuration.threads)
        var sections: [SectionContent] = []
        for (place, index) in indexed.enumerated() {
            guard let part = scorer.members[index].part as? any VectorPart else { continue }
            let stretch = span.part(0.6 * Double(place) / Double(indexed.count), 0.6 * Double(place + 1) / Double(indexed.count))
            sections += try fit.fit(part.vectors, prefix: Self.prefix(index), stretch)
        }
        try span.reporter.step(span.share(0.6), "Measuring what lists find")
        let users = matrix.usersEvenly(ProbeSelection.queries)
        let file: ModelFile
        var listed = scorer
        do throws(ModelError) {
            file = try ModelFile(ModelBytes(ModelFormat.encode(sections)))
            try Self.openLists(file, &listed.members)
        } catch { throw .unusableData(error.message) }
        let count = listed.members.reduce(0) { max($0, $1.lists?.listCount ?? 0) }
        let selection = ProbeSelection(
            itemCount: matrix.itemCount, listCount: count, queryCount: users.count, threads: configuration.threads)
        let result = try selection.choose(span.part(0.6, 1), makeWorker: listed.askingHalves(of: users, matrix, weighting))
        withExtendedLifetime(file) {}
        draft.take(sections, count: count, result.steps, refused: result.refused, queries: users.count)
    }
}

extension BlendScorer {
    /// Asks for what follows the older half of users' events.
    fileprivate func askingHalves(
        of users: [Int], _ matrix: InteractionMatrix, _ weighting: HistoryWeights
    ) -> @Sendable () -> ProbeSelection.Asking {
        let listed = self
        return {
            var scorer = listed
            var scratch = RankingScratch()
            return { query, depth, lists in
                matrix.collectHistory(users[query], weighting, share: 0.5, into: &scratch.history)
                for index in scratch.spaces.indices { scratch.spaces[index].lists.itemsRead = 0 }
                scorer.probes = lists.map { ListProbes(steps: [.init(depth: depth, lists: $0)]) }
                let entries = scorer.newEntries(depth, &scratch)
                let read = scratch.spaces.reduce(0) { $0 + $1.lists.itemsRead }
                return ProbeSelection.Answer(scores: entries.map(\.score), itemsRead: read)
            }
        }
    }
}

extension InteractionMatrix {
    /// At most `limit` users with two events and more, spread evenly.
    fileprivate func usersEvenly(_ limit: Int) -> [Int] {
        let users = (0..<userCount).filter { offsets[$0 + 1] - offsets[$0] >= 2 }
        let count = min(limit, users.count)
        return (0..<count).map { users[$0 * users.count / count] }
    }
}
