import Tastemaker
import Web

extension ConsoleRoutes {
    static let signIn: [ConsoleRoute] = [
        .page(.get, "/console/sign-in", .everyone) { visit in
            if visit.session != nil { return visit.redirect(to: .home) }
            return try SignInPages.form(visit, login: "", next: visit.request.query("next"), refusal: nil)
        },
        .page(.post, "/console/sign-in", .everyone, SignInPages.signIn),
        .page(.post, "/console/sign-out", .passwordHolder) { visit in
            try visit.endSession()
            return visit.redirect(to: .signIn(), sessionToken: nil, .good("You are signed out."))
        },
        .page(.get, "/console/one-time", .everyone) { visit in
            try SignInPages.oneTime(visit, secret: visit.request.query("secret") ?? "", FormState())
        },
        .page(.post, "/console/one-time", .everyone, SignInPages.redeem),
        .page(.get, "/console/password", .passwordHolder) { visit in try SignInPages.password(visit, FormState()) },
        .page(.post, "/console/password", .passwordHolder, SignInPages.changePassword),
    ]
}

enum SignInPages {
    static func form(_ visit: Visit, login: String, next: String?, refusal: String?, status: Status = .ok) throws -> Response {
        try visit.render(
            "accounts/sign-in",
            [
                "login": .text(login), "next": .text(next ?? ""), "refusal": .text(refusal), "actionURL": .url(.signIn()),
            ], status: status)
    }

    static func signIn(_ visit: Visit) throws -> Response {
        let form = try visit.form()
        let login = form.text("login") ?? ""
        let outcome = try visit.environment.signIn(
            login: login, password: form["password"] ?? "", address: visit.request.remoteAddress, requestID: visit.request.requestID)
        switch outcome {
        case .signedIn(let token, let session):
            try visit.endSession()
            return visit.redirect(to: session.mustChangePassword ? .password : target(form["next"]), sessionToken: token)
        case .refused:
            return try self.form(
                visit, login: login, next: form["next"], refusal: "Login or password is wrong.", status: .unprocessableContent)
        case .limited(let seconds):
            let wait = PageFormat.count((seconds + 59) / 60, "minute", "minutes")
            var response = try self.form(
                visit, login: login, next: form["next"], refusal: "Too many failed attempts. Try again in \(wait).",
                status: .tooManyRequests)
            response.setHeader("Retry-After", String(seconds))
            return response
        }
    }

    /// Only a page of the console is gone to after signing in: no other site's.
    private static func target(_ next: String?) -> URLValue {
        guard let next, next.utf8.starts(with: "/console/".utf8), let url = URLValue(next) else { return .home }
        return url
    }

    static func oneTime(_ visit: Visit, secret: String, _ state: FormState) throws -> Response {
        let account = try visit.environment.accountOfOneTimeSecret(secret)
        return try visit.render(
            "accounts/one-time",
            [
                "login": .text(account?.login), "secret": .text(secret), "actionURL": .url(URLValue(path: ["console", "one-time"])),
                "error": state.error("password"), "problem": state.otherError(besides: ["password"]),
            ], status: account == nil ? .gone : .ok)
    }

    static func redeem(_ visit: Visit) throws -> Response {
        try visit.submit { form in
            let secret = form["secret"] ?? ""
            let redeemed = try visit.environment.redeemOneTimeSecret(
                secret, newPassword: form["password"] ?? "", requestID: visit.request.requestID)
            guard let redeemed else { return try oneTime(visit, secret: "", FormState()) }
            try visit.endSession()
            return visit.redirect(to: .home, sessionToken: redeemed.token, .good("Your password is set."))
        } orShow: { state in
            try oneTime(visit, secret: visit.form()["secret"] ?? "", state)
        }
    }

    static func password(_ visit: Visit, _ state: FormState) throws -> Response {
        let isForced = visit.session?.mustChangePassword ?? false
        return try visit.render(
            "accounts/password",
            [
                "heading": isForced ? "Set a new password" : "Change your password",
                "explanation": isForced
                    ? "You came in with a one-time password. Set your own to go on: from then on the one-time password is no longer good."
                    : .text("You are signed in as \(visit.session?.login ?? "") (\(visit.session?.role.rawValue ?? ""))."),
                "needsCurrent": .bool(!isForced), "current": state.field("current"), "password": state.field("password"),
                "problem": state.otherError(besides: ["current", "password"]), "actionURL": .url(.password),
            ])
    }

    static func changePassword(_ visit: Visit) throws -> Response {
        guard let session = visit.session else { return visit.redirect(to: .signIn()) }
        return try visit.submit { form in
            let changed = try visit.environment.changePassword(
                of: session, current: form["current"], newPassword: form["password"] ?? "", requestID: visit.request.requestID)
            return visit.redirect(to: .home, sessionToken: changed.token, .good("Your password is set."))
        } orShow: {
            try password(visit, $0)
        }
    }
}
