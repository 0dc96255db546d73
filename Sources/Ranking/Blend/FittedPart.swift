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
            var parts: [any BlendPart] = []
            for rule in rules {
                parts.append(
                    try ingredient.open(file, prefix: prefix, rule: rule, itemCount: itemCount, properties: properties))
            }
            let byteCount = sections.reduce(0) { $0 + $1.bytes.count }
            return OpenedPart(ingredient: ingredient, rules: rules, parts: parts, file: file, byteCount: byteCount)
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
}
