/// The objective's part of a model's scores, for explanations: the same for everybody.
struct ObjectivePart: Sendable {
    /// Name of the attribute.
    let attribute: String
    private let weight: Float
    /// For items without events; nil where these are scored as all others.
    private let coldWeight: Float?
    private let popularity: MappedArray<Float>
    private let levels: MappedArray<Float>

    /// Nil for a model whose blend holds none.
    init?(opening file: ModelFile, _ header: ModelHeader) throws(ModelError) {
        let place = (0..<BlendRecipe.maximumParts).first { header.properties["blend.\($0)"] == Ingredient.objective.rawValue }
        guard let place, let attribute = header.properties["objective"] else { return nil }
        self.attribute = attribute
        weight = try header.number("blend.\(place).weight")
        popularity = header.popularityEvents
        let isCold = header.properties["blend.\(place).cold_weight"] != nil
        coldWeight = isCold ? try header.number("blend.\(place).cold_weight") : nil
        levels = try file.floats("\(BlendRecipe.prefix(place)).levels", count: header.itemCount)
    }

    /// In units of the raw score; negative where the attribute is below its mean.
    func part(of row: Int32) -> Float {
        let weight = popularity.at(Int(row)) == 0 ? coldWeight ?? weight : weight
        return (levels.at(Int(row)) ?? 0) * weight
    }
}
