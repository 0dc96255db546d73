import Crypto
public import Tastemaker
public import Web

/// One request of a person: who asks, in which dataset group, and how a page or a redirect answers.
public struct Visit {
    public let services: Services
    public let request: Request
    /// Nil only on routes for everyone.
    public let session: Session?
    public private(set) var group: DatasetGroup?
    let shared: ConsoleShared
    private let sessionToken: String?
    /// Made for a browser that has none yet.
    private let newFormBinding: String?
    private let formBinding: String

    init(_ context: ConsoleContext, _ request: Request) {
        services = context.services
        shared = context.shared
        self.request = request
        session = context.session
        sessionToken = context.sessionToken
        let known = context.sessionToken ?? request.cookie(context.shared.cookieName(Gate.formCookie))
        newFormBinding = known == nil ? SecureRandom.token(.base64URL, length: 32) : nil
        formBinding = known ?? newFormBinding ?? ""
    }

    public var environment: Environment { services.environment }

    /// Bound to the group of the page, so that another group's resource is not found. Nothing a visitor does is without a name.
    public var caller: Caller {
        Caller(
            session.map { .account(login: $0.login, role: $0.role) } ?? .account(login: "visitor", role: .readOnly),
            datasetGroupID: group?.id, region: environment.installation.region, requestID: request.requestID)
    }

    /// For what belongs to no group, as schemas do.
    public var accountCaller: Caller {
        Caller(caller.actor, region: environment.installation.region, requestID: request.requestID)
    }

    /// Goes into every form.
    public var csrfToken: String { shared.csrf.token(session: formBinding) }

    /// Whether the person may use routes of an access, for showing a button or not.
    public func may(_ access: Access) -> Bool { session.map { access.allows($0.role) } ?? false }

    /// The ARN of a resource, as operations of the contract take it.
    public func arn(_ kind: ResourceARN.Kind, _ path: String) -> String {
        ResourceARN(kind: kind, path: path).text(region: environment.installation.region, account: environment.installation.accountID)
    }

    public func form() throws -> Form { try Form(body: request) }

    /// A value of the path; 404 when the pattern has none or it is no number.
    public func pathNumber(_ name: String) throws -> Int32 {
        guard let number = request.pathValue(name).flatMap({ Int32($0) }) else {
            throw OperationError.notFound("There is nothing at this address.")
        }
        return number
    }

    public func pathText(_ name: String) throws -> String {
        guard let text = request.pathValue(name) else { throw OperationError.notFound("There is nothing at this address.") }
        return text
    }

    /// For a streamed form: its field `csrf`.
    public func checkToken(_ token: String) throws {
        guard shared.csrf.isValid(token, session: formBinding) else {
            throw HTTPError(.forbidden, code: "Forged", message: "The form is out of date. Go back, load the page again and repeat.")
        }
    }

    /// The visit with the group that the path names.
    func inGroup() throws -> (visit: Visit, group: DatasetGroup) {
        let group = try environment.describeDatasetGroup(arn: arn(.datasetGroup, pathText("group")), by: accountCaller)
        var visit = self
        visit.group = group
        if let session, let sessionToken, session.datasetGroupID != group.id {
            try environment.rememberDatasetGroup(group.id, sessionToken: sessionToken)
        }
        return (visit, group)
    }

    /// The group of the page, else the one that the person last worked in, else the newest.
    func workingGroup() throws -> DatasetGroup? {
        if let group { return group }
        guard session != nil else { return nil }
        if let id = session?.datasetGroupID, let group = try? environment.describeDatasetGroup(id: id, by: accountCaller) { return group }
        return try environment.listDatasetGroups(PageRequest(maxResults: 1), by: accountCaller).items.first
    }
}

extension Visit {
    /// A page within the layout. `model` holds what its template asks for.
    public func render(_ template: String, _ model: ViewModel, status: Status = .ok) throws -> Response {
        let flash = request.cookie(shared.cookieName(Flash.cookie)).flatMap { Flash(sealed: $0, key: shared.flashKey) }
        let frame = try frame(flash: flash)
        var response = Response.html(try shared.templates.render(template, frame.merging(model)), status: status)
        if flash != nil, let cookie = cookie(Flash.cookie, "", maxAge: 0) { response.setCookie(cookie) }
        return finished(response)
    }

    /// A page outside of the console's layouts; its scripts carry the headers' nonce.
    func renderAlone(_ template: String, _ model: ViewModel, _ headers: SecurityHeaders, status: Status = .ok) throws -> Response {
        finished(.html(try shared.templates.render(template, model), status: status), headers)
    }

    /// 303, after a form was taken.
    public func redirect(to url: URLValue, _ flash: Flash? = nil) -> Response {
        var response = Response.redirect(url)
        if let flash, let cookie = cookie(Flash.cookie, flash.sealed(key: shared.flashKey), maxAge: 120) { response.setCookie(cookie) }
        return finished(response)
    }

    public func json(_ body: [UInt8]) -> Response { finished(.json(body)) }

    /// A file to save.
    public func file(_ body: [UInt8], contentType: String, name: String) -> Response {
        var response = Response(.ok, contentType: contentType, body: body)
        response.setHeader("Content-Disposition", "attachment; filename=\"\(name.filter { $0.isASCII && $0 != "\"" && $0 != "\\" })\"")
        return finished(response)
    }

    /// Redirects with a new session, or without one. A session never outlives a sign-in: the token is always new.
    func redirect(to url: URLValue, sessionToken token: String?, _ flash: Flash? = nil) -> Response {
        var response = redirect(to: url, flash)
        if let cookie = cookie(Gate.sessionCookie, token ?? "", maxAge: token == nil ? 0 : 7 * 86_400) { response.setCookie(cookie) }
        return response
    }

    /// Ends the session that the browser had before.
    func endSession() throws {
        if let sessionToken { try environment.signOut(token: sessionToken) }
    }

    private func cookie(_ name: String, _ value: String, maxAge: Int?) -> Cookie? {
        var cookie = Cookie(name: shared.cookieName(name), value: value, isSecure: shared.isSecure, maxAge: maxAge)
        cookie?.path = "/"
        return cookie
    }

    private func finished(_ response: Response, _ headers: SecurityHeaders? = nil) -> Response {
        var response = response
        if let newFormBinding, let cookie = cookie(Gate.formCookie, newFormBinding, maxAge: nil) { response.setCookie(cookie) }
        (headers ?? SecurityHeaders(isSecure: shared.isSecure)).apply(to: &response)
        return response
    }

    /// What the layouts ask for.
    private func frame(flash: Flash?) throws -> ViewModel {
        let group = try workingGroup()
        return [
            "groupName": .text(group?.name), "groupURL": group.map { .url(.today($0)) } ?? false,
            "isSimulated": .bool(group?.isSimulated ?? false), "zoneName": .text(group?.timeZone ?? "UTC"),
            "searchURL": group.map { .url(.items($0)) } ?? false, "query": .text((try? request.query("q")) ?? ""),
            "navigation": Navigation.value(for: self, group: group), "flash": flash?.value ?? false,
            "accountName": .text(session?.login ?? ""), "accountURL": .url(.password), "signOutURL": .url(.signOut),
            "csrf": .text(csrfToken), "productVersion": .text(shared.version), "pager": false,
        ]
    }
}
