/// What a model answered to the queries of a split.
public struct OfflineLists: Sendable {
    /// Queries × depth; -1 where a list is shorter.
    public var items: [Int32]
    /// Queries × `ListMetric.all`.
    public var scores: [Float]
}

extension EvaluationSplit {
    /// Asks the model every query and scores the lists against the truth. Items are ranked in full.
    public func ask(
        _ model: Model, _ data: TrainingData, catalog: CatalogProfile, threads: Int,
        progress: @escaping (Double) -> Bool = { _ in true }
    ) throws(FitError) -> OfflineLists {
        let depth = ListMetric.depth
        let width = ListMetric.all.count
        var items = [Int32](repeating: -1, count: queries.count * depth)
        var scores = [Float](repeating: 0, count: queries.count * width)
        let attributes = model.usesSituation ? UserAttributes(data.userMetadata) : nil
        let needsItem = model.recipe.description.needs.contains(.itemId)
        var failure: FitError?
        items.withUnsafeMutableBufferPointer { items in
            scores.withUnsafeMutableBufferPointer { scores in
                guard let itemBase = items.baseAddress, let scoreBase = scores.baseAddress else { return }
                let (lists, rows) = (SharedBuffer(pointer: itemBase), SharedBuffer(pointer: scoreBase))
                do throws(FitError) {
                    try ListRanking(model, threads: threads).run(
                        count: queries.count, request: { self.request($0, data, needsItem: needsItem, attributes) },
                        answered: { index, result in
                            let listed = result.items.prefix(depth).map(\.item)
                            for (place, item) in listed.enumerated() { lists.pointer[index * depth + place] = item }
                            for (column, score) in catalog.scores(listed, truth: queries[index].truth).enumerated() {
                                rows.pointer[index * width + column] = score
                            }
                        }, progress: progress)
                } catch { failure = error }
            }
        }
        if let failure { throw failure }
        return OfflineLists(items: items, scores: scores)
    }

    private func request(
        _ index: Int, _ data: TrainingData, needsItem: Bool, _ attributes: UserAttributes?
    ) -> RankingRequest {
        let history = history(of: queries[index], in: data)
        var request = RankingRequest(
            history: history, item: needsItem ? history.last?.item : nil, candidates: candidates, count: ListMetric.depth,
            excludeHistory: removesSeen, keepsHistory: !removesSeen)
        request.moment = queries[index].firstEvent.map { data.timestamps[Int($0)] }
        if let attributes {
            request.attributes = attributes.attributes(of: queries[index].user)
            if let event = queries[index].firstEvent { request.context = data.context(of: Int(event)) }
        }
        return request
    }
}

extension OfflineLists {
    /// Lists from elsewhere, scored against the truth of the same place.
    public init(_ lists: [[Int32]], truth: [[Int32]], catalog: CatalogProfile) {
        let depth = ListMetric.depth
        items = []
        scores = []
        items.reserveCapacity(lists.count * depth)
        for (list, relevant) in zip(lists, truth) {
            let listed = list.prefix(depth)
            items += listed
            items += repeatElement(-1, count: depth - listed.count)
            scores += catalog.scores(listed, truth: relevant)
        }
    }
}
