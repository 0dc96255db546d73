import Support
import Testing
import Web

@testable import Console
@testable import Tastemaker

/// Generated from the route table: every route, for every role, for nobody, and for a dataset group that is not the resource's.
struct AuthorisationTests {
    /// What fills the values of patterns; ids of a resource in the group `mine`.
    static func path(_ pattern: String, group: String = "mine") -> String {
        let values = [
            "group": group, "solution": "my-solution", "version": "00000000", "campaign": "my-campaign", "filter": "my-filter", "job": "1",
            "schema": "my-schema", "key": "1", "account": "9999",
        ]
        return pattern.split(separator: "/").map { part in
            guard part.hasPrefix("{") else { return "/" + part }
            return "/" + (values[String(part.dropFirst().dropLast())] ?? "1")
        }.joined()
    }

    @Test func `a role reaches exactly the routes that its access allows`() throws {
        let site = try ConsoleSite()
        _ = try site.group("mine")
        for role in Role.allCases {
            let browser = try site.browser(role)
            for route in site.application.router.routes where route.access != .everyone && !route.pattern.hasSuffix("sign-out") {
                guard case .whole = route.body else { continue }
                try browser.get("/console/help")
                let path = Self.path(route.pattern)
                let response = try route.method == .get ? browser.get(path) : browser.post(path)
                if route.access.allows(role) {
                    #expect(
                        response.status != .forbidden && response.status.code < 500,
                        "\(role) \(route.name): \(response.status.code) \(browser.lastPage.suffix(600).prefix(400))")
                } else {
                    #expect(response.status == .forbidden, "\(role) \(route.name): \(response.status.code)")
                }
                // A test of disabling must not sign its own browser out.
                #expect(try site.environment.session(token: browser.cookies[Gate.sessionCookie] ?? "") != nil)
            }
        }
    }

    @Test func `nobody reaches a route that is not for everyone`() throws {
        let site = try ConsoleSite()
        _ = try site.group("mine")
        for route in site.application.router.routes where route.access != .everyone {
            let browser = Browser(site: site)
            try browser.get("/console/sign-in")
            let path = Self.path(route.pattern)
            let response = try route.method == .get ? browser.get(path) : browser.post(path)
            #expect(response.status == .seeOther, "\(route.name)")
            #expect(response.header("Location")?.hasPrefix("/console/sign-in") == true, "\(route.name)")
        }
    }

    @Test func `a one-time password opens nothing but the page that replaces it`() throws {
        let site = try ConsoleSite()
        _ = try site.group("mine")
        let secret = try site.environment.createAccount(login: "ada", role: .admin, by: .system).secret
        let browser = Browser(site: site)
        try browser.get("/console/sign-in")
        try browser.post("/console/sign-in", [("login", "ada"), ("password", secret)])
        for route in site.application.router.routes where route.access != .everyone && route.access != .passwordHolder {
            let response = try route.method == .get ? browser.get(Self.path(route.pattern)) : browser.post(Self.path(route.pattern))
            #expect(response.header("Location") == "/console/password", "\(route.name)")
        }
    }

    @Test func `a denied call stands in the audit`() throws {
        let site = try ConsoleSite()
        let browser = try site.browser(.analyst)
        #expect(try browser.get("/console/keys").status == .forbidden)
        let entry = try #require(try site.environment.listAudit(datasetGroupID: nil, limit: 1).first)
        #expect(entry.action == "GET /console/keys" && entry.errorCode == "AccessDenied" && entry.actor == "analyst")
    }

    @Test func `a resource is not found under another group's address`() throws {
        let site = try ConsoleSite()
        let shop = try Shop(site: site, group: "mine")
        _ = try site.group("other")
        let browser = try site.browser(.admin)
        for (mine, resource) in [
            ("solutions/my-solution", "solution"), ("solutions/my-solution/\(shop.version)", "version"),
            ("campaigns/my-campaign", "campaign"),
            ("imports/my-import", "import"), ("imports/my-import/errors.csv", "errors"),
        ] {
            #expect(try browser.get("/console/groups/mine/\(mine)").status == .ok, "\(resource)")
            #expect(try browser.get("/console/groups/other/\(mine)").status == .notFound, "\(resource)")
        }
        for target in [
            "solutions/my-solution/train", "solutions/my-solution/delete", "solutions/my-solution/\(shop.version)/stop",
            "campaigns/my-campaign/version", "campaigns/my-campaign/delete", "filters/my-filter/delete",
        ] {
            try browser.get("/console/help")
            #expect(
                try browser.post("/console/groups/other/\(target)", [("version", "my-solution/\(shop.version)")]).status == .notFound,
                "\(target)")
        }
        #expect(try site.environment.describeCampaign(arn: shop.arn(.campaign, "my-campaign"), by: .system).status == .active)
    }
}
