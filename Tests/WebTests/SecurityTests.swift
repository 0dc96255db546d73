import Testing

@testable import Web

struct SecurityTests {
    static let csrf = CSRF(key: [1, 2, 3])

    static func post(_ headers: [(String, String)] = [], body: String = "") throws -> Request {
        let form = [("Content-Type", "application/x-www-form-urlencoded"), ("Host", "shop.example:8443")]
        return try Request(.post, "/console/items", headers: form + headers, body: Array(body.utf8))
    }

    @Test func `a token of the session lets a form or a script pass`() throws {
        let token = Self.csrf.token(session: "s1")
        try Self.csrf.check(Self.post(body: "csrf=\(token)&x=1"), session: "s1")
        try Self.csrf.check(Self.post([("X-CSRF-Token", token)], body: "x=1"), session: "s1")
        try Self.csrf.check(
            Self.post([("Origin", "https://shop.example:8443"), ("Sec-Fetch-Site", "same-origin")], body: "csrf=\(token)"), session: "s1")
        try Self.csrf.check(Request(.get, "/console"), session: "s1")
    }

    @Test func `no token, another session's or an altered one is refused`() throws {
        let token = Self.csrf.token(session: "s1")
        for body in ["", "csrf=", "csrf=\(token)x", "csrf=\(Self.csrf.token(session: "s2"))"] {
            #expect(throws: HTTPError.self) { try Self.csrf.check(Self.post(body: body), session: "s1") }
        }
    }

    @Test(arguments: [
        ("Origin", "https://evil.example"), ("Origin", "null"), ("Origin", "https://shop.example"),
        ("Origin", "https://shop.example:8443.evil.example"),
        ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"), ("Origin", "file://shop.example:8443"),
    ])
    func `a request from another origin is refused even with the right token`(name: String, value: String) throws {
        let body = "csrf=\(Self.csrf.token(session: "s1"))"
        #expect(throws: HTTPError.self) { try Self.csrf.check(Self.post([(name, value)], body: body), session: "s1") }
    }

    @Test func `the policy allows no inline code and has a fresh nonce`() {
        let first = SecurityHeaders(isSecure: true)
        var response = Response.html([])
        first.apply(to: &response)
        #expect(response.header("Content-Security-Policy")?.contains("'nonce-\(first.nonce)'") == true)
        #expect(response.header("Content-Security-Policy")?.contains("unsafe") == false)
        #expect(response.header("Strict-Transport-Security") != nil)
        #expect(first.nonce != SecurityHeaders(isSecure: false).nonce)
    }

    @Test func `a bucket gives its burst at once and then its rate`() {
        let limiter = RateLimiter(rate: 2, burst: 3)
        for _ in 0..<3 { #expect(limiter.take("a", now: 100) == nil) }
        #expect(limiter.take("a", now: 100) == 1)
        #expect(limiter.take("b", now: 100) == nil)
        #expect(limiter.take("a", now: 100.5) == nil)
        #expect(limiter.take("a", now: 100.6) == 1)
        #expect(limiter.take("a", now: 99) == 1)
    }

    @Test func `a slow bucket says how long to wait`() {
        let limiter = RateLimiter(rate: 0.1, burst: 1)
        #expect(limiter.take("a", now: 0) == nil)
        #expect(limiter.take("a", now: 1) == 9)
    }

    @Test func `the limiter keeps at most its number of keys, and refused ones longest`() {
        let limiter = RateLimiter(rate: 0.001, burst: 1, maximumKeys: 100)
        for key in 0..<1000 { _ = limiter.take("\(key)", now: Double(key)) }
        #expect(limiter.keyCount <= 100)
        #expect(limiter.take("999", now: 1000) != nil)
    }
}
