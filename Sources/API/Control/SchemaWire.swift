import JSON
import Tastemaker

enum SchemaWire {
    static func create(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let schema = try call.environment.createSchema(
            CreateSchemaInput(name: try call.required("name"), body: try call.required("schema"), domain: try call.optional("domain")),
            by: call.caller)
        out.member("schemaArn", call.arn(.schema, schema.name))
    }

    static func describe(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let schema = try call.environment.describeSchema(arn: call.required("schemaArn"), by: call.caller)
        out.object("schema") { out in
            head(schema, call, &out)
            out.member("schema", schema.body)
        }
    }

    static func list(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let page = try call.environment.listSchemas(call.page(), by: call.caller)
        out.page("schemas", page) { out, schema in head(schema, call, &out) }
    }

    static func delete(_ call: ControlCall, _ out: inout JSONWriter) throws {
        try call.environment.deleteSchema(arn: call.required("schemaArn"), by: call.caller)
    }

    private static func head(_ schema: DatasetSchema, _ call: ControlCall, _ out: inout JSONWriter) {
        out.member("name", schema.name)
        out.member("schemaArn", call.arn(.schema, schema.name))
        out.dates(schema.createdAt, schema.updatedAt)
        out.member("domain", schema.domain)
    }
}
