import Tastemaker
import Web

extension ConsoleRoutes {
    static let keys: [ConsoleRoute] = [
        .page(.get, "/console/keys", .operators) { visit in try KeyPages.show(visit, FormState()) },
        .page(.post, "/console/keys/access", .operators, KeyPages.createAccessKey),
        .page(.post, "/console/keys/access/{key}/disable", .operators, KeyPages.disableAccessKey),
        .page(.post, "/console/keys/api", .operators, KeyPages.createAPIKey),
        .page(.post, "/console/keys/api/{key}/disable", .operators, KeyPages.disableAPIKey),
    ]
}

enum KeyPages {
    /// A secret is shown on the answer to its form, once.
    private struct Made {
        let title: String
        let id: String?
        let secret: String
    }

    static func show(_ visit: Visit, _ state: FormState) throws -> Response { try show(visit, state, made: nil) }

    private static func show(_ visit: Visit, _ state: FormState, made: Made?) throws -> Response {
        let groups = try visit.environment.listDatasetGroups(PageRequest(), by: visit.accountCaller).items
        let names = Dictionary(groups.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        let choices = [(value: "", label: "the whole installation")] + groups.map { (value: String($0.id), label: $0.name) }
        let format = try PageFormat(visit.workingGroup())
        let access = try visit.environment.listAccessKeys(by: visit.accountCaller)
        let api = try visit.environment.listAPIKeys(by: visit.accountCaller)
        return try visit.render(
            "operation/keys",
            [
                "made": made.map { .object(["title": .text($0.title), "id": .text($0.id), "secret": .text($0.secret)]) } ?? false,
                "endpoint": .text(visit.environment.settings.publicURL), "region": .text(visit.environment.installation.region),
                "hasAccessKeys": .bool(!access.isEmpty), "hasAPIKeys": .bool(!api.isEmpty),
                "accessKeys": .list(
                    access.map { key in
                        row(
                            name: key.name, id: key.id, group: key.datasetGroupID, names, createdBy: key.createdBy,
                            disable: URLValue(path: ["console", "keys", "access", key.id, "disable"]), isActive: key.isActive
                        ).merging(["createdAt": format.moment(key.createdAt), "lastUsedAt": format.moment(key.lastUsedAt)])
                    }),
                "apiKeys": .list(
                    api.map { key in
                        row(
                            name: key.name, id: key.scopes.joined(separator: ", "), group: key.datasetGroupID, names,
                            createdBy: key.createdBy,
                            disable: URLValue(path: ["console", "keys", "api", String(key.id), "disable"]), isActive: key.disabledAt == nil
                        ).merging(["createdAt": format.moment(key.createdAt), "lastUsedAt": format.moment(key.lastUsedAt)])
                    }), "groupChoices": state.options("group", choices), "name": state.field("name"),
                "problem": state.otherError(besides: []),
                "scopes": .list(APIKey.allScopes.map { ["value": .text($0), "meaning": .text(meaning(ofScope: $0))] as ViewModel }),
                "accessURL": .url(URLValue(path: ["console", "keys", "access"])),
                "apiURL": .url(URLValue(path: ["console", "keys", "api"])),
            ])
    }

    private static func row(
        name: String, id: String, group: Int32?, _ names: [Int32: String], createdBy: String, disable: URLValue, isActive: Bool
    ) -> ViewModel {
        [
            "name": .text(name), "id": .text(id), "reach": .text(group.map { names[$0] ?? "a deleted group" } ?? "everything"),
            "createdBy": .text(createdBy), "isActive": .bool(isActive), "disableURL": .url(disable),
        ]
    }

    private static func meaning(ofScope scope: String) -> String {
        switch scope {
        case "recommend": "ask placements for recommendations"
        case "catalogue": "read and change items"
        case "users": "erase users"
        case "metrics": "read metrics"
        case "events": "send events"
        case "campaigns": "read and change how campaigns re-rank"
        default: ""
        }
    }

    static func createAccessKey(_ visit: Visit) throws -> Response {
        try visit.submit { form in
            let made = try visit.environment.createAccessKey(
                name: form.text("name") ?? "", datasetGroupID: form.text("group").flatMap { Int32($0) }, by: visit.accountCaller)
            return try show(visit, FormState(), made: Made(title: "The key pair \(made.key.name)", id: made.key.id, secret: made.secret))
        } orShow: {
            try show(visit, $0)
        }
    }

    static func createAPIKey(_ visit: Visit) throws -> Response {
        try visit.submit { form in
            let made = try visit.environment.createAPIKey(
                name: form.text("name") ?? "", scopes: form.values("scope"), datasetGroupID: form.text("group").flatMap { Int32($0) },
                by: visit.accountCaller)
            return try show(visit, FormState(), made: Made(title: "The API key \(made.key.name)", id: nil, secret: made.secret))
        } orShow: {
            try show(visit, $0)
        }
    }

    static func disableAccessKey(_ visit: Visit) throws -> Response {
        try visit.environment.disableAccessKey(id: visit.pathText("key"), by: visit.accountCaller)
        return visit.redirect(to: .keys, .good("The key is disabled for good."))
    }

    static func disableAPIKey(_ visit: Visit) throws -> Response {
        try visit.environment.disableAPIKey(id: visit.pathNumber("key"), by: visit.accountCaller)
        return visit.redirect(to: .keys, .good("The key is disabled for good."))
    }
}
