import JSON
import Postgres
import Ranking

/// Starts the trainings of solutions whose schedule is due, unless nothing is new since the last one.
enum AutomaticTraining {
    static let rule = JobRule(timeout: 600) { environment, _ in
        try environment.transact { connection in
            for id in try TrainingQueries.dueSolutions(at: environment.now(), connection) {
                try environment.trainIfNew(environment.solution(id: id, connection), connection)
            }
        }
    }
}

extension Environment {
    /// A training that is skipped is said in the audit, and looked at again after one interval.
    func trainIfNew(_ solution: Solution, _ connection: Connection) throws {
        if let reason = try reasonToSkip(solution, connection) {
            let config = try SolutionConfig(solution.config, recipe: solution.recipe)
            try SolutionQueries.postponeTraining(solution.id, until: trainingAfterInterval(config), connection)
            try audit(
                connection, .system, "SkipAutomaticTraining", resource: "solution/\(solution.name)",
                datasetGroupID: solution.datasetGroupID, parameters: ["reason": .string(reason)])
            return
        }
        let version = try startTraining(of: solution, mode: "AUTOTRAIN", type: .automatic, connection)
        try audit(
            connection, .system, "CreateSolutionVersion", resource: "solution/\(version.path)", datasetGroupID: solution.datasetGroupID,
            parameters: ["trainingType": "AUTOMATIC"])
    }

    private func reasonToSkip(_ solution: Solution, _ connection: Connection) throws -> String? {
        guard solution.status == .active else { return "The solution is in status \(solution.status.rawValue)." }
        guard let dataset = try EventQueries.interactionsDataset(solution.datasetGroupID, connection) else {
            return "The dataset group has no Interactions dataset."
        }
        if try TrainingQueries.hasUnfinishedVersion(solutionID: solution.id, connection) { return "A training is already running." }
        if let mark = try TrainingQueries.trainedUntil(solutionID: solution.id, connection),
            try watermark(solution, interactions: dataset, connection) == mark
        {
            return "No interactions are new since the last training."
        }
        return nil
    }

    /// As the trainings of the solution write it.
    private func watermark(_ solution: Solution, interactions: Int32, _ connection: Connection) throws -> Int64 {
        let mark = try TrainingQueries.watermark(dataset: interactions, connection)
        guard solution.recipe.description.proposesActions,
            let responses = try EventQueries.interactionsDataset(solution.datasetGroupID, of: .actions, connection)
        else { return mark }
        return mark &+ (try TrainingQueries.watermark(dataset: responses, connection))
    }
}
