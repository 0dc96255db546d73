import Feeds
import JSON
import Postgres

extension Environment {
    /// PutItems: each record replaces the one of its id whole. The next answer of every worker knows them.
    public func putItems(_ members: InputMembers, by caller: Caller) throws(OperationError) {
        let arn = try Check.required(try members.string("datasetArn"), field: "datasetArn")
        let list = try Check.required(try members.list("items", count: 1...10), field: "items")
        try change { connection in
            let target = try recordTarget(arn: arn, type: .items, by: caller, connection)
            let records = try list.map { try Record(item: $0, schema: target.schema) }
            try storeItems(records, datasetGroupID: target.dataset.datasetGroupID, connection)
        }
    }

    /// PutUsers: as PutItems, for the Users dataset.
    public func putUsers(_ members: InputMembers, by caller: Caller) throws(OperationError) {
        let arn = try Check.required(try members.string("datasetArn"), field: "datasetArn")
        let list = try Check.required(try members.list("users", count: 1...10), field: "users")
        try change { connection in
            let target = try recordTarget(arn: arn, type: .users, by: caller, connection)
            let records = try list.map { try Record(user: $0, schema: target.schema) }
            try storeUsers(records, datasetGroupID: target.dataset.datasetGroupID, connection)
        }
    }

    /// PutActions: as PutItems, for the Actions dataset.
    public func putActions(_ members: InputMembers, by caller: Caller) throws(OperationError) {
        let arn = try Check.required(try members.string("datasetArn"), field: "datasetArn")
        let list = try Check.required(try members.list("actions", count: 1...10), field: "actions")
        try change { connection in
            let target = try recordTarget(arn: arn, type: .actions, by: caller, connection)
            let group = target.dataset.datasetGroupID
            let records = Record.lastOfEach(try list.map { try Record(action: $0, schema: target.schema) })
            _ = try nextActionRevision(connection, datasetGroupID: group)
            try RecordQueries.upsertActions(records, groupID: group, connection)
            try notifyCatalogue(connection, datasetGroupID: group)
        }
    }

    /// Stores checked item records under a new catalogue revision, in the given transaction.
    func storeItems(_ records: [Record], datasetGroupID: Int32, _ connection: Connection) throws {
        let records = Record.lastOfEach(records)
        // First the counter row, then everything else: all writers of a group lock in this order.
        let revision = try nextCatalogueRevision(connection, datasetGroupID: datasetGroupID)
        try RecordQueries.upsertItems(records, revision: revision, groupID: datasetGroupID, connection)
        try notifyCatalogue(connection, datasetGroupID: datasetGroupID)
    }

    func storeUsers(_ records: [Record], datasetGroupID: Int32, _ connection: Connection) throws {
        let records = Record.lastOfEach(records)
        _ = try nextCatalogueRevision(connection, datasetGroupID: datasetGroupID)
        try RecordQueries.upsertUsers(records, groupID: datasetGroupID, connection)
        try notifyCatalogue(connection, datasetGroupID: datasetGroupID)
    }

    private func recordTarget(
        arn: String, type: DatasetType, by caller: Caller, _ connection: Connection
    ) throws -> (dataset: Dataset, schema: AvroSchema) {
        let dataset = try dataset(arn: arn, by: caller, connection)
        guard dataset.type == type else {
            throw OperationError.invalidInput(
                "The dataset \(arn) holds \(dataset.type.rawValue), not \(type.rawValue).", field: "datasetArn")
        }
        guard dataset.status == .active else {
            throw OperationError.inUse("The dataset is in status \(dataset.status.rawValue).")
        }
        if let job = try RecordQueries.runningFullImport(dataset.id, connection) {
            throw OperationError.inUse("The dataset is being replaced by the dataset import job \(job).")
        }
        return (dataset, try schema(id: dataset.schemaID, connection).parsed())
    }
}
