import Foundation
import Support
import Testing
import Web

@testable import Console
@testable import Tastemaker

/// A console on a database of its own.
struct ConsoleSite {
    let database: TestDatabase
    let clock = TestClock()
    let environment: Environment
    let services: Services
    let application: ConsoleApplication

    static let templates = URL(filePath: #filePath).appending(path: "../../../Templates").standardized.path

    init() throws {
        database = try TestDatabase.make()
        environment = try Environment.test(database, clock: clock)
        services = Services(
            environment: environment, events: EventWriter(environment: environment),
            recommendations: RecommendationService(environment: environment))
        application = try ConsoleApplication(services: services, templatesFolder: Self.templates, version: "test")
    }

    /// A browser with somebody of a role signed in.
    func browser(_ role: Role, login: String? = nil) throws -> Browser {
        let login = login ?? role.rawValue
        let secret = try environment.createAccount(login: login, role: role, by: .system)
        let redeemed = try environment.redeemOneTimeSecret(secret.secret, newPassword: "correct horse battery")
        let browser = Browser(site: self)
        browser.cookies[Gate.sessionCookie] = try #require(redeemed).token
        return browser
    }

    func group(_ name: String = "shop") throws -> DatasetGroup {
        try environment.createDatasetGroup(CreateDatasetGroupInput(name: name), by: .system)
    }
}

/// Keeps cookies and sends the token of the last page, as a browser with a person does.
final class Browser {
    let site: ConsoleSite
    var cookies: [String: String] = [:]
    var lastPage = ""

    init(site: ConsoleSite) {
        self.site = site
    }

    @discardableResult
    func get(_ path: String, headers: [(String, String)] = []) throws -> Response {
        try send(Request(.get, path, headers: headers + cookieHeader))
    }

    /// Posts a form with the token of the last page, unless the fields name one.
    @discardableResult
    func post(_ path: String, _ fields: [(String, String)] = [], headers: [(String, String)] = [], token: String? = nil) throws -> Response
    {
        let all = fields + [("csrf", token ?? csrf)]
        let body = all.map { "\(PercentCoding.encode($0.0))=\(PercentCoding.encode($0.1))" }.joined(separator: "&")
        let type = ("Content-Type", "application/x-www-form-urlencoded")
        return try send(Request(.post, path, headers: headers + [type] + cookieHeader, body: Array(body.utf8)))
    }

    /// Posts a form with files.
    @discardableResult
    func upload(_ path: String, _ form: (type: String, body: [UInt8])) throws -> Response {
        try send(Request(.post, path, headers: [("Content-Type", form.type)] + cookieHeader, body: form.body))
    }

    /// Follows redirects.
    @discardableResult
    func follow(_ response: Response) throws -> Response {
        var response = response
        for _ in 0..<5 {
            guard response.status == .seeOther, let location = response.header("Location") else { return response }
            response = try get(location)
        }
        return response
    }

    var csrf: String {
        guard let start = lastPage.range(of: "name=\"csrf\" value=\"")?.upperBound, let end = lastPage[start...].firstIndex(of: "\"") else {
            return "none"
        }
        return String(lastPage[start..<end])
    }

    private var cookieHeader: [(String, String)] {
        cookies.isEmpty ? [] : [("Cookie", cookies.map { "\($0)=\($1)" }.sorted().joined(separator: "; "))]
    }

    private func send(_ request: Request) throws -> Response {
        let response = site.application.handle(request).response
        for header in response.headers where header.name == "Set-Cookie" {
            let pair = header.value.split(separator: ";")[0].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if header.value.contains("Max-Age=0") { cookies[String(pair[0])] = nil } else { cookies[String(pair[0])] = String(pair[1]) }
        }
        if response.header("Content-Type")?.hasPrefix("text/html") == true {
            lastPage = String(decoding: response.body, as: UTF8.self)
            PageCheck.check(lastPage, request)
        }
        return response
    }
}
