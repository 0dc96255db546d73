/// What a part of a blend that is the same for everybody has in a model's scores, for explanations.
struct LevelShare: Sendable {
    private let weight: Float
    private let returnWeight: Float
    private let listWeight: Float
    /// For items without events; nil where these are scored as all others.
    private let coldWeight: Float?
    private let events: MappedArray<Float>
    private let levels: MappedArray<Float>

    /// Nil for a model whose blend does not hold the ingredient.
    init?(_ ingredient: Ingredient, opening file: ModelFile, _ header: ModelHeader) throws(ModelError) {
        let entries = try BlendWeights(header).entries
        guard let place = entries.firstIndex(where: { $0.ingredient == ingredient }) else { return nil }
        (weight, returnWeight, listWeight) = (entries[place].weight, entries[place].returnWeight, entries[place].listWeight)
        coldWeight = entries.contains { $0.coldWeight > 0 } ? entries[place].coldWeight : nil
        events = header.popularityEvents
        levels = try file.floats("\(BlendRecipe.prefix(place)).levels", count: header.itemCount)
    }

    /// In units of the raw score; may be negative.
    func part(of row: Int32, in request: RankingRequest) -> Float {
        let usual =
            switch request.occasion {
            case .usual: weight
            case .returning: returnWeight
            case .list: listWeight
            }
        return (levels.at(Int(row)) ?? 0) * (events.at(Int(row)) == 0 ? coldWeight ?? usual : usual)
    }
}
