import JSON
import Postgres
import Ranking

// Next best actions: learned from actions, responses to them and visits in place of interactions with items.
extension TrainingRun {
    func trainActions(since start: ContinuousClock.Instant) throws {
        let (data, watermark) = try readActions()
        let configuration = try configuration(version, eventTypes: []).forActions
        var outcome = TrainingOutcome(seed: configuration.seed, threads: configuration.threads)
        outcome.log = [
            "Read \(data.events.count) responses to \(data.actions.count) actions, and \(data.visits.count) interactions with items."
        ]
        if solution.performsHPO { outcome.log.append("The recipe has no hyperparameters to optimize.") }
        outcome.take(try fitActions(data, configuration) { progress(0.1...0.95, $0, $1) }, of: data)
        try publish(outcome, count: data.events.count, watermark, start)
    }

    /// What there is to learn from, or what it lacks of the contract's minimums, as a failure; and the mark up to which it goes.
    private func readActions() throws -> (ActionData, Int64) {
        try environment.withLongConnection { connection in
            try connection.transaction(.repeatableRead, readOnly: true) { (connection) throws -> (ActionData, Int64) in
                let group = solution.datasetGroupID
                let schemas = try environment.schemas(ofGroup: group, connection)
                guard schemas[.actions] != nil, let interactions = try EventQueries.interactionsDataset(group, connection) else {
                    throw JobFailure("The dataset group needs an Actions and an Interactions dataset to train on.")
                }
                var data = ActionData(events: [], actions: [])
                try ActionQueries.all(group, connection) { row in
                    guard let attributes = row.attributes else { return }
                    data.actions.append(ActionData.Action(id: row.id, createdAt: row.createdAt, attributes: attributes))
                }
                try requireEnough(data, connection)
                var watermarks = [try TrainingQueries.watermark(dataset: interactions, connection)]
                if let responses = try EventQueries.interactionsDataset(group, of: .actions, connection) {
                    watermarks.append(try TrainingQueries.watermark(dataset: responses, connection))
                    try readResponses(responses, into: &data, connection)
                }
                try readVisits(interactions, into: &data, connection)
                data.userMetadata = try records(TrainingQueries.userRecords(groupID: group), columns(of: .users, schemas), connection)
                return (data, watermarks.reduce(0, &+))
            }
        }
    }

    private func requireEnough(_ data: ActionData, _ connection: Connection) throws {
        var sentences: [String] = []
        let progress = try LadderQueries.progress(solution.datasetGroupID, eventType: nil, connection)
        if progress.interactions < DataSummary.minimumInteractions {
            sentences.append(
                "Dataset has fewer than \(DataSummary.minimumInteractions) unique interactions after filtering: \(progress.interactions).")
        }
        if progress.usersWithTwo < DataSummary.minimumUsersWithTwo {
            sentences.append("Dataset has fewer than \(DataSummary.minimumUsersWithTwo) users with at least 2 interactions each.")
        }
        if data.actions.isEmpty { sentences.append("The Actions dataset has no actions.") }
        if !sentences.isEmpty { throw JobFailure(sentences.joined(separator: " ")) }
    }

    private func readResponses(_ dataset: Int32, into data: inout ActionData, _ connection: Connection) throws {
        try requireMemory(for: TrainingQueries.countInteractions(dataset: dataset, connection))
        try connection.copyOut(TrainingQueries.responses(dataset: dataset, groupID: solution.datasetGroupID)) {
            (row: inout CopyReader) throws in
            let (user, action, type, seconds) = (try row.int32(), try row.int32(), try row.int16(), try row.int64())
            guard let response = ActionData.Response(rawValue: UInt8(truncatingIfNeeded: type)) else { return }
            data.events.append(.init(user: user, action: action, response: response, timestamp: seconds))
            if data.events.count % 65_536 == 0 { try context.checkInterruption() }
        }
    }

    /// Those that can still count: visits are forgotten over eight periods, and the oldest snapshot lies six of at most 28 days back.
    private func readVisits(_ dataset: Int32, into data: inout ActionData, _ connection: Connection) throws {
        guard let newest = data.events.map(\.timestamp).max() else { return }
        let since = PGTimestamp(seconds: Int(max(0, newest - 2 * 365 * 86_400)))
        try requireMemory(for: TrainingQueries.countInteractions(dataset: dataset, connection))
        try connection.copyOut(TrainingQueries.visits(dataset: dataset, groupID: solution.datasetGroupID, since: since)) {
            (row: inout CopyReader) throws in
            data.visits.append((try row.int32(), try row.int64()))
            if data.visits.count % 65_536 == 0 { try context.checkInterruption() }
        }
    }
}
