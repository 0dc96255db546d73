import Support
import Testing
import Web

@testable import Console
@testable import Tastemaker

struct SignInTests {
    private func signIn(_ browser: Browser, _ login: String, _ password: String) throws -> Response {
        try browser.get("/console/sign-in")
        return try browser.post("/console/sign-in", [("login", login), ("password", password)])
    }

    @Test func `a page asks who is there and is shown after signing in`() throws {
        let site = try ConsoleSite()
        _ = try site.group()
        let admin = try site.environment.createAccount(login: "ada", role: .admin, by: .system)
        _ = try site.environment.redeemOneTimeSecret(admin.secret, newPassword: "correct horse battery")
        let browser = Browser(site: site)
        let refused = try browser.get("/console/groups/shop")
        #expect(refused.status == .seeOther)
        try browser.follow(refused)
        let next = "/console/groups/shop"
        #expect(browser.lastPage.contains("value=\"\(next)\""))
        let signedIn = try browser.post(
            "/console/sign-in", [("login", "ada"), ("password", "correct horse battery"), ("next", next)])
        #expect(signedIn.header("Location") == next)
        #expect(try browser.follow(signedIn).status == .ok)
        #expect(browser.lastPage.contains("<h1>Today</h1>"))
    }

    @Test func `the page after signing in is never another site's`() throws {
        let site = try ConsoleSite()
        _ = try site.browser(.admin)
        for next in ["https://evil.example/", "//evil.example/", "/\\evil.example", "/console/..//evil.example", "/console-evil"] {
            let browser = Browser(site: site)
            try browser.get("/console/sign-in")
            let answer = try browser.post(
                "/console/sign-in", [("login", "admin"), ("password", "correct horse battery"), ("next", next)])
            #expect(answer.status == .seeOther)
            #expect(answer.header("Location")?.hasPrefix("/console") == true && answer.header("Location")?.hasPrefix("/console-") == false)
        }
    }

    @Test func `a one-time password is good until it is replaced, which it asks for`() throws {
        let site = try ConsoleSite()
        _ = try site.group()
        let secret = try site.environment.createAccount(login: "ada", role: .admin, by: .system).secret
        let browser = Browser(site: site)
        #expect(try signIn(browser, "ada", secret).header("Location") == "/console/password")
        #expect(try browser.get("/console/groups/shop").header("Location") == "/console/password")
        try browser.get("/console/password")
        #expect(try browser.post("/console/sign-out").header("Location") == "/console/sign-in")
        #expect(try signIn(browser, "ada", secret).header("Location") == "/console/password")
        try browser.get("/console/password")
        #expect(try browser.post("/console/password", [("password", "short")]).status == .unprocessableContent)
        #expect(browser.lastPage.contains("at least 12 characters"))
        let blank = String(repeating: " ", count: 12)
        #expect(try browser.post("/console/password", [("password", blank)]).status == .unprocessableContent)
        #expect(browser.lastPage.contains("at least 5 different characters"))
        let other = Browser(site: site)
        #expect(try signIn(other, "ada", secret).header("Location") == "/console/password")
        try browser.get("/console/password")
        #expect(try browser.post("/console/password", [("password", "a long enough password")]).header("Location") == "/console")
        #expect(try browser.get("/console/groups/shop").status == .ok)
        // From now on the one-time password opens nothing, and what it opened elsewhere is closed.
        #expect(try other.get("/console/password").header("Location")?.hasPrefix("/console/sign-in") == true)
        #expect(try signIn(Browser(site: site), "ada", secret).status == .unprocessableContent)
    }

    @Test func `a one-time password ends after a day`() throws {
        let site = try ConsoleSite()
        let secret = try site.environment.createAccount(login: "ada", role: .admin, by: .system).secret
        site.clock.advance(seconds: 24 * 3600 + 1)
        #expect(try signIn(Browser(site: site), "ada", secret).status != .seeOther)
        #expect(try Browser(site: site).get("/console/one-time?secret=\(secret)").status == .gone)
    }

    @Test func `a one-time link sets a password and is used up`() throws {
        let site = try ConsoleSite()
        let secret = try site.environment.createAccount(login: "ada", role: .marketer, by: .system).secret
        let browser = Browser(site: site)
        #expect(try browser.get("/console/one-time?secret=\(secret)").status == .ok)
        let answer = try browser.post("/console/one-time", [("secret", secret), ("password", "a long enough password")])
        #expect(answer.header("Location") == "/console")
        #expect(try Browser(site: site).get("/console/one-time?secret=\(secret)").status == .gone)
    }

