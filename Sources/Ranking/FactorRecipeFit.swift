import Foundation

extension FactorRecipe {
    static func fit(
        _ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ span: ProgressSpan, into draft: inout ModelDraft
    ) throws(FitError) {
        let dimensions = (configuration.factorCount + 15) / 16 * 16
        let als = ImplicitALS(
            dimensions: dimensions, iterations: configuration.integer("iterations", 12),
            unobservedWeight: Float(configuration.number("unobserved_weight", 0.1)),
            regularization: Float(configuration.number("regularization", 0.003)),
            regularizationExponent: Float(configuration.number("regularization_exponent", 1)),
            seed: configuration.seed, threads: configuration.threads)
        draft.log.append(
            "Factorizing with \(dimensions) factors, \(als.iterations) rounds, unobserved weight \(als.unobservedWeight), "
                + "regularization \(als.regularization).")
        let weighting = HistoryWeights(matrix, configuration)
        var flat = weighting
        flat.recencyBoost = 0
        let byUser = matrix.userItems(flat)
        try span.reporter.step(span.start, "Factorizing")
        let factors = try als.fit(byUser, itemCount: matrix.itemCount, span.part(0, 0.85))
        try span.reporter.step(span.share(0.85), "Learning what follows what")
        let (_, events) = matrix.popularity()
        let successors = try SuccessorFit(threads: configuration.threads).fit(matrix, events: events, span.part(0.85, 0.95))
        draft.log.append("Successors: \(successors.rows.count) pairs.")
        let blocks = EightBitBlocks(factors, dimensions: dimensions)
        let gram = factors.withUnsafeBufferPointer { buffer -> [Float] in
            guard let base = buffer.baseAddress else { return [] }
            return NormalEquations.gram(base, rows: matrix.itemCount, dimensions: dimensions)
        }
        draft.sections += [
            SectionContent("factors", factors, columns: dimensions), SectionContent("factors.int8", blocks.bytes),
            SectionContent("factors.scales", blocks.scales), SectionContent("gram", gram, columns: dimensions),
        ]
        draft.sections += SectionContent.lists("successors", successors)
        draft.set("unobserved_weight", als.unobservedWeight)
        draft.set("regularization", als.regularization)
        draft.set("regularization_exponent", als.regularizationExponent)
        draft.set("successor_share", Float(configuration.number("successor_share", 1.5)))
        draft.set("factor_scale", 1)
        draft.set("successor_scale", 1)
        try calibrate(matrix, &draft, span.part(0.95, 1))
    }

    /// Sets the blend's scales: the mean best values over up to 200 users, spread evenly.
    private static func calibrate(
        _ matrix: InteractionMatrix, _ draft: inout ModelDraft, _ span: ProgressSpan
    ) throws(FitError) {
        try span.reporter.step(span.start, "Calibrating scores")
        let file: ModelFile
        let header: ModelHeader
        let recipe: FactorRecipe
        do throws(ModelError) {
            file = try ModelFile(ModelBytes(draft.encoded()))
            header = try ModelHeader(file)
            recipe = try FactorRecipe(opening: file, header)
        } catch {
            throw .unusableData(error.message)
        }
        var scratch = RankingScratch()
        var factor = 0.0
        var successor = 0.0
        var count = 0.0
        let step = max(1, matrix.userCount / 200)
        for user in stride(from: 0, to: matrix.userCount, by: step) {
            let start = matrix.offsets[user]
            scratch.history.collect(
                count: matrix.offsets[user + 1] - start, itemCount: matrix.itemCount, header.weighting
            ) { (matrix.items[start + $0], Int(matrix.types[start + $0]), matrix.values[start + $0]) }
            if let best = recipe.bestValues(&scratch) {
                factor += Double(best.factor)
                successor += Double(best.successor)
                count += 1
            }
            try span.reporter.poll(span.share(Double(user) / Double(matrix.userCount)))
        }
        withExtendedLifetime(file) {}
        draft.set("factor_scale", count > 0 && factor > 0 ? Float(factor / count) : 1)
        draft.set("successor_scale", count > 0 && successor > 0 ? Float(successor / count) : 1)
    }

    static func memoryEstimate(items: Int, users: Int, events: Int, _ configuration: FitConfiguration) -> Int {
        let dimensions = (configuration.factorCount + 15) / 16 * 16
        let lists = items * NeighborLists.limit(itemCount: items) * 8 * 2
        return items * dimensions * 16 + users * dimensions * 4 + events * 40 + lists + items * 8 * configuration.threads
    }
}

extension HistoryWeights {
    /// As the configuration and the data say.
    init(_ matrix: InteractionMatrix, _ configuration: FitConfiguration) {
        let isSelective = configuration.eventType != nil || !configuration.eventWeights.isEmpty
        self.init(
            eventTypes: EventAdmission(eventTypeNames: matrix.eventTypeNames, configuration: configuration).weights,
            unknownType: isSelective ? 0 : 1, valueConfidence: Float(configuration.number("value_confidence", 0)),
            meanValue: matrix.meanValue(),
            recencyBoost: configuration.favorsRecent ? Float(configuration.number("recency_boost", 10)) : 0,
            recencySpan: Float(configuration.number("recency_span", 5)))
    }
}
