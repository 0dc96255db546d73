import Feeds
import Postgres

extension Environment {
    public func createSchema(_ input: CreateSchemaInput, by caller: Caller) throws(OperationError) -> DatasetSchema {
        try Check.name(input.name)
        try Check.length(input.body, 0...AvroSchema.textLimit, field: "schema")
        if let domain = input.domain { try Check.oneOf(domain, Domain.allCases.map(\.rawValue), field: "domain") }
        _ = try DatasetSchema.parse(input.body, domain: input.domain, field: "schema")
        return try change { try storeSchema(input, by: caller, $0) }
    }

    /// Of a checked body, within a transaction of the caller's.
    func storeSchema(_ input: CreateSchemaInput, by caller: Caller, _ connection: Connection) throws -> DatasetSchema {
        if try SchemaQueries.exists(name: input.name, connection) {
            throw OperationError.alreadyExists("A schema named \(input.name) already exists.")
        }
        let schema = try SchemaQueries.insert(input, scope: caller.schemaScope, at: now(), connection)
        try audit(connection, caller, "CreateSchema", resource: "schema/\(schema.name)", datasetGroupID: caller.datasetGroupID)
        return schema
    }

    public func describeSchema(arn: String, by caller: Caller) throws(OperationError) -> DatasetSchema {
        try read { try schema(arn: arn, by: caller, $0) }
    }

    public func listSchemas(_ request: PageRequest, by caller: Caller) throws(OperationError) -> Page<DatasetSchema> {
        try page(request, scope: "ListSchemas") {
            try SchemaQueries.list(after: $0, limit: $1, scope: caller.schemaScope, $2)
        }
    }

    public func deleteSchema(arn: String, by caller: Caller) throws(OperationError) {
        try change { connection in
            let schema = try schema(arn: arn, by: caller, connection)
            if try SchemaQueries.isUsed(schema.id, connection) {
                throw OperationError.inUse("The schema \(schema.name) is used by a dataset. Delete the dataset first.")
            }
            try SchemaQueries.delete(schema.id, connection)
            try audit(connection, caller, "DeleteSchema", resource: "schema/\(schema.name)", datasetGroupID: caller.datasetGroupID)
        }
    }

    /// The schema that an ARN names, if the caller may see it.
    func schema(arn: String, by caller: Caller, _ connection: Connection) throws -> DatasetSchema {
        let parsed = try ResourceARN(parsing: arn, .schema, field: "schemaArn")
        guard let schema = try SchemaQueries.find(name: parsed.path, scope: caller.schemaScope, connection) else {
            throw ResourceARN.notFound(arn)
        }
        return schema
    }

    func schema(id: Int32, _ connection: Connection) throws -> DatasetSchema {
        guard let schema = try SchemaQueries.find(id: id, connection) else { throw ResourceARN.notFound("schema/\(id)") }
        return schema
    }
}

extension Caller {
    fileprivate var schemaScope: SchemaQueries.Scope {
        guard let datasetGroupID, case .accessKey(let id) = actor else { return .init(datasetGroupID: datasetGroupID, accessKeyID: nil) }
        return .init(datasetGroupID: datasetGroupID, accessKeyID: id)
    }
}
