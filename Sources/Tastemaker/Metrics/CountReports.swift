import JSON
import Postgres

/// Keeps the counts of a group's reports new, so that a page seldom has anything to count.
enum CountReports {
    /// Seconds: well under the age that a page accepts.
    static let maxAge: Int64 = 20

    static let rule = JobRule(timeout: 1800) { environment, context in
        guard let id = context.payload["datasetGroupID"]?.intValue else { throw JobFailure("The job names no dataset group.") }
        do { try environment.countReports(datasetGroupID: Int32(id), checkpoint: context.checkInterruption) } catch OperationError.notFound
        {}
    }
}

extension Environment {
    /// Counts what has changed, then the running experiments and the published promotions.
    func countReports(datasetGroupID id: Int32, checkpoint: () throws -> Void = {}) throws {
        let group = try read { try datasetGroup(id: id, $0) }
        try withLongConnection { connection in
            try connection.transaction { (connection) throws in try settleCounts(datasetGroupID: id, waits: true, connection) }
        }
        for experiment in try read({ try ExperimentQueries.list(datasetGroupID: id, $0) }) where experiment.state == .running {
            try checkpoint()
            if let subject = outcomeSubject(of: experiment) { try countForLong(subject, in: group) }
        }
        for promotion in try read({ try PromotionQueries.published(datasetGroupID: id, $0) }) {
            try checkpoint()
            try countForLong(outcomeSubject(ofPromotion: promotion.id, since: promotion.since, in: group), in: group)
        }
    }

    private func countForLong(_ subject: OutcomeSubject, in group: DatasetGroup) throws {
        try withLongConnection { connection in
            try connection.transaction { (connection) throws -> Void in
                try countOutcome(subject, in: group, maxAge: CountReports.maxAge, connection)
            }
        }
    }
}
