/// What a part of a blend that is the same for everybody has in a model's scores, for explanations.
struct LevelShare: Sendable {
    private let weight: Float
    private let levels: MappedArray<Float>

    /// Nil for a model whose blend does not hold the ingredient.
    init?(_ ingredient: Ingredient, opening file: ModelFile, _ header: ModelHeader) throws(ModelError) {
        let place = (0..<BlendRecipe.maximumParts).first { header.properties["blend.\($0)"] == ingredient.rawValue }
        guard let place else { return nil }
        weight = try header.number("blend.\(place).weight")
        levels = try file.floats("\(BlendRecipe.prefix(place)).levels", count: header.itemCount)
    }

    /// In units of the raw score; may be negative.
    func part(of row: Int32) -> Float { (levels.at(Int(row)) ?? 0) * weight }
}
