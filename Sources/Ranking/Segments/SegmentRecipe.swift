/// Users who are likely to interact with an item, or with items of given attributes: the personalization blend turned
/// around, over the histories of all users, which the model keeps.
struct SegmentRecipe: Recipe {
    let kind = RankedItem.Kind.personalized
    var normalization: ScoreNormalization { blend.normalization }
    let blend: BlendRecipe
    let histories: KeptHistories
    let attributes: AttributeTable
    var audience: AudienceWeights
    let weighting: HistoryWeights
    let demotesHistory: Bool
    let itemIDs: MappedArray<Int32>
    /// Events per row.
    private let events: MappedArray<Float>

    var itemCount: Int { itemIDs.count }
    var sharpness: Float { Self.sharpness(of: blend) }

    static func fit(
        _ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ span: ProgressSpan, into draft: inout ModelDraft
    ) throws(FitError) {
        var configuration = configuration
        // Segments look at every user, not at the best items.
        configuration.listThreshold = .max
        var done = 0.0
        if configuration.audience == nil {
            let learned = try AudienceFit(matrix, configuration).learn(span.part(0, 0.6))
            draft.log += learned.log
            (configuration.audience, configuration.blend) = (learned.weights, learned.blend)
            done = 0.6
        }
        try BlendRecipe.fit(matrix, configuration, span.part(done, 0.98), into: &draft)
        (configuration.audience ?? .standard(sharpness: 1)).record(in: &draft)
        draft.sections += KeptHistories.sections(matrix, keepsValues: configuration.number("value_confidence", 0) > 0)
        draft.sections += AttributeTable.sections(matrix.itemMetadata, itemIDs: matrix.itemIDs)
        try span.reporter.step(span.end, "Kept the histories of \(matrix.userCount) users")
    }

    /// On top of the blend: the kept histories, and the copy of the events that the weights are learned on.
    static func memoryEstimate(items: Int, users: Int, events: Int, _ configuration: FitConfiguration) -> Int {
        BlendRecipe.memoryEstimate(items: items, users: users, events: events, configuration) + events * 70 + users * 24
    }

    init(opening file: ModelFile, _ header: ModelHeader) throws(ModelError) {
        blend = try BlendRecipe(opening: file, header)
        histories = try KeptHistories(opening: file, itemCount: header.itemCount)
        attributes = try AttributeTable(opening: file, itemCount: header.itemCount)
        audience = try AudienceWeights(header)
        weighting = header.weighting
        demotesHistory = header.properties["demotes_history"] == "true"
        itemIDs = header.itemIDs
        events = header.popularityEvents
    }

    static func sharpness(of blend: BlendRecipe) -> Float {
        guard case .softmax(let sharpness) = blend.normalization else { return 1 }
        return sharpness
    }

    func score(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) -> Bool {
        blend.score(request, wanted: wanted, &scratch)
    }

    func parts(of row: Int32, _ request: RankingRequest, _ scratch: inout RankingScratch) -> [(item: Int32, part: Float)] {
        blend.parts(of: row, request, &scratch)
    }

    func target(_ query: SegmentQuery) throws(SegmentRefusal) -> AudienceTarget {
        switch query {
        case .item(let item):
            guard let row = firstRow(of: item, in: itemIDs.buffer) else {
                throw SegmentRefusal("The model was not trained on this item.")
            }
            return target([Int32(row)], isItem: true)
        case .attributes(let query): return target(try attributes.rows(matching: query), isItem: false)
        }
    }

    private func target(_ rows: [Int32], isItem: Bool) -> AudienceTarget {
        let all = events.buffer.reduce(Double(0)) { $0 + Double($1) }
        let these = rows.reduce(Double(0)) { $0 + Double(events.at(Int($1)) ?? 0) }
        return AudienceTarget(rows: rows, share: all > 0 ? Float(these / all) : 0, isItem: isItem)
    }
}
