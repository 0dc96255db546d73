/// Which ingredients make a blend, with what weight on their normalized scores.
struct BlendChoice: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        var ingredient: Ingredient
        var rule: SourceRule
        var weight: Float
    }

    var entries: [Entry]
    /// Recorded in the model, by name.
    var properties: [String: String] = [:]
}
