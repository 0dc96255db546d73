import Foundation

/// Brings new items, with their popularity, into a model without learning anew: its weights stay as they are, byte for byte. Takes
/// about as long as counting the interactions.
///
/// New are items that the model has not learned, met by somebody or told of by metadata alone. What they are like is told by the
/// histories in which they stand: proxies of a new item are the learned items that its users met most, discounted by how many others
/// met them. What few histories leave open is filled by the learned items whose metadata is nearest.
/// - Parameter configuration: what the model was made with; its conditions on events hold for the new ones too.
public func update(
    _ model: Model, with data: TrainingData, _ configuration: FitConfiguration,
    progress: @escaping (Double, String) -> Bool = { _, _ in true }
) throws(FitError) -> FittedModel {
    let start = ContinuousClock.now
    let reporter = ProgressReporter(progress)
    try configuration.validate()
    try reporter.step(0, "Arranging interactions")
    let matrix = try InteractionMatrix(data, configuration)
    try reporter.step(0.3, "Looking for new items")
    let update = try ModelUpdate(
        model, matrix, data.itemMetadata, threads: configuration.threads, ProgressSpan(reporter: reporter, start: 0.3, end: 0.6))
    let mixtures = try update.mixtures(ProgressSpan(reporter: reporter, start: 0.6, end: 0.9))
    try reporter.step(0.9, "Writing the model")
    let bytes = ModelFormat.encode(update.sections(mixtures, configuration))
    try reporter.step(1, "Updated")
    return FittedModel(
        bytes: bytes,
        log: [
            "Added \(update.ids.count) items that the model had not learned, by \(matrix.eventCount) interactions of \(matrix.userCount) "
                + "users; the weights of its \(model.learnedCount) learned items are unchanged.",
            "Model of \(bytes.count) bytes in \(decimals(seconds(since: start), 2)) s.",
        ],
        itemCount: model.learnedCount + update.ids.count, userCount: matrix.userCount, interactionCount: matrix.eventCount,
        duration: ContinuousClock.now - start)
}
