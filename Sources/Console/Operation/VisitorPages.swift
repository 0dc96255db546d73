import Tastemaker
import Web

extension ConsoleRoutes {
    static let visitors: [ConsoleRoute] = [
        .group(.get, "/visitors", .operators, VisitorPages.search),
        .group(.post, "/visitors/erase", .operators, VisitorPages.erase),
    ]
}

/// What is known of a visitor, and erasing it. The id never stands in a path, so that no log keeps it longer than the person.
enum VisitorPages {
    static func search(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let text = try visit.request.queryItems().text("user") ?? ""
        return try show(visit, group, text: text, problem: nil)
    }

    private static func show(_ visit: Visit, _ group: DatasetGroup, text: String, problem: String?) throws -> Response {
        let format = PageFormat(group)
        var found: UserSummary?
        if !text.isEmpty {
            do throws(OperationError) {
                found = try visit.environment.describeUser(text, datasetGroupName: group.name, by: visit.caller)
            } catch {
                guard case .notFound = error else { throw error }
            }
        }
        let recent = try text.isEmpty ? visit.environment.searchUsers(in: group, text: "", limit: 10, by: visit.caller) : []
        let items = try visit.environment.items(Array(Set(found?.events.map(\.itemID) ?? [])), in: group, by: visit.caller)
        let titles = Dictionary(items.map { ($0.itemID, $0.title) }, uniquingKeysWith: { first, _ in first })
        let events: [ViewModel] = (found?.events ?? []).prefix(50).map { event in
            ["deed": .text(event.eventType), "title": .text(titles[event.itemID] ?? event.itemID), "at": format.moment(event.at)]
        }
        return try visit.render(
            "operation/visitors",
            [
                "user": .text(text), "isFound": .bool(found != nil), "isMissing": .bool(!text.isEmpty && found == nil),
                "problem": .text(problem), "searchVisitorsURL": .url(.visitors(group)), "pickerURL": .url(.page(group, "visitor-ids")),
                "hasRecord": .bool(found?.hasRecord ?? false), "browsers": .number(found?.browsers ?? 0), "events": .list(events),
                "hasEvents": .bool(!events.isEmpty), "hasRecent": .bool(!recent.isEmpty),
                "recent": .list(
                    recent.map { ["label": .text($0), "url": .url(.page(group, "visitors", query: [("user", $0)]))] as ViewModel }),
                "eraseURL": .url(.page(group, "visitors", "erase")),
            ])
    }

    static func erase(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let form = try visit.form()
        let user = form["user"] ?? ""
        guard form["sure"] != nil else {
            var response = try show(visit, group, text: user, problem: "Tick the box: erasing cannot be undone.")
            response.status = .unprocessableContent
            return response
        }
        let erased = try visit.environment.eraseUser(user, datasetGroupID: group.id, by: visit.caller)
        let parts = erased.counts.filter { $0.count > 0 }.map { "\(PageFormat.number($0.count)) \(words($0.name))" }
        return visit.redirect(
            to: .visitors(group), .good("Erased: \(parts.joined(separator: ", ")). Models drop the visitor at their next training."))
    }

    private static func words(_ name: StaticString) -> String {
        switch name.description {
        case "shownLists": "lists shown"
        case "rawEvents": "raw events"
        default: name.description
        }
    }
}
