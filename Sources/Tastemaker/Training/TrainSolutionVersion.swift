import Crypto
import Feeds
import Foundation
import Glibc
import JSON
import Postgres
import Ranking
import Storage

/// The work behind a solution version: interactions to a model file, published whole or not at all.
enum TrainSolutionVersion {
    static let rule = JobRule(timeout: 12 * 3600) { environment, context in
        guard let id = context.payload["solutionVersionID"]?.intValue else { throw JobFailure("The job names no solution version.") }
        guard let version = try environment.read({ try SolutionVersionQueries.find(id: Int32(id), $0) }) else { return }
        switch version.status {
        case .createPending, .createInProgress: break
        case .createStopping: throw JobInterruption.cancelled
        default: return
        }
        do {
            try TrainingRun(environment: environment, context: context, version: version).run()
        } catch let error as FitError {
            if error == .cancelled { throw context.interruption ?? .cancelled }
            throw JobFailure(error.message)
        }
    } abandon: { environment, payload, end, connection in
        guard let id = payload["solutionVersionID"]?.intValue else { return }
        try TrainingQueries.abandon(Int32(id), end, at: environment.now(), connection)
    }
}

/// One attempt at a training.
struct TrainingRun {
    let environment: Environment
    let context: JobContext
    let version: SolutionVersion

    var solution: Solution { version.solution }

    func run() throws {
        let start = ContinuousClock.now
        try environment.transact { connection in
            try context.requireCurrent(connection)
            guard try TrainingQueries.begin(version.id, at: environment.now(), connection) else { throw JobInterruption.cancelled }
        }
        context.progress(0, message: "Reading interactions")
        if solution.recipe.description.proposesActions { return try trainActions(since: start) }
        let (read, watermark) = try readData()
        var data = read
        if version.trainingMode == "UPDATE" { return try publish(update(data), count: data.count, watermark, start) }
        var configuration = try configuration(version, eventTypes: data.eventTypeNames)
        if let objective = configuration.objective { try addObjective(objective, to: &data) }
        let shortfall = dataShortfall(data, configuration)
        guard shortfall.isEmpty || !solution.recipe.needsInteractions else { throw JobFailure(shortfall.joined(separator: " ")) }
        var outcome = TrainingOutcome(seed: configuration.seed, threads: configuration.threads)
        var stages = TrainingStages(from: 0.1, to: 0.95)
        if solution.performsAutoML, !solution.isRecipeChosen {
            let part = stages.take(0.3)
            outcome.chosenRecipe = try chooseRecipe(&configuration, data, &outcome.log) { progress(part, $0, $1) }
        }
        if solution.performsHPO {
            let part = stages.take(0.6)
            try tune(&configuration, data, &outcome) { progress(part, $0, $1) }
        }
        let rest = stages.take(1)
        outcome.take(try fitAndEvaluate(data, configuration) { progress(rest, $0, $1) })
        outcome.log.insert("Read \(data.count) interactions.", at: 0)
        try publish(outcome, count: data.count, watermark, start)
    }

    /// False: the attempt is to end.
    func progress(_ part: ClosedRange<Double>, _ share: Double, _ message: String) -> Bool {
        context.progress(part.lowerBound + (part.upperBound - part.lowerBound) * share, message: message)
        return !context.isCancelled
    }

    func publish(_ outcome: TrainingOutcome, count: Int, _ watermark: Int64, _ start: ContinuousClock.Instant) throws {
        try context.checkInterruption()
        var outcome = outcome
        outcome.watermark = watermark
        outcome.interactionCount = count
        outcome.seconds = Double((ContinuousClock.now - start) / .milliseconds(1)) / 1000
        try PublishModel(environment: environment, context: context, version: version).publish(outcome)
    }

    /// New items into the newest model whose weights were learned; what that was judged by still holds.
    private func update(_ data: TrainingData) throws -> TrainingOutcome {
        let latest = try environment.read { connection in try SolutionVersionQueries.latestFull(of: solution.id, connection) }
        guard let base = latest, let key = base.modelKey else {
            throw JobFailure("The solution has no ACTIVE version that was trained FULL any more.")
        }
        let holder = try ModelStore(environment: environment).model(key: key, sha256: base.modelSHA256)
        let configuration = try configuration(base, eventTypes: data.eventTypeNames)
        var fitted = try Ranking.update(holder.model, with: data, configuration) { progress(0.1...0.95, $0, $1) }
        fitted.metrics = Dictionary(base.metrics.map { ($0.name, $0.value) }) { first, _ in first }
        fitted.samplingErrors = base.samplingErrors
        var outcome = TrainingOutcome(seed: configuration.seed, threads: configuration.threads)
        outcome.log = [
            "Read \(data.count) interactions.", "The weights, and the metrics, are those of the solution version \(base.suffix).",
        ]
        (outcome.tunedParameters, outcome.tunedAt) = (base.tunedParameters, base.tunedAt)
        outcome.take(fitted)
        return outcome
    }

