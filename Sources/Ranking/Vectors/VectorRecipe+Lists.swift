extension VectorRecipe {
    /// Sorts a draft's vectors into inverted lists, and measures what a request finds by reading few of them: on imported users,
    /// spread evenly, or on as many items where there are no users.
    static func sortIntoLists(_ draft: inout ModelDraft, threads: Int, _ span: ProgressSpan) throws(FitError) {
        let file: ModelFile
        let recipe: VectorRecipe
        do throws(ModelError) {
            file = try ModelFile(ModelBytes(draft.encoded()))
            recipe = try VectorRecipe(opening: file, try ModelHeader(file))
        } catch { throw .unusableData(error.message) }
        try recipe.sortIntoLists(&draft, threads: threads, span)
        withExtendedLifetime(file) {}
    }

    private func sortIntoLists(_ draft: inout ModelDraft, threads: Int, _ span: ProgressSpan) throws(FitError) {
        try span.reporter.step(span.start, "Sorting vectors into lists")
        let items = vectors.itemCount
        let sections = try InvertedListsFit(seed: 0, threads: threads).fit(vectors, prefix: "vectors", span.part(0, 0.6))
        let file: ModelFile
        let lists: InvertedLists
        do throws(ModelError) {
            file = try ModelFile(ModelBytes(ModelFormat.encode(sections)))
            lists = try InvertedLists(opening: file, prefix: "vectors", itemCount: items, dimensions: vectors.dimensions)
        } catch { throw .unusableData(error.message) }
        var listed = self
        listed.lists = lists
        try span.reporter.step(span.share(0.6), "Measuring what lists find")
        let count = min(ProbeSelection.queries, queryCount)
        let selection = ProbeSelection(itemCount: items, listCount: lists.listCount, queryCount: count, threads: threads)
        let result = try selection.choose(span.part(0.6, 1), makeWorker: listed.asking(of: count))
        withExtendedLifetime(file) {}
        draft.take(sections, count: lists.listCount, result.steps, refused: result.refused, queries: count)
    }

    /// Vectors that can be asked for.
    private var queryCount: Int { users.count > 0 ? users.count / vectors.dimensions : vectors.itemCount }

    private func asking(of count: Int) -> @Sendable () -> ProbeSelection.Asking {
        let listed = self
        return {
            var recipe = listed
            var scratch = RankingScratch()
            scratch.spaces = [PartSpace()]
            return { query, depth, lists in
                scratch.spaces[0].query = listed.query(query * listed.queryCount / count)
                scratch.spaces[0].lists.itemsRead = 0
                scratch.pool.clear(itemCount: listed.vectors.itemCount)
                recipe.probes = lists.map { ListProbes(steps: [.init(depth: depth, lists: $0)]) }
                let wanted = Model.rowsWanted(depth, historyCount: 0)
                recipe.retrieve(RankingRequest(), needed: depth, atLeast: wanted, &scratch)
                recipe.rescore(&scratch)
                return ProbeSelection.Answer(
                    scores: Array(scratch.pool.scores.sorted(by: >).prefix(depth)), itemsRead: scratch.spaces[0].lists.itemsRead)
            }
        }
    }

    private func query(_ number: Int) -> [Float] {
        let d = vectors.dimensions
        let values = users.count > 0 ? users.buffer : vectors.factors.buffer
        return Array(values[number * d..<(number + 1) * d])
    }
}
