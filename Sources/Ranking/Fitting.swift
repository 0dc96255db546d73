import Foundation

/// What a fit gives: the bytes of a model file and what to tell people.
public struct FittedModel: Sendable {
    /// The whole file, ready to be written as it is.
    public var bytes: [UInt8]
    /// Offline metrics by the contract's names; empty unless `fitAndEvaluate` made the model.
    public var metrics: [String: Double] = [:]
    /// What lists for held-out users are like; as above.
    public var figures: ListFigures?
    /// Of the metrics that are means over held-out users.
    public var samplingErrors: [String: SamplingError] = [:]
    /// Sentences for the training log, in order.
    public var log: [String]
    public var itemCount: Int
    public var userCount: Int
    /// Events that were learned from.
    public var interactionCount: Int
    public var duration: Duration
    /// What a blend is made of; nil for other recipes.
    var blend: BlendChoice?

    /// Hands the file over in pieces of at most `chunkBytes`, in order.
    public func write(chunkBytes: Int = 1 << 20, to sink: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try bytes.withUnsafeBytes { buffer in
            for start in stride(from: 0, to: buffer.count, by: max(1, chunkBytes)) {
                try sink(UnsafeRawBufferPointer(rebasing: buffer[start..<min(buffer.count, start + max(1, chunkBytes))]))
            }
        }
    }

    /// The model on these bytes, in memory.
    public func opened() throws(ModelError) -> Model { try Model(opening: ModelBytes(bytes)) }
}

/// Learns a model. `progress` gets a share of 0...1 that never falls and what is being done, on the calling thread, at
/// least every second; returning false cancels.
///
/// The same data, configuration and seed give the same bytes, whatever the number of threads.
public func fit(
    _ data: TrainingData, _ configuration: FitConfiguration,
    progress: @escaping (Double, String) -> Bool = { _, _ in true }
) throws(FitError) -> FittedModel {
    let reporter = ProgressReporter(progress)
    return try fit(data, configuration, ProgressSpan(reporter: reporter, start: 0, end: 1))
}

/// As above, within a stretch of somebody's progress.
func fit(_ data: TrainingData, _ configuration: FitConfiguration, _ span: ProgressSpan) throws(FitError) -> FittedModel {
    let start = ContinuousClock.now
    try configuration.validate()
    guard !configuration.recipe.description.proposesActions else {
        throw .unusableData("\(configuration.recipe.rawValue) learns from action interactions, which these data are not.")
    }
    try span.reporter.step(span.start, "Arranging interactions")
    var matrix = try InteractionMatrix(data, configuration, span.part(0, 0))
    try span.reporter.step(span.share(0.01), "Counting")
    let family = configuration.recipe.family
    func needs(_ matrix: InteractionMatrix) -> Int {
        data.count * 60 + 3 * data.shown.byteCount
            + family.memoryEstimate(items: matrix.itemCount, users: matrix.userCount, events: matrix.eventCount, configuration)
    }
    var needed = needs(matrix)
    var isCatalogLeftOut = false
    if needed > configuration.memoryBudgetBytes, matrix.itemMetadata != nil, family.needsEvents {
        var described = data
        described.itemMetadata = nil
        matrix = try InteractionMatrix(described, configuration, span.part(0.01, 0.01))
        needed = needs(matrix)
        isCatalogLeftOut = true
    }
    guard needed <= configuration.memoryBudgetBytes else {
        throw .memoryBudget(neededBytes: needed, budgetBytes: configuration.memoryBudgetBytes)
    }
    var draft = ModelDraft()
    draft.log.append(
        "Learning from \(matrix.eventCount) interactions of \(matrix.userCount) users with \(matrix.metItems().count { $0 }) items"
            + (matrix.itemMetadata == nil ? "" : " and metadata of \(matrix.itemMetadata?.count ?? 0)")
            + (matrix.leftOut > 0 ? "; \(matrix.leftOut) interactions left out." : "."))
    if matrix.shown.count > 0 { draft.log.append("\(matrix.shown.count) of them tell what else was shown.") }
    describe(matrix, configuration, &draft)
    if isCatalogLeftOut { draft.log.append("The metadata of items is left out: with it the fit would not fit the memory budget.") }
    draft.log += configuration.idleParameters.map { "\($0) is accepted and has no effect on this model." }
    draft.sections += PopularityRecipe.sections(matrix)
    try family.fit(matrix, configuration, span.part(0.02, 0.98), into: &draft)
    try span.reporter.step(span.share(0.98), "Writing the model")
    let bytes = draft.encoded()
    let duration = ContinuousClock.now - start
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    draft.log.append("Model of \(bytes.count) bytes in \(String(format: "%.2f", seconds)) s.")
    try span.reporter.step(span.end, "Fitted")
    return FittedModel(
        bytes: bytes, log: draft.log, itemCount: matrix.itemCount, userCount: matrix.userCount,
        interactionCount: matrix.eventCount, duration: duration, blend: draft.blend)
}

/// The common sections and properties.
private func describe(_ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ draft: inout ModelDraft) {
    let weighting = HistoryWeights(matrix, configuration)
    let returns = matrix.returns()
    for (name, value) in configuration.effectiveParameters { draft.set(name, value) }
    draft.set("recipe", configuration.recipe.rawValue)
    draft.set("created_at", Int(configuration.createdAt.timeIntervalSince1970))
    draft.set("seed", configuration.seed)
    draft.set("users", matrix.userCount)
    draft.set("interactions", matrix.eventCount)
    draft.set("unknown_type_weight", weighting.unknownType)
    draft.set("value_confidence", weighting.valueConfidence)
    draft.set("mean_value", weighting.meanValue)
    draft.set("recency_boost", weighting.recencyBoost)
    draft.set("recency_span", weighting.recencySpan)
    if let objective = configuration.objective { draft.set("objective", objective.itemAttribute) }
    draft.set("repeat_share", Double(returns.count { $0 }) / Double(max(1, matrix.eventCount)))
    draft.set("demotes_history", !matrix.usersReturn)
    draft.sections += [
        SectionContent("item_ids", matrix.itemIDs), SectionContent("event_types", texts: matrix.eventTypeNames),
        SectionContent("event_weights", weighting.eventTypes),
    ]
}
