import Feeds
import JSON
import Postgres

extension Environment {
    public func createDataset(_ input: CreateDatasetInput, by caller: Caller) throws(OperationError) -> Dataset {
        try Check.name(input.name)
        guard let type = DatasetType(reading: input.datasetType) else {
            throw Check.violation(
                input.datasetType, field: "datasetType",
                "Member must satisfy enum value set: [\(DatasetType.allCases.map(\.rawValue).joined(separator: ", "))]")
        }
        return try change { try storeDataset(input, type, by: caller, $0) }
    }

    func storeDataset(_ input: CreateDatasetInput, _ type: DatasetType, by caller: Caller, _ connection: Connection) throws -> Dataset {
        let group = try lockedDatasetGroup(arn: input.datasetGroupARN, by: caller, connection)
        guard group.status == .active else { throw OperationError.inUse("The dataset group is in status \(group.status.rawValue).") }
        let schema = try schema(arn: input.schemaARN, by: caller, connection)
        try requireFit(of: schema, type: type, in: group)
        if try DatasetQueries.find(group: group.name, type: type, connection) != nil {
            throw OperationError.alreadyExists("The dataset group \(group.name) already has a dataset of type \(type.rawValue).")
        }
        let new = DatasetQueries.NewDataset(datasetGroupID: group.id, type: type, name: input.name, schemaID: schema.id)
        let dataset = try dataset(id: DatasetQueries.insert(new, at: now(), connection), connection)
        let resource = ResourceARN(kind: .dataset, path: dataset.path).resource
        try setTags(input.tags, on: resource, connection)
        try audit(
            connection, caller, "CreateDataset", resource: resource, datasetGroupID: group.id,
            parameters: ["name": .string(dataset.name), "schema": .string(schema.name)])
        try noteChange(of: dataset, connection)
        return dataset
    }

    public func describeDataset(arn: String, by caller: Caller) throws(OperationError) -> Dataset {
        try read { try dataset(arn: arn, by: caller, $0) }
    }

    /// All of a group, or of what the caller may see.
    public func listDatasets(datasetGroupARN: String?, _ request: PageRequest, by caller: Caller) throws(OperationError) -> Page<Dataset> {
        try page(request, scope: "ListDatasets \(datasetGroupARN ?? "")") { cursor, limit, connection in
            try DatasetQueries.list(
                ofGroup: listedGroup(arn: datasetGroupARN, by: caller, connection), after: cursor, limit: limit, connection)
        }
    }

    /// Puts the dataset under another schema of its kind. Columns may be added; none may go or change its type, for stored rows have them.
    public func updateDataset(arn: String, schemaARN: String, by caller: Caller) throws(OperationError) -> Dataset {
        try change { connection in
            let found = try dataset(arn: arn, by: caller, connection)
            let group = try lockedDatasetGroup(id: found.datasetGroupID, connection)
            let dataset = try dataset(id: found.id, connection)
            guard dataset.status == .active else { throw OperationError.inUse("The dataset is in status \(dataset.status.rawValue).") }
            if let work = try DatasetQueries.pendingWork(dataset, connection) {
                throw OperationError.inUse("The dataset is used by the \(work), which has not ended.")
            }
            let schema = try schema(arn: schemaARN, by: caller, connection)
            try requireFit(of: schema, type: dataset.type, in: group)
            try requireSuccession(of: schema, after: self.schema(id: dataset.schemaID, connection))
            let update = DatasetUpdate(schemaName: schema.name, status: ResourceStatus.active.rawValue, at: now())
            try DatasetQueries.updateSchema(dataset.id, schemaID: schema.id, update: update, at: now(), connection)
            try audit(
                connection, caller, "UpdateDataset", resource: "dataset/\(dataset.path)", datasetGroupID: group.id,
                parameters: ["schema": .string(schema.name), "previousSchema": .string(dataset.schemaName)])
            try noteChange(of: dataset, connection)
            return try self.dataset(id: dataset.id, connection)
        }
    }

