import JSON
import Tastemaker
import Web

extension ConsoleRoutes {
    static let audit: [ConsoleRoute] = [.page(.get, "/console/audit", .operators, AuditPages.list)]
}

enum AuditPages {
    static func list(_ visit: Visit) throws -> Response {
        let query = try visit.request.queryItems()
        let before = query.text("before").flatMap { Int64($0) }
        let resource = query.text("resource")
        let entries = try visit.environment.listAudit(datasetGroupID: nil, resource: resource, before: before, limit: 51)
        let format = try PageFormat(visit.workingGroup())
        let filter = resource.map { [("resource", $0)] } ?? []
        let first = URLValue(path: ["console", "audit"], query: filter)
        let older =
            entries.count > 50
            ? entries.dropLast().last.map { URLValue(path: ["console", "audit"], query: filter + [("before", String($0.id))]) } : nil
        return try visit.render(
            "operation/audit",
            [
                "resource": .text(resource ?? ""), "isFiltered": .bool(resource != nil), "allURL": .url(.audit), "actionURL": .url(.audit),
                "isEmpty": .bool(entries.isEmpty),
                "entries": .list(
                    entries.prefix(50).map { entry in
                        [
                            "at": format.moment(entry.at), "actor": .text(entry.actor), "actorKind": .text(entry.actorKind),
                            "action": .text(entry.action), "resource": .text(entry.resource), "error": .text(entry.errorCode),
                            "resourceURL": .url(URLValue(path: ["console", "audit"], query: [("resource", entry.resource ?? "")])),
                            "parameters": .text(parameters(entry)),
                        ]
                    }),
                "pager": before == nil && older == nil
                    ? false
                    : .object([
                        "summary": "Newest first", "newerURL": before == nil ? false : .url(first),
                        "olderURL": older.map { .url($0) } ?? false,
                    ]),
            ])
    }

    private static func parameters(_ entry: AuditEntry) -> String? {
        let text = String(decoding: entry.parameters.serialized(), as: UTF8.self)
        return text == "{}" || text == "null" ? nil : String(text.prefix(300))
    }
}
