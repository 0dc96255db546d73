import Feeds
import Tastemaker
import Web

extension ConsoleRoutes {
    static let groups: [ConsoleRoute] = [
        .page(.get, "/console/groups", .viewOperation, GroupPages.list),
        .page(.get, "/console/new-group", .operators) { visit in try GroupPages.newForm(visit, FormState()) },
        .page(.post, "/console/groups", .operators, GroupPages.create),
        .group(.get, "/data", .viewOperation) { visit, group in try GroupPages.data(visit, group, FormState()) },
        .group(.post, "/data", .operators, GroupPages.updateDisplay),
        .group(.post, "/delete", .operators, GroupPages.delete),
        .group(.get, "/schemas/{schema}", .viewOperation, SchemaPages.show),
        .page(.get, "/console/schemas", .viewOperation, SchemaPages.list),
        .page(.get, "/console/schemas/{schema}", .viewOperation) { visit in try SchemaPages.show(visit, nil) },
        .page(.post, "/console/schemas", .operators, SchemaPages.create),
        .page(.post, "/console/schemas/{schema}/delete", .operators, SchemaPages.delete),
    ]
}

enum GroupPages {
    static func list(_ visit: Visit) throws -> Response {
        let page = try visit.environment.listDatasetGroups(visit.pageRequest(), by: visit.accountCaller)
        return try visit.render(
            "groups/list",
            [
                "canChange": .bool(visit.may(.operators)), "newGroupURL": .url(.newGroup), "isEmpty": .bool(page.items.isEmpty),
                "groups": .list(
                    page.items.map { group in
                        let format = PageFormat(group)
                        return [
                            "name": .text(group.name), "url": .url(.today(group)), "dataURL": .url(.data(group)),
                            "status": StatusBadge.value(group.status), "timeZone": .text(group.timeZone), "currency": .text(group.currency),
                            "isDemo": .bool(group.isSimulated), "createdAt": format.moment(group.createdAt),
                        ]
                    }), "pager": try visit.pager(next: page.nextToken, base: .groups),
            ])
    }

    static func newForm(_ visit: Visit, _ state: FormState) throws -> Response {
        try visit.render(
            "groups/new",
            [
                "name": state.field("name"), "domains": state.options("domain", domains),
                "timeZone": state.field("timeZone", default: "UTC"),
                "currency": state.field("currency", default: "USD"),
                "problem": state.otherError(besides: ["name", "timeZone", "currency"]), "actionURL": .url(.groups),
                "backURL": .url(.groups),
            ])
    }

    private static let domains = [
        (value: "", label: "none (custom)"), (value: Domain.ecommerce.rawValue, label: "e-commerce"),
        (value: Domain.videoOnDemand.rawValue, label: "video on demand"),
    ]

    static func create(_ visit: Visit) throws -> Response {
        try visit.submit { form in
            let zone = form.text("timeZone") ?? "UTC"
            let currency = form.text("currency") ?? "USD"
            try DatasetGroup.checkDisplay(timeZone: zone, currency: currency)
            let group = try visit.environment.createDatasetGroup(
                CreateDatasetGroupInput(name: form.text("name") ?? "", domain: form.text("domain")), by: visit.accountCaller)
            try visit.environment.updateDatasetGroupDisplay(
                id: group.id, columns: DisplayColumns(), timeZone: zone, currency: currency, by: visit.accountCaller)
            return visit.redirect(to: .today(group), .good("The dataset group \(group.name) is there. Load items next."))
        } orShow: {
            try newForm(visit, $0)
        }
    }