    /// Deletes the dataset and its data: rows, histories made of them, import jobs.
    public func deleteDataset(arn: String, by caller: Caller) throws(OperationError) {
        try change { connection in
            let found = try dataset(arn: arn, by: caller, connection)
            _ = try lockedDatasetGroup(id: found.datasetGroupID, connection)
            let dataset = try dataset(id: found.id, connection)
            guard dataset.status.isDeletable else { throw OperationError.inUse("The dataset is in status \(dataset.status.rawValue).") }
            if let work = try DatasetQueries.pendingWork(dataset, connection) {
                throw OperationError.inUse("The dataset is used by the \(work), which has not ended.")
            }
            let resource = "dataset/\(dataset.path)"
            try deleteTags(of: resource, connection)
            try DatasetQueries.delete(dataset, connection)
            try audit(connection, caller, "DeleteDataset", resource: resource, datasetGroupID: dataset.datasetGroupID)
            try noteChange(of: dataset, connection)
        }
    }

    /// The parsed schemas of a group's datasets, by type.
    func schemas(ofGroup id: Int32, _ connection: Connection) throws -> [DatasetType: AvroSchema] {
        var schemas: [DatasetType: AvroSchema] = [:]
        for dataset in try DatasetQueries.all(ofGroup: id, connection) {
            schemas[dataset.type] = try schema(id: dataset.schemaID, connection).parsed()
        }
        return schemas
    }

    func dataset(arn: String, by caller: Caller, _ connection: Connection) throws -> Dataset {
        let parsed = try ResourceARN(parsing: arn, .dataset, field: "datasetArn")
        let parts = parsed.path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let type = DatasetType(rawValue: String(parts[1])),
            let dataset = try DatasetQueries.find(group: String(parts[0]), type: type, connection)
        else { throw ResourceARN.notFound(arn) }
        try caller.require(datasetGroup: dataset.datasetGroupID, resource: arn)
        return dataset
    }

    func dataset(id: Int32, _ connection: Connection) throws -> Dataset {
        guard let dataset = try DatasetQueries.find(id: id, connection) else { throw ResourceARN.notFound("dataset/\(id)") }
        return dataset
    }

    /// A dataset's columns are part of every worker's catalogue, which is loaded anew.
    private func noteChange(of dataset: Dataset, _ connection: Connection) throws {
        if dataset.type == .items || dataset.type == .users {
            _ = try nextCatalogueRevision(connection, datasetGroupID: dataset.datasetGroupID, whole: true)
        }
        if dataset.type == .actions { _ = try nextActionRevision(connection, datasetGroupID: dataset.datasetGroupID) }
        try bumpResources(connection, datasetGroupID: dataset.datasetGroupID)
    }

    private func requireFit(of schema: DatasetSchema, type: DatasetType, in group: DatasetGroup) throws(OperationError) {
        if let domain = group.domain, schema.domain != domain {
            throw .invalidInput("The schema must be of the dataset group's domain \(domain).", field: "schemaArn")
        }
        if group.domain != nil, type == .actions || type == .actionInteractions {
            throw .invalidInput("A domain dataset group has no datasets of type \(type.rawValue).", field: "datasetType")
        }
        let kind = try schema.parsed().kind
        guard kind == type.kind else {
            throw .invalidInput("The schema \(schema.name) describes \(kind.rawValue), not \(type.kind.rawValue).", field: "schemaArn")
        }
    }

    private func requireSuccession(of schema: DatasetSchema, after previous: DatasetSchema) throws(OperationError) {
        let columns = try schema.parsed()
        for old in try previous.parsed().columns {
            guard let new = columns.column(named: old.name) else {
                throw .invalidInput(
                    "The new schema lacks the column \(old.name) of \(previous.name). Columns can only be added.", field: "schemaArn")
            }
            guard new.type == old.type else {
                throw .invalidInput("The new schema changes the type of the column \(old.name).", field: "schemaArn")
            }
        }
    }
}
