public import JSON
import Postgres

/// One setting that a search for hyperparameters tried.
public struct FinishedTrial: Sendable {
    /// From 0; later rungs try the best of the earlier ones again, on more data.
    public let rung: Int
    public let number: Int
    public let parameters: JSONValue
    /// Of the search's metric; nil for a setting that could not be fitted.
    public let quality: Double?
    public let seconds: Double
}

extension Environment {
    /// The trials of a version's search, the last rung first and the best first within it; at most 200.
    public func finishedTrials(of version: SolutionVersion, by caller: Caller) throws(OperationError) -> [FinishedTrial] {
        try read { connection in
            try caller.require(datasetGroup: version.solution.datasetGroupID, resource: "solution/\(version.path)")
            return try FinishedTrialQueries.all(version.id, connection)
        }
    }
}

enum FinishedTrialQueries {
    static func all(_ versionID: Int32, _ connection: Connection) throws -> [FinishedTrial] {
        try connection.query(
            """
            SELECT rung, number, parameters, quality, seconds FROM tuning_trial WHERE solution_version_id = \(versionID)
            ORDER BY rung DESC, quality DESC NULLS LAST, number LIMIT 200
            """
        ).map { row in
            FinishedTrial(
                rung: Int(try row.int16(0)), number: Int(try row.int16(1)),
                parameters: (try? JSONValue(parsing: row.json(2))) ?? .null, quality: try row.optionalDouble(3), seconds: try row.double(4))
        }
    }
}
