/// One ingredient, fitted.
struct FittedPart: Sendable {
    var ingredient: Ingredient
    var sections: [SectionContent]
    /// Ways to read a history that are worth comparing; the first is the usual one.
    var rules: [SourceRule]
    /// The loss after each round, where the fit goes by rounds.
    var losses: [Double] = []

    /// The part as it will be served, on memory of its own.
    func opened(prefix: String, itemCount: Int, properties: [String: String]) throws(FitError) -> OpenedPart {
        do throws(ModelError) {
            let file = try ModelFile(ModelBytes(ModelFormat.encode(sections)))
            let byteCount = sections.reduce(0) { $0 + $1.bytes.count }
            let opened = OpenedPart(ingredient: ingredient, rules: rules, parts: [], file: file, byteCount: byteCount)
            return try opened.again(as: ingredient, prefix: prefix, itemCount: itemCount, properties: properties)
        } catch { throw .unusableData(error.message) }
    }
}

/// A fitted ingredient on its own memory, once for every way to read a history.
struct OpenedPart: Sendable {
    var ingredient: Ingredient
    var rules: [SourceRule]
    var parts: [any BlendPart]
    /// Keeps the memory.
    var file: ModelFile
    var byteCount: Int

    /// The same memory, read by another ingredient.
    func again(
        as ingredient: Ingredient, prefix: String, itemCount: Int, properties: [String: String]
    ) throws(ModelError) -> OpenedPart {
        var other = self
        other.ingredient = ingredient
        other.rules = ingredient.rules(rules)
        other.parts = []
        for rule in other.rules {
            other.parts.append(try ingredient.open(file, prefix: prefix, rule: rule, itemCount: itemCount, properties: properties))
        }
        return other
    }

    /// Of implicit ALS, the items' factors.
    var itemVectors: ItemVectors? { ingredient == .factors ? (parts.first as? FactorPart)?.vectors : nil }
}
