/// Which ingredients make a blend, with what weight on their normalized scores.
struct BlendChoice: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        var ingredient: Ingredient
        var rule: SourceRule
        var weight: Float
        /// Does it find rows, or only score what others find?
        var retrieves = true
        /// For items without events, in place of `weight`.
        var coldWeight: Float = 0
    }

    var entries: [Entry]
    /// Recorded in the model, by name.
    var properties: [String: String] = [:]
}
