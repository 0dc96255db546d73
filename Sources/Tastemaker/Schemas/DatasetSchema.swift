import Feeds
public import Postgres

/// An immutable description of a dataset's columns, in Avro's JSON form.
public struct DatasetSchema: Sendable, Equatable {
    public let id: Int32
    public let name: String
    public let domain: String?
    /// Exactly as it was given.
    public let body: String
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp
}

public struct CreateSchemaInput: Sendable {
    public var name: String
    /// The Avro document as text, at most 20,000 characters.
    public var body: String
    public var domain: String?

    public init(name: String, body: String, domain: String? = nil) {
        self.name = name
        self.body = body
        self.domain = domain
    }
}

extension DatasetSchema {
    /// The columns. What was stored parsed once, so an error means that the rules became stricter since.
    func parsed() throws(OperationError) -> AvroSchema {
        try DatasetSchema.parse(body, domain: domain, field: "schemaArn")
    }

    static func parse(_ body: String, domain: String?, field: String) throws(OperationError) -> AvroSchema {
        do {
            return try AvroSchema(parsing: body, domain: domain.flatMap(Domain.init(rawValue:)))
        } catch {
            throw .invalidInput("The schema is not valid. \(error.description)", field: field)
        }
    }
}