    static func data(_ visit: Visit, _ group: DatasetGroup, _ state: FormState) throws -> Response {
        let environment = visit.environment
        let format = PageFormat(group)
        let overview = try environment.overview(datasetGroupID: group.id, by: visit.caller)
        let datasets = try environment.listDatasets(datasetGroupARN: nil, PageRequest(), by: visit.caller).items
        let imports = try environment.listDatasetImportJobs(datasetARN: nil, PageRequest(maxResults: 10), by: visit.caller).items
        let columns = try itemColumns(visit, datasets)
        return try visit.render(
            "groups/data",
            [
                "group": .text(group.name), "canChange": .bool(visit.may(.operators)), "uploadURL": .url(.upload(group)),
                "hasDatasets": .bool(!datasets.isEmpty),
                "datasets": .list(
                    datasets.map { dataset in
                        [
                            "type": .text(title(of: dataset.type)), "name": .text(dataset.name),
                            "rows": .text(rows(dataset.type, overview)),
                            "status": StatusBadge.value(dataset.status), "schema": .text(dataset.schemaName),
                            "schemaURL": .url(.page(group, "schemas", dataset.schemaName)), "updatedAt": format.moment(dataset.updatedAt),
                        ]
                    }),
                "hasImports": .bool(!imports.isEmpty), "imports": .list(imports.map { ImportPages.row($0, group) }),
                "displayFields": .list(displayFields(group, columns, state)), "timeZone": state.field("timeZone", default: group.timeZone),
                "currency": state.field("currency", default: group.currency), "hasColumns": .bool(!columns.isEmpty),
                "problem": state.otherError(besides: ["timeZone", "currency"]), "actionURL": .url(.data(group)),
                "deleteURL": .url(.page(group, "delete")),
            ])
    }

    static func title(of type: DatasetType) -> String {
        switch type {
        case .interactions: "Interactions"
        case .items: "Items"
        case .users: "Users"
        case .actions: "Actions"
        case .actionInteractions: "Action interactions"
        }
    }

    private static func rows(_ type: DatasetType, _ overview: GroupOverview) -> String {
        switch type {
        case .interactions: interactions(overview.interactions)
        case .items: PageFormat.number(overview.items)
        case .users: PageFormat.number(overview.users)
        case .actions: PageFormat.number(overview.actions)
        case .actionInteractions: interactions(overview.actionInteractions)
        }
    }

    /// Large numbers are estimates.
    private static func interactions(_ count: Int64) -> String { (count >= 10_000 ? "about " : "") + PageFormat.number(count) }

    /// Names of the Items schema's columns.
    private static func itemColumns(_ visit: Visit, _ datasets: [Dataset]) throws -> [String] {
        guard let items = datasets.first(where: { $0.type == .items }) else { return [] }
        let schema = try visit.environment.describeSchema(arn: visit.arn(.schema, items.schemaName), by: visit.accountCaller)
        let parsed = try? AvroSchema(parsing: schema.body, domain: schema.domain.flatMap { Domain(rawValue: $0) })
        return parsed?.columns.map(\.name) ?? []
    }

    private static func displayFields(_ group: DatasetGroup, _ columns: [String], _ state: FormState) -> [ViewModel] {
        let guess = DisplayColumnGuess.guess(columns)
        return DisplayColumnGuess.fields.map { field in
            let known = group.displayColumns[keyPath: field.path]
            let choices = [(value: "", label: "none")] + columns.map { (value: $0, label: $0) }
            return [
                "id": .text(field.name), "label": .text(field.label),
                "options": state.options(field.name, choices, default: known ?? guess[keyPath: field.path] ?? ""),
                "isGuess": .bool(known == nil && guess[keyPath: field.path] != nil),
            ]
        }
    }

    static func updateDisplay(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        try visit.submit { form in
            var columns = DisplayColumns()
            for field in DisplayColumnGuess.fields { columns[keyPath: field.path] = form.text(field.name) }
            try visit.environment.updateDatasetGroupDisplay(
                id: group.id, columns: columns, timeZone: form.text("timeZone") ?? "", currency: form.text("currency") ?? "",
                by: visit.caller)
            return visit.redirect(to: .data(group), .good("Saved. Lists and placements show it from now on."))
        } orShow: {
            try data(visit, group, $0)
        }
    }

    static func delete(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        try visit.submit { form in
            guard form.text("name") == group.name else {
                throw OperationError.invalidInput("Type the name \(group.name) to delete the group.", field: "name")
            }
            try visit.environment.deleteDatasetGroup(arn: visit.arn(.datasetGroup, group.name), by: visit.caller)
            return visit.redirect(to: .groups, .good("The dataset group \(group.name) is deleted."))
        } orShow: { state in
            try data(visit, group, state)
        }
    }
}
