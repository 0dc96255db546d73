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
        /// For users who come back after a pause, in place of `weight`; nil where these are not told apart.
        var returnWeight: Float?
        /// Within a list that is given, in place of `weight`; nil where none was learned for the entry.
        var listWeight: Float?
        /// Do events weigh by their values in its fit?
        var weighsValues = false

        var returnWeightOrUsual: Float { returnWeight ?? weight }
    }

    var entries: [Entry]
    /// Recorded in the model, by name.
    var properties: [String: String] = [:]
    /// Factors of the items, row-major, as they were fitted to be compared: where the fit on all the data begins. Empty where there are
    /// none, or too many to be kept.
    var itemFactors: [Float] = []

    static let maximumItemFactors = 1 << 23

    /// By what entries score, on every occasion that is told apart.
    var occasions: [KeyPath<Entry, Float>] {
        entries.contains { $0.returnWeight != nil } ? [\.weight, \.returnWeightOrUsual] : [\.weight]
    }

    /// The entries that score, with their fitted parts and their places among the entries; what was fitted otherwise is left out.
    ///
    /// - Parameter weight: the one that makes an entry score.
    func members(
        _ columns: [BlendColumn], by weight: KeyPath<Entry, Float> = \.weight
    ) -> [(ingredient: Ingredient, part: any BlendPart, weight: Float, place: Int)] {
        entries.enumerated().compactMap { place, entry in
            columns.first { $0.ingredient == entry.ingredient && $0.rule == entry.rule && entry[keyPath: weight] > 0 }
                .map { (entry.ingredient, $0.part, entry[keyPath: weight], place) }
        }
    }
}

/// A fitted ingredient with one of the ways to read a history.
typealias BlendColumn = (ingredient: Ingredient, rule: SourceRule, part: any BlendPart)
