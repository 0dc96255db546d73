import Feeds
import Tastemaker
import Web

enum SchemaPages {
    static func list(_ visit: Visit) throws -> Response { try list(visit, FormState()) }

    private static func list(_ visit: Visit, _ state: FormState) throws -> Response {
        let page = try visit.environment.listSchemas(visit.pageRequest(), by: visit.accountCaller)
        let format = PageFormat(nil)
        return try visit.render(
            "groups/schemas",
            [
                "canChange": .bool(visit.may(.operators)), "isEmpty": .bool(page.items.isEmpty),
                "schemas": .list(
                    page.items.map { schema in
                        [
                            "name": .text(schema.name), "url": .url(URLValue(path: ["console", "schemas", schema.name])),
                            "columns": .number(columns(of: schema).count), "createdAt": format.moment(schema.createdAt),
                        ]
                    }), "name": state.field("name"), "schema": state.field("schema"),
                "problem": state.otherError(besides: ["name", "schema"]), "actionURL": .url(.schemas),
                "pager": try visit.pager(next: page.nextToken, base: .schemas),
            ])
    }

    static func show(_ visit: Visit, _ group: DatasetGroup?) throws -> Response {
        let schema = try visit.environment.describeSchema(arn: visit.arn(.schema, visit.pathText("schema")), by: visit.accountCaller)
        return try visit.render(
            "groups/schema",
            [
                "name": .text(schema.name), "body": .text(schema.body), "canChange": .bool(visit.may(.operators)),
                "deleteURL": .url(URLValue(path: ["console", "schemas", schema.name, "delete"])), "schemasURL": .url(.schemas),
                "columns": .list(
                    columns(of: schema).map { column in
                        [
                            "name": .text(column.name), "type": .text(column.type.rawValue + (column.isNullable ? ", may be empty" : "")),
                            "notes": .text(
                                [column.isCategorical ? "categorical" : "", column.isTextual ? "text" : ""].filter { !$0.isEmpty }.joined(
                                    separator: ", ")),
                        ]
                    }),
            ])
    }

    private static func columns(of schema: DatasetSchema) -> [SchemaColumn] {
        (try? AvroSchema(parsing: schema.body, domain: schema.domain.flatMap { Domain(rawValue: $0) }))?.columns ?? []
    }

    static func create(_ visit: Visit) throws -> Response {
        try visit.submit { form in
            let schema = try visit.environment.createSchema(
                CreateSchemaInput(name: form.text("name") ?? "", body: form["schema"] ?? ""), by: visit.accountCaller)
            return visit.redirect(to: .schemas, .good("The schema \(schema.name) is stored."))
        } orShow: {
            try list(visit, $0)
        }
    }

    static func delete(_ visit: Visit) throws -> Response {
        let name = try visit.pathText("schema")
        do {
            try visit.environment.deleteSchema(arn: visit.arn(.schema, name), by: visit.accountCaller)
        } catch OperationError.inUse(let sentence) {
            return visit.redirect(to: URLValue(path: ["console", "schemas", name]), .bad(sentence))
        }
        return visit.redirect(to: .schemas, .good("The schema \(name) is deleted."))
    }
}
