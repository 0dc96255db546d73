import Tastemaker
import Web

extension ConsoleRoutes {
    static let accounts: [ConsoleRoute] = [
        .page(.get, "/console/accounts", .admins) { visit in try AccountPages.list(visit, FormState()) },
        .page(.post, "/console/accounts", .admins, AccountPages.create),
        .page(.post, "/console/accounts/{account}/reset", .admins, AccountPages.reset),
        .page(.post, "/console/accounts/{account}/role", .admins, AccountPages.changeRole),
        .page(.post, "/console/accounts/{account}/disable", .admins, AccountPages.disable),
        .page(.post, "/console/accounts/{account}/enable", .admins, AccountPages.enable),
    ]
}

enum AccountPages {
    static func list(_ visit: Visit, _ state: FormState) throws -> Response { try list(visit, state, made: nil) }

    /// `made`: a link to hand over, shown on the answer to the form that made it.
    private static func list(_ visit: Visit, _ state: FormState, made: OneTimeSecret?) throws -> Response {
        let accounts = try visit.environment.listAccounts(by: visit.accountCaller)
        let format = try PageFormat(visit.workingGroup())
        let roles = Role.allCases.map { (value: $0.rawValue, label: "\($0.rawValue): \(duty(of: $0))") }
        return try visit.render(
            "accounts/list",
            [
                "made": made.map { .object(["login": .text($0.account.login), "link": .text(link(visit, $0.secret))]) } ?? false,
                "accounts": .list(accounts.map { row($0, visit, format) }), "login": state.field("login"),
                "roles": state.options("role", roles, default: Role.marketer.rawValue), "problem": state.otherError(besides: ["login"]),
                "actionURL": .url(.accounts),
            ])
    }

    static func link(_ visit: Visit, _ secret: String) -> String { visit.environment.settings.publicURL + URLValue.oneTime(secret).text }

    private static func row(_ account: Account, _ visit: Visit, _ format: PageFormat) -> ViewModel {
        func url(_ action: String) -> ViewValue { .url(URLValue(path: ["console", "accounts", String(account.id), action])) }
        return [
            "id": .text(String(account.id)), "login": .text(account.login), "role": .text(account.role.rawValue),
            "roles": FormState().options(
                "role", Role.allCases.map { (value: $0.rawValue, label: $0.rawValue) }, default: account.role.rawValue),
            "isSelf": .bool(account.id == visit.session?.accountID), "isActive": .bool(account.isActive),
            "state": account.isActive ? (account.hasPassword ? "active" : "waits for the first sign-in") : "disabled",
            "kind": account.isActive ? (account.hasPassword ? "good" : "warn") : "", "createdAt": format.moment(account.createdAt),
            "resetURL": url("reset"), "roleURL": url("role"), "disableURL": url("disable"), "enableURL": url("enable"),
        ]
    }

    private static func duty(of role: Role) -> String {
        switch role {
        case .admin: "everything"
        case .marketer: "placements, promotions, experiments"
        case .analyst: "metrics and experiments, to read"
        case .operator: "data, models, jobs, keys"
        case .readOnly: "looks at everything, changes nothing"
        }
    }

    static func create(_ visit: Visit) throws -> Response {
        try visit.submit { form in
            guard let role = Role(rawValue: form.text("role") ?? "") else {
                throw OperationError.invalidInput("Choose a role.", field: "role")
            }
            let made = try visit.environment.createAccount(login: form.text("login") ?? "", role: role, by: visit.accountCaller)
            return try list(visit, FormState(), made: made)
        } orShow: {
            try list(visit, $0)
        }
    }

    static func reset(_ visit: Visit) throws -> Response {
        try change(visit) { id in
            let made = try visit.environment.resetAccount(id: id, by: visit.accountCaller)
            return try list(visit, FormState(), made: made)
        }
    }

    static func changeRole(_ visit: Visit) throws -> Response {
        let role = try visit.form().text("role").flatMap { Role(rawValue: $0) }
        return try change(visit) { id in
            guard let role else { throw OperationError.inUse("There is no such role.") }
            try visit.environment.updateAccountRole(id: id, role: role, by: visit.accountCaller)
            return visit.redirect(to: .accounts, .good("The role acts from the next request on."))
        }
    }

    static func disable(_ visit: Visit) throws -> Response {
        try change(visit) { id in
            if id == visit.session?.accountID { throw OperationError.inUse("This is your own account.") }
            try visit.environment.disableAccount(id: id, by: visit.accountCaller)
            return visit.redirect(
                to: .accounts,
                .good("The account is disabled and signed out.", undo: URLValue(path: ["console", "accounts", String(id), "enable"])))
        }
    }

    static func enable(_ visit: Visit) throws -> Response {
        try change(visit) { id in
            try visit.environment.enableAccount(id: id, by: visit.accountCaller)
            return visit.redirect(to: .accounts, .good("The account is enabled."))
        }
    }

    private static func change(_ visit: Visit, _ action: (Int32) throws -> Response) throws -> Response {
        do {
            return try action(visit.pathNumber("account"))
        } catch OperationError.inUse(let sentence) {
            return visit.redirect(to: .accounts, .bad(sentence))
        }
    }
}
