import Crypto
import JSON
import Postgres
import Ranking
import Storage

/// Stores a model file under a name of the attempt's own, then makes its version ACTIVE in the transaction that ends the job: a late twin
/// leaves at most a file that nobody refers to.
struct PublishModel {
    let environment: Environment
    let context: JobContext
    let version: SolutionVersion

    private var key: String {
        "models/g\(version.solution.datasetGroupID)/s\(version.solution.id)-\(version.suffix)-\(context.attempt).tmm"
    }

    func publish(_ outcome: TrainingOutcome) throws {
        context.progress(0.97, message: "Storing the model")
        try environment.artifacts.put(key, .bytes(outcome.bytes), ifAbsent: false)
        do {
            try environment.transact { connection in try activate(outcome, connection) }
        } catch {
            // With an unknown outcome the file may be referred to; the next attempt has a name of its own.
            if (error as? PostgresError)?.outcomeUnknown != true { try? environment.artifacts.delete(key) }
            throw error
        }
    }

    private func activate(_ outcome: TrainingOutcome, _ connection: Connection) throws {
        let file = TrainingQueries.ModelRecord(
            key: key, sha256: SHA256.hash(outcome.bytes), bytes: Int64(outcome.bytes.count))
        guard try TrainingQueries.activate(version.id, file, outcome, at: environment.now(), connection) else {
            throw JobInterruption.cancelled
        }
        if let recipe = outcome.chosenRecipe { try SolutionQueries.choose(recipe, for: version.solution.id, connection) }
        try environment.advanceFollowers(to: version, connection)
        try environment.advanceRecommender(to: version, connection)
        try environment.audit(
            connection, .system, "PublishSolutionVersion", resource: "solution/\(version.path)",
            datasetGroupID: version.solution.datasetGroupID)
        try environment.enqueueAdvance(ofGroup: version.solution.datasetGroupID, connection)
        try context.finish(connection, at: environment.now())
        try environment.bumpResources(connection, datasetGroupID: version.solution.datasetGroupID)
    }
}
