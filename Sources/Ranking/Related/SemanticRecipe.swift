/// Related items by their texts and other metadata alone; interactions are not needed and only count for popularity.
struct SemanticRecipe: Recipe {
    private let inner: NeighborRecipe
    var kind: RankedItem.Kind { inner.kind }
    var normalization: ScoreNormalization { inner.normalization }

    static var takesCatalog: Bool { true }
    static var needsEvents: Bool { false }

    init(opening file: ModelFile, _ header: ModelHeader) throws(ModelError) { inner = try NeighborRecipe(opening: file, header) }

    func score(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) -> Bool {
        inner.score(request, wanted: wanted, &scratch)
    }

    func parts(of row: Int32, _ request: RankingRequest, _ scratch: inout RankingScratch) -> [(item: Int32, part: Float)] {
        inner.parts(of: row, request, &scratch)
    }

    static func memoryEstimate(items: Int, users: Int, events: Int, _ configuration: FitConfiguration) -> Int {
        NeighborRecipe.memoryEstimate(items: items, users: users, events: events, configuration)
    }

    static func fit(
        _ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ span: ProgressSpan, into draft: inout ModelDraft
    ) throws(FitError) {
        try span.reporter.step(span.start, "Comparing items by metadata")
        let features = matrix.itemMetadata.map { FeatureRows($0, itemIDs: matrix.itemIDs) }
        guard let features, features.featureCount > 0 else {
            throw .unusableData("No metadata tells items apart: an Items dataset with texts is needed.")
        }
        let content = ContentFit(
            features: features, limit: NeighborLists.limit(itemCount: matrix.itemCount), threads: configuration.threads)
        let lists = try content.likeness(targets: Array(0..<Int32(matrix.itemCount)), span)
        draft.log.append("Likeness by \(features.featureCount) features: \(lists.rows.count) pairs.")
        draft.sections += SectionContent.lists("related", lists)
    }
}
