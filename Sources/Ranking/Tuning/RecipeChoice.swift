/// Which recipe suits the data best.
public enum RecipeChoice {
    /// By the names of the contract's metrics; the first is the usual one.
    public static let metrics = [
        "normalized_discounted_cumulative_gain_at_25", "normalized_discounted_cumulative_gain_at_10",
        "normalized_discounted_cumulative_gain_at_5", "mean_reciprocal_rank_at_25", "precision_at_5", "precision_at_10",
        "precision_at_25", "coverage",
    ]
}

/// Judges every configuration on the same held-out users, none of which the final evaluation uses, and gives the index of the best; the
/// first one where they are equal. There must be at least one.
public func choose(
    among configurations: [FitConfiguration], for data: TrainingData, by metric: String? = nil,
    progress: @escaping (Double, String) -> Bool = { _, _ in true }
) throws(FitError) -> (index: Int, log: [String]) {
    guard let first = configurations.first else { throw .unusableData("There is no recipe to choose from.") }
    guard configurations.count > 1 else { return (0, ["The only recipe to choose from is \(first.recipe.rawValue)."]) }
    let metric = metric ?? RecipeChoice.metrics[0]
    let visible = try Holdout(data, first).training
    let span = ProgressSpan(reporter: ProgressReporter(progress), start: 0, end: 1)
    var best = (index: 0, quality: -1.0)
    var log: [String] = []
    for (index, given) in configurations.enumerated() {
        var configuration = given
        // Another seed than the final evaluation's draws other users.
        configuration.seed &+= 1
        let count = Double(configurations.count)
        let evaluation = try evaluate(visible, configuration, span.part(Double(index) / count, Double(index + 1) / count))
        let quality = evaluation.metrics[metric] ?? 0
        log.append("\(given.recipe.rawValue): \(metric) \(decimals(quality, 4)) on validation users.")
        if quality > best.quality { best = (index, quality) }
    }
    log.append("Chosen: \(configurations[best.index].recipe.rawValue).")
    return (best.index, log)
}
