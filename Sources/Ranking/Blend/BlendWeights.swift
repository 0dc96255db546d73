/// What a model file says of its blend; nothing where the model is none.
struct BlendWeights {
    struct Entry {
        var ingredient: Ingredient
        var rule: SourceRule
        var weight: Float
        var coldWeight: Float
        /// For users who come back after a pause, in place of `weight`.
        var returnWeight: Float
        /// Within a list that was given, in place of `weight`.
        var listWeight: Float
        var retrieves: Bool
    }

    private(set) var entries: [Entry] = []
    /// What a given list makes of a weight that was not learned for such; nil where lists are ranked as everything is.
    private(set) var listScale: Float?
    /// Where parts only score, so many times the rows that are wanted are found for them.
    let poolFactor: Double

    static let poolFactorProperty = "blend.pool_factor"
    static let poolFactors = 1.0...8.0

    init(_ header: ModelHeader) throws(ModelError) {
        let pool = try header.properties[Self.poolFactorProperty] == nil ? 1 : Double(header.number(Self.poolFactorProperty))
        guard Self.poolFactors.contains(pool) else { throw .damaged("its blend has an impossible pool") }
        poolFactor = pool
        var learned: (list: Float, plain: Float) = (0, 0)
        var unlearned: [Int] = []
        while let name = header.properties["blend.\(entries.count)"] {
            let place = entries.count
            guard place < BlendRecipe.maximumParts else { throw .damaged("its blend has more than \(BlendRecipe.maximumParts) parts") }
            let key = "blend.\(place)"
            guard let ingredient = Ingredient(rawValue: name), let rule = SourceRule(header.properties["\(key).sources"] ?? "")
            else { throw .damaged("part \(place) of its blend is unknown") }
            func optional(_ name: String) throws(ModelError) -> Float? {
                header.properties["\(key).\(name)"] == nil ? nil : try header.number("\(key).\(name)")
            }
            let weight = try header.number("\(key).weight")
            let (cold, list) = (try optional("cold_weight") ?? 0, try optional("list_weight"))
            let returning = try optional("return_weight") ?? weight
            guard weight >= 0, cold >= 0, list ?? 0 >= 0, returning >= 0 else {
                throw .damaged("part \(place) of its blend has a negative weight")
            }
            if let list { learned = (learned.list + list, learned.plain + weight) } else { unlearned.append(place) }
            entries.append(
                Entry(
                    ingredient: ingredient, rule: rule, weight: weight, coldWeight: cold, returnWeight: returning,
                    listWeight: list ?? weight,
                    retrieves: header.properties["\(key).retrieves"] != "false"))
        }
        guard learned.list > 0, learned.plain > 0 else { return }
        let scale = learned.list / learned.plain
        listScale = scale
        for place in unlearned { entries[place].listWeight *= scale }
    }
}
