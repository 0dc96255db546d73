import JSON
import Postgres
import Ranking

extension TrainingRun {
    /// An automatic training takes over what was found less than so long ago: the contract has recipes searched again every 90 days under
    /// automatic training. A training by hand always searches.
    private static let tuningLife: Int64 = 90 * 86_400 * 1_000_000

    /// Finds hyperparameters, or takes recent ones over, and puts them into the configuration and the outcome.
    func tune(
        _ configuration: inout FitConfiguration, _ data: TrainingData, _ outcome: inout TrainingOutcome,
        progress: @escaping (Double, String) -> Bool
    ) throws {
        if version.trainingType == .automatic, let recent = try recentlyTuned() {
            (outcome.tunedParameters, outcome.tunedAt) = (recent.tunedParameters, recent.tunedAt)
            outcome.log.append("Hyperparameters were searched for the solution version \(recent.suffix) and are used again.")
        } else {
            let plan = try SolutionConfig(version.config, recipe: configuration.recipe).tuning
            let found = try search(plan, configuration, data, progress: progress)
            outcome.tunedParameters = found.parameters
            outcome.tunedAt = environment.now()
            outcome.log += found.log
        }
        configuration.hyperparameters.merge(outcome.tunedParameters) { $1 }
    }

    private func recentlyTuned() throws -> SolutionVersion? {
        let since = PGTimestamp(microseconds: environment.now().microseconds - Self.tuningLife)
        return try environment.read { connection in
            try SolutionVersionQueries.latestTuned(of: solution.id, since: since, connection)
        }
    }

    /// Goes on where an earlier attempt ended: every finished trial is stored.
    private func search(
        _ plan: TuningPlan, _ configuration: FitConfiguration, _ data: TrainingData, progress: @escaping (Double, String) -> Bool
    ) throws -> TuningOutcome {
        let finished = try environment.read { connection in try TuningQueries.trials(version.id, connection) }
        var failure: (any Error)?
        do throws(FitError) {
            var outcome = try Ranking.tune(
                data, configuration, plan, finished: finished,
                onResult: { trial, result in
                    do { try store(trial, result) } catch { failure = error }
                    return failure == nil
                }, progress: progress)
            if !finished.isEmpty { outcome.log.insert("\(finished.count) trials of an earlier attempt count.", at: 0) }
            return outcome
        } catch {
            throw failure ?? error
        }
    }

    private func store(_ trial: Trial, _ result: TrialResult) throws {
        try environment.transact { connection in
            try context.requireCurrent(connection)
            try TuningQueries.insert(trial, result, versionID: version.id, at: environment.now(), connection)
        }
    }

    /// The best of the recipes that the solution's configuration suits.
    func chooseRecipe(
        _ configuration: inout FitConfiguration, _ data: TrainingData, _ log: inout [String],
        progress: @escaping (Double, String) -> Bool
    ) throws -> RecipeName {
        let config = try SolutionConfig(version.config, recipe: solution.recipe)
        let candidates = config.autoMLRecipes.compactMap { recipe in
            try? self.configuration(version, recipe: recipe, eventTypes: data.eventTypeNames)
        }
        let choice = try Ranking.choose(among: candidates, for: data, by: config.autoMLMetric, progress: progress)
        configuration = candidates[choice.index]
        log += choice.log
        return configuration.recipe
    }
}

enum TuningQueries {
    static func trials(_ versionID: Int32, _ connection: Connection) throws -> [TrialResult] {
        try connection.query(
            "SELECT number, rung, quality, seconds FROM tuning_trial WHERE solution_version_id = \(versionID) ORDER BY rung, number"
        ).map { row in
            TrialResult(
                number: Int(try row.int16(0)), rung: Int(try row.int16(1)), quality: try row.optionalDouble(2), seconds: try row.double(3))
        }
    }

    static func insert(
        _ trial: Trial, _ result: TrialResult, versionID: Int32, at now: PGTimestamp, _ connection: Connection
    ) throws {
        let parameters = JSONValue.object(
            JSONObject(members: trial.parameters.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .string($0.value)) }))
        try connection.execute(
            """
            INSERT INTO tuning_trial (solution_version_id, rung, number, parameters, quality, seconds, finished_at)
            VALUES (\(versionID), \(Int16(trial.rung)), \(Int16(trial.number)), \(json: parameters.serialized()), \(result.quality),
                    \(result.seconds), \(now))
            ON CONFLICT DO NOTHING
            """)
    }
}
