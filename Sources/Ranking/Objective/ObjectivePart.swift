/// The objective's part of a model's scores, for explanations: the same for everybody.
struct ObjectivePart: Sendable {
    /// Name of the attribute.
    let attribute: String
    private let weight: Float
    private let levels: MappedArray<Float>

    /// Nil for a model whose blend holds none.
    init?(opening file: ModelFile, _ header: ModelHeader) throws(ModelError) {
        let place = (0..<BlendRecipe.maximumParts).first { header.properties["blend.\($0)"] == Ingredient.objective.rawValue }
        guard let place, let attribute = header.properties["objective"] else { return nil }
        self.attribute = attribute
        weight = try header.number("blend.\(place).weight")
        levels = try file.floats("\(BlendRecipe.prefix(place)).levels", count: header.itemCount)
    }

    /// In units of the raw score; negative where the attribute is below its mean.
    func part(of row: Int32) -> Float { (levels.at(Int(row)) ?? 0) * weight }
}