    @Test func `signing in gives a new session and ends the one before`() throws {
        let site = try ConsoleSite()
        let browser = try site.browser(.admin)
        let before = try #require(browser.cookies[Gate.sessionCookie])
        browser.cookies[Gate.sessionCookie] = nil
        browser.cookies[Gate.sessionCookie] = "x" + String(repeating: "a", count: 42)
        try browser.get("/console/sign-in")
        try browser.post("/console/sign-in", [("login", "admin"), ("password", "correct horse battery")])
        let after = try #require(browser.cookies[Gate.sessionCookie])
        #expect(after != before && !after.hasPrefix("xaaa"))
    }

    @Test func `a session ends after twelve idle hours`() throws {
        let site = try ConsoleSite()
        let browser = try site.browser(.admin)
        site.clock.advance(seconds: 12 * 3600 - 5)
        #expect(try browser.get("/console/password").status == .ok)
        site.clock.advance(seconds: 12 * 3600 + 5)
        #expect(try browser.get("/console/password").status == .seeOther)
    }

    @Test func `a session ends after seven days in use`() throws {
        let site = try ConsoleSite()
        let browser = try site.browser(.admin)
        for _ in 0..<27 {
            site.clock.advance(seconds: 6 * 3600)
            #expect(try browser.get("/console/password").status == .ok)
        }
        site.clock.advance(seconds: 6 * 3600 + 1)
        #expect(try browser.get("/console/password").status == .seeOther)
    }

    @Test func `signing out ends the session on the server`() throws {
        let site = try ConsoleSite()
        let browser = try site.browser(.admin)
        let token = try #require(browser.cookies[Gate.sessionCookie])
        try browser.get("/console/password")
        #expect(try browser.post("/console/sign-out").status == .seeOther)
        #expect(try site.environment.session(token: token) == nil)
    }

    @Test func `a disabled account loses its session`() throws {
        let site = try ConsoleSite()
        let browser = try site.browser(.marketer)
        let account = try site.environment.describeAccount(login: "marketer", by: .system)
        try site.environment.disableAccount(id: account.id, by: .system)
        #expect(try browser.get("/console/password").status == .seeOther)
    }

    @Test func `ten failures close an account for a quarter of an hour, for the right password too`() throws {
        let site = try ConsoleSite()
        _ = try site.browser(.admin)
        for _ in 0..<10 { #expect(try signIn(Browser(site: site), "admin", "wrong").status == .unprocessableContent) }
        let limited = try signIn(Browser(site: site), "admin", "correct horse battery")
        #expect(limited.status == .tooManyRequests)
        #expect(limited.header("Retry-After") != nil)
        site.clock.advance(seconds: 15 * 60 + 1)
        #expect(try signIn(Browser(site: site), "admin", "correct horse battery").status == .seeOther)
    }

    @Test func `an unknown login is refused in the same words as a wrong password`() throws {
        let site = try ConsoleSite()
        _ = try site.browser(.admin)
        let known = Browser(site: site)
        let unknown = Browser(site: site)
        _ = try signIn(known, "admin", "wrong")
        _ = try signIn(unknown, "nobody", "wrong")
        #expect(known.lastPage.contains("Login or password is wrong."))
        #expect(unknown.lastPage.contains("Login or password is wrong."))
    }

    @Test func `the last admin cannot be disabled`() throws {
        let site = try ConsoleSite()
        _ = try site.browser(.admin)
        let account = try site.environment.describeAccount(login: "admin", by: .system)
        #expect(throws: OperationError.self) { try site.environment.disableAccount(id: account.id, by: .system) }
    }

    @Test(arguments: ["none", "", "AAAA"])
    func `a form without the right token is refused`(token: String) throws {
        let site = try ConsoleSite()
        let browser = try site.browser(.admin)
        try browser.get("/console/password")
        #expect(try browser.post("/console/sign-out", token: token).status == .forbidden)
    }

    @Test(arguments: [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site")])
    func `a form that another site sends is refused`(header: (String, String)) throws {
        let site = try ConsoleSite()
        let browser = try site.browser(.admin)
        try browser.get("/console/password")
        #expect(try browser.post("/console/sign-out", headers: [("Host", "127.0.0.1:8080"), header]).status == .forbidden)
    }

    @Test func `a token of one session is worth nothing in another`() throws {
        let site = try ConsoleSite()
        let first = try site.browser(.admin)
        let second = try site.browser(.marketer)
        try first.get("/console/password")
        try second.get("/console/password")
        #expect(try second.post("/console/sign-out", token: first.csrf).status == .forbidden)
    }
}
