import Crypto
import Tastemaker
import Web

/// Decides for every request whether its route's handler may run: session, one-time password, role, forged forms.
enum Gate {
    static let sessionCookie = "tastemaker_session"
    /// Binds the forms of people who are not signed in to their browser.
    static let formCookie = "tastemaker_form"

    static func judge(_ context: inout ConsoleContext, _ request: Request, _ route: ConsoleRoute) throws -> Response? {
        context.session = nil
        context.sessionToken = nil
        if let token = request.cookie(context.shared.cookieName(sessionCookie)),
            let session = try context.services.environment.session(token: token)
        {
            context.session = session
            context.sessionToken = token
        }
        if let refusal = try refuse(context, request, route) { return refusal }
        if !request.method.isSafe { try checkForm(context, request) }
        return nil
    }

    private static func refuse(_ context: ConsoleContext, _ request: Request, _ route: ConsoleRoute) throws -> Response? {
        if route.access == .everyone { return nil }
        guard let session = context.session else { return signInFirst(request) }
        if route.access == .passwordHolder { return nil }
        if session.mustChangePassword { return .redirect(.password) }
        guard route.access.allows(session.role) else {
            let caller = Caller(.account(login: session.login, role: session.role), requestID: request.requestID)
            try context.services.environment.auditDenied(caller, route.name, resource: nil, errorCode: "AccessDenied")
            throw HTTPError(.forbidden, code: "AccessDenied", message: "The role \(session.role.rawValue) may not do this.")
        }
        return nil
    }

    /// A page is shown after signing in; a form has to be sent again.
    private static func signInFirst(_ request: Request) -> Response {
        let target = String(decoding: request.target, as: UTF8.self)
        return .redirect(.signIn(next: request.method.isSafe && target != "/console" ? target : nil))
    }

    private static func checkForm(_ context: ConsoleContext, _ request: Request) throws {
        guard let binding = context.sessionToken ?? request.cookie(context.shared.cookieName(formCookie)) else {
            try CSRF.checkOrigin(request)
            throw HTTPError(
                .forbidden, code: "Forged", message: "The form is out of date, or the browser keeps no cookies. Load the page again.")
        }
        try context.shared.csrf.check(request, session: binding)
    }
}
