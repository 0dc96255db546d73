import JSON
import Postgres

/// Keeps the counts of a group's reports new, so that a page seldom has anything to count.
enum CountReports {
    /// Seconds: well under the age that a page accepts.
    private static let maxAge: Int64 = 20

    static let rule = JobRule(timeout: 1800) { environment, context in
        guard let id = context.payload["datasetGroupID"]?.intValue else { throw JobFailure("The job names no dataset group.") }
        let group: DatasetGroup
        let experiments: [Experiment]
        do {
            (group, experiments) = try environment.read { connection in
                (try environment.datasetGroup(id: Int32(id), connection), try ExperimentQueries.list(datasetGroupID: Int32(id), connection))
            }
        } catch OperationError.notFound { return }
        try environment.withLongConnection { connection in
            try connection.transaction { (connection) throws in
                try environment.settleCounts(datasetGroupID: group.id, waits: true, connection)
            }
        }
        for experiment in experiments where experiment.state == .running {
            try context.checkInterruption()
            _ = try environment.outcome(of: experiment, in: group, maxAge: maxAge)
        }
        for promotion in try environment.read({ try PromotionQueries.published(datasetGroupID: group.id, $0) }) {
            try context.checkInterruption()
            _ = try environment.outcome(ofPromotion: promotion.id, since: promotion.since, in: group, maxAge: maxAge)
        }
    }
}