    /// Interactions in order of time and arrival, under the users' canonical ids, and the mark up to which they go.
    private func readData() throws -> (TrainingData, Int64) {
        try environment.withLongConnection { connection in
            try connection.transaction(.repeatableRead, readOnly: true) { (connection) throws -> (TrainingData, Int64) in
                let schemas = try environment.schemas(ofGroup: solution.datasetGroupID, connection)
                var data = TrainingData()
                var watermark: Int64 = 0
                if let dataset = try EventQueries.interactionsDataset(solution.datasetGroupID, connection) {
                    watermark = try TrainingQueries.watermark(dataset: dataset, connection)
                    data = try interactions(dataset, schemas, connection)
                } else if solution.recipe.needsInteractions {
                    throw JobFailure("The dataset group has no Interactions dataset to train on.")
                }
                data.itemMetadata = try records(
                    TrainingQueries.itemRecords(groupID: solution.datasetGroupID), columns(of: .items, schemas), connection)
                data.userMetadata = try records(
                    TrainingQueries.userRecords(groupID: solution.datasetGroupID), columns(of: .users, schemas), connection)
                return (data, watermark)
            }
        }
    }

    private func interactions(_ dataset: Int32, _ schemas: [DatasetType: AvroSchema], _ connection: Connection) throws -> TrainingData {
        try requireMemory(for: try TrainingQueries.countInteractions(dataset: dataset, connection))
        var data = TrainingData(eventTypeNames: try TrainingQueries.eventTypes(solution.datasetGroupID, connection))
        try connection.execute("SELECT set_config('work_mem', '128MB', true)")
        var contexts = ContextCollector(columns(of: .interactions, schemas))
        let shown = try ShownCollector(
            dataset: dataset, groupID: solution.datasetGroupID,
            hasColumn: schemas[.interactions]?.columns.contains { $0.name.uppercased() == "IMPRESSION" } ?? false, connection)
        let query = TrainingQueries.interactions(
            dataset: dataset, groupID: solution.datasetGroupID, withProperties: !contexts.isEmpty, withShown: shown != nil)
        try connection.copyOut(query) { (row: inout CopyReader) throws in
            let user = try row.int32()
            let item = try row.int32()
            let eventType = UInt8(truncatingIfNeeded: try row.int16())
            let value = try row.optionalFloat() ?? .nan
            data.append(user: user, item: item, eventType: eventType, value: value, timestamp: try row.int64())
            if !contexts.isEmpty { contexts.append(try row.optionalBytes().flatMap { try? JSONValue(parsing: $0) }) }
            if let shown {
                let list = shown.list(recommendation: try row.optionalInt64(), impression: try row.optionalBytes())
                data.shown.append(event: data.count - 1, list)
            }
            if data.count % 65_536 == 0 { try context.checkInterruption() }
        }
        data.contexts = contexts.columns
        return data
    }

    func columns(of type: DatasetType, _ schemas: [DatasetType: AvroSchema]) -> TrainingColumns {
        TrainingColumns(schemas[type], type, version.config?["trainingDataConfig"])
    }

    /// Metadata of items or users. Texts take an eighth of the memory at most; what is beyond is cut short.
    func records(_ query: SQL, _ columns: TrainingColumns, _ connection: Connection) throws -> MetadataTable? {
        guard !columns.columns.isEmpty else { return nil }
        var collector = MetadataCollector(columns, textLimit: environment.settings.trainingMemoryBytes / 8)
        var count = 0
        try connection.copyOut(query) { (row: inout CopyReader) throws in
            let id = try row.int32()
            collector.append(id: id, try row.optionalBytes().flatMap { try? JSONValue(parsing: $0) })
            count += 1
            if count % 65_536 == 0 { try context.checkInterruption() }
        }
        return collector.table
    }

    /// Arrays of 21 bytes an interaction, doubled while they grow; the fit checks its own needs on top.
    func requireMemory(for count: Int64) throws {
        let needed = Int(count) * 60
        let budget = environment.settings.trainingMemoryBytes
        if needed > budget { throw FitError.memoryBudget(neededBytes: needed, budgetBytes: budget) }
    }

    /// As a version of the solution was made with.
    func configuration(_ version: SolutionVersion, recipe: RecipeName? = nil, eventTypes: [String]) throws -> FitConfiguration {
        let recipe = recipe ?? solution.recipe
        let config = try SolutionConfig(version.config, recipe: recipe)
        var configuration = config.fitConfiguration(recipe: recipe, eventType: stored(solution.eventType, eventTypes))
        configuration.eventWeights = configuration.eventWeights.map { weight in
            var weight = weight
            weight.eventType = stored(weight.eventType, eventTypes) ?? weight.eventType
            return weight
        }
        configuration.threads = max(1, environment.settings.trainingThreads)
        configuration.memoryBudgetBytes = environment.settings.trainingMemoryBytes
        configuration.createdAt = Date(timeIntervalSince1970: environment.now().seconds)
        return configuration
    }

    /// Event types compare without regard to case; the stored spelling is the one in the data.
    private func stored(_ eventType: String?, _ known: [String]) -> String? {
        guard let eventType else { return nil }
        return known.first { $0.lowercased().utf8.elementsEqual(eventType.lowercased().utf8) } ?? eventType
    }
}
