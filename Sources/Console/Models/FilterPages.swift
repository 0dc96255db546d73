import FilterLanguage
import Tastemaker
import Web

extension ConsoleRoutes {
    static let filters: [ConsoleRoute] = [
        .group(.get, "/filters", .viewOperation) { visit, group in try FilterPages.list(visit, group, FormState()) },
        .group(.post, "/filters", .operators, FilterPages.create),
        .group(.get, "/filters/{filter}/delete", .operators, FilterPages.confirmDeletion),
        .group(.post, "/filters/{filter}/delete", .operators, FilterPages.delete),
    ]
}

enum FilterPages {
    /// The group's filters that select items, or what else is said.
    static func filters(_ visit: Visit, _ group: DatasetGroup, of target: FilterTarget = .item) throws -> [Filter] {
        try visit.environment.listFilters(datasetGroupARN: visit.arn(.datasetGroup, group.name), PageRequest(), by: visit.caller).items
            .filter { (try? FilterExpression(parsing: $0.expression))?.target == target }
    }

    /// Names of a filter's parameters.
    static func placeholders(_ filter: Filter?) -> [String] {
        guard let filter, let expression = try? FilterExpression(parsing: filter.expression) else { return [] }
        return expression.placeholders.map(\.name)
    }

    static func list(_ visit: Visit, _ group: DatasetGroup, _ state: FormState) throws -> Response {
        let page = try visit.environment.listFilters(
            datasetGroupARN: visit.arn(.datasetGroup, group.name), visit.pageRequest(), by: visit.caller)
        return try visit.render(
            "models/filters",
            [
                "canChange": .bool(visit.may(.operators)), "isEmpty": .bool(page.items.isEmpty),
                "filters": .list(
                    page.items.map { filter in
                        let parameters = placeholders(filter)
                        return [
                            "name": .text(filter.name), "expression": .text(filter.expression), "status": StatusBadge.value(filter.status),
                            "failure": .text(filter.failureReason),
                            "parameters": .text(parameters.isEmpty ? "none" : parameters.joined(separator: ", ")),
                            "deleteURL": .url(.page(group, "filters", filter.name, "delete")),
                        ]
                    }), "name": state.field("name"), "expression": state.field("filterExpression"),
                "problem": state.otherError(besides: ["name", "filterExpression"]), "actionURL": .url(.filters(group)),
                "pager": try visit.pager(next: page.nextToken, base: .filters(group)),
            ])
    }

    static func create(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        try visit.submit { form in
            let filter = try visit.environment.createFilter(
                CreateFilterInput(
                    name: form.text("name") ?? "", datasetGroupARN: visit.arn(.datasetGroup, group.name),
                    expression: form.text("filterExpression") ?? ""), by: visit.caller)
            return visit.redirect(to: .filters(group), .good("The filter \(filter.name) acts in the next answer that names it."))
        } orShow: {
            try list(visit, group, $0)
        }
    }

    static func confirmDeletion(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let filter = try visit.environment.describeFilter(arn: visit.arn(.filter, visit.pathText("filter")), by: visit.caller)
        return try ConfirmPage(
            thing: "the filter \(filter.name)", consequence: "Programs that name it in a request get an error from then on.",
            deleteURL: .page(group, "filters", filter.name, "delete"), backURL: .filters(group)
        ).show(visit)
    }

    static func delete(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let name = try visit.pathText("filter")
        do {
            try visit.environment.deleteFilter(arn: visit.arn(.filter, name), by: visit.caller)
            return visit.redirect(to: .filters(group), .good("The filter \(name) is deleted."))
        } catch OperationError.inUse(let sentence) {
            return visit.redirect(to: .filters(group), .bad(sentence))
        }
    }
}
