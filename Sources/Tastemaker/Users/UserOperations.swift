import JSON
import Postgres

extension Environment {
    /// Erases a user from a dataset group in one transaction: interactions with items and actions, histories, exposures, lists shown, impressions, raw events, the
    /// Users record, aliases, and the text of the id, of the user and of the browsers that were only this user's. Models drop the user
    /// at their next training; files that were imported stay as they are.
    public func eraseUser(_ userID: String, datasetGroupID: Int32, by caller: Caller) throws(OperationError) -> ErasedUser {
        try Check.externalID(userID, field: "userId")
        return try change { connection in
            let group = try lockedDatasetGroup(id: datasetGroupID, connection)
            try caller.require(datasetGroup: group.id, resource: "dataset-group/\(group.name)")
            // First the counter row, as all writers of a group do.
            _ = try nextCatalogueRevision(connection, datasetGroupID: group.id, whole: true)
            guard let id = try UserQueries.find(userID, groupID: group.id, connection) else {
                throw OperationError.notFound("The dataset group \(group.name) knows no user of this id.")
            }
            let erased = try erase(id, in: group, connection)
            try audit(
                connection, caller, "EraseUser", resource: "dataset-group/\(group.name)", datasetGroupID: group.id,
                parameters: .object(
                    JSONObject(members: erased.counts.map { .init(name: "\($0.name)", value: .integer(Int64($0.count))) })))
            try notifyCatalogue(connection, datasetGroupID: group.id)
            return erased
        }
    }

    /// Erases in the group that the caller's key is bound to, or in the one named.
    public func eraseUser(_ userID: String, datasetGroupName: String?, by caller: Caller) throws(OperationError) -> ErasedUser {
        try eraseUser(userID, datasetGroupID: groupOfUser(datasetGroupName: datasetGroupName, by: caller), by: caller)
    }

    /// How much of a user is kept, newest events first; nil for an id that the group does not know.
    public func describeUser(_ userID: String, datasetGroupName: String?, by caller: Caller) throws(OperationError) -> UserSummary? {
        try Check.externalID(userID, field: "userId")
        let group = try groupOfUser(datasetGroupName: datasetGroupName, by: caller)
        return try read { connection in
            guard let id = try UserQueries.find(userID, groupID: group, connection) else { return nil }
            return try UserQueries.summary(id, groupID: group, connection)
        }
    }

    private func groupOfUser(datasetGroupName: String?, by caller: Caller) throws(OperationError) -> Int32 {
        if let bound = caller.datasetGroupID, datasetGroupName == nil { return bound }
        let name = try Check.required(datasetGroupName, field: "datasetGroup")
        try Check.name(name, field: "datasetGroup")
        return try read { connection in
            try datasetGroup(arn: arn(.datasetGroup, name, for: caller), by: caller, connection).id
        }
    }

    /// Seconds after which no writer holds an erased id any more: longer than a caller waits for the event writer.
    static let erasureSweepDelay: Int64 = 60

    private func erase(_ id: Int32, in group: DatasetGroup, _ connection: Connection) throws -> ErasedUser {
        try UserQueries.allowTime(connection)
        let dataset = try EventQueries.interactionsDataset(group.id, connection)
        let browsers = try UserQueries.browsers(of: id, groupID: group.id, dataset: dataset, connection)
        let gone = [id] + browsers.filter(\.isOnlyThisUser).map(\.id)
        var erased = ErasedUser()
        // Histories in key order, as the event writers lock them. That of a shared browser goes too: it tells what this user did.
        erased.histories = try UserQueries.deleteHistories(Set(gone + browsers.map(\.id)).sorted(), groupID: group.id, connection)
        erased.interactions = try UserQueries.deleteInteractions(gone, groupID: group.id, connection)
        erased.rawEvents = try UserQueries.deleteRawEvents(gone, groupID: group.id, connection)
        erased.impressions = try UserQueries.deleteImpressions(gone, groupID: group.id, connection)
        erased.exposures = try UserQueries.deleteExposures(gone, groupID: group.id, connection)
        erased.shownLists = try UserQueries.deleteShown(gone, groupID: group.id, connection)
        try ActivityMarks.addAll(group.id, connection)
        erased.records = try UserQueries.deleteRecords(gone, groupID: group.id, connection)
        try UserQueries.deleteAliases(gone, groupID: group.id, connection)
        erased.ids = try UserQueries.deleteIDs(gone, groupID: group.id, connection)
        // An event that was being stored in this moment knows the ids still. Whoever holds them is done within a minute.
        try enqueue(
            NewJob(
                kind: .clean, payload: ["erasedUsers": .array(gone.map { .integer(Int64($0)) })], datasetGroupID: group.id,
                runAt: now().adding(seconds: Environment.erasureSweepDelay)), connection)
        return erased
    }
}
