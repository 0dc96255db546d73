import Testing

@testable import Web

struct RequestTests {
    @Test func `headers are found in any case and never under the name of another`() throws {
        let request = try Request(.get, "/", headers: [("X-Amz-Date", "now"), ("Content-Type", "Text/Plain; charset=utf-8")])
        #expect(request.header("x-amz-date") == "now")
        #expect(request.header("X-Amz-Dat") == nil)
        #expect(request.header("Content-type") == "Text/Plain; charset=utf-8")
        #expect(request.mediaType == "text/plain")
        #expect(request.header("X-Amz-Date", is: "now"))
        #expect(!request.header("X-Amz-Date", is: "no"))
    }

    @Test func `path and query are kept as sent`() throws {
        let request = try Request(.get, "/a%20b?x=1+2&y=%26&x=3#z")
        #expect(request.rawPath.elementsEqual("/a%20b".utf8))
        #expect(request.rawQuery.elementsEqual("x=1+2&y=%26&x=3".utf8))
        #expect(try request.query("x") == "1 2")
        #expect(try request.query("y") == "&")
        #expect(try request.queryItems().values("x") == ["1 2", "3"])
        #expect(try request.query("z") == nil)
    }

    @Test(arguments: ["", "x", "*", "ftp://host/", "/" + String(repeating: "x", count: 8192)])
    func `a target that is no path is refused`(target: String) {
        #expect(throws: HTTPError.self) { try Request(.get, target) }
    }

    @Test func `X-Forwarded-For counts only from a trusted proxy, from the right`() throws {
        let proxies = try #require(TrustedProxies(["10.0.0.0/8", "::1"]))
        let headers = [("X-Forwarded-For", "6.6.6.6, 1.2.3.4, 10.1.1.1"), ("X-Forwarded-Proto", "https")]
        let trusted = try Request(.get, "/", headers: headers, remoteAddress: "10.0.0.9", proxies: proxies)
        #expect(trusted.remoteAddress == "1.2.3.4")
        #expect(trusted.scheme == "https")
        let stranger = try Request(.get, "/", headers: headers, remoteAddress: "11.0.0.9", proxies: proxies)
        #expect(stranger.remoteAddress == "11.0.0.9")
        #expect(stranger.scheme == "http")
        let forged = try Request(.get, "/", headers: [("X-Forwarded-For", "<script>")], remoteAddress: "::1", proxies: proxies)
        #expect(forged.remoteAddress == "::1")
    }

    @Test(arguments: ["10.0.0.0/33", "x", "10.0.0.0/-1", "10.0.0", "/8"])
    func `a proxy that is no network is refused`(text: String) {
        #expect(TrustedProxies([text]) == nil)
    }

    @Test func `the trace id becomes the request id`() throws {
        let traced = try Request(.get, "/", headers: [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")])
        #expect(traced.requestID == "4bf92f35-77b3-4da6-a3ce-929d0e0e4736")
        for wrong in [
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "00-" + String(repeating: "0", count: 32) + "-00f067aa0ba902b7-01",
            "x",
        ] {
            let request = try Request(.get, "/", headers: [("traceparent", wrong)])
            #expect(request.requestID.utf8.count == 36)
            #expect(!request.requestID.hasPrefix("4BF92F35"))
            #expect(!request.requestID.hasPrefix("00000000"))
        }
    }

    @Test func `line breaks in a header value cannot begin another header`() {
        var response = Response(.ok)
        response.setHeader("X-Name", "a\r\nSet-Cookie: b=c\u{0}\n")
        var bytes: [UInt8] = []
        response.write(to: &bytes, requestID: "id", isHead: false)
        #expect(!String(decoding: bytes, as: UTF8.self).contains("\nSet-Cookie"))
        #expect(response.header("x-name") == "a  Set-Cookie: b=c  ")
    }

    @Test func `setting a header replaces it in any case, adding does not`() {
        var response = Response.text("x")
        response.setHeader("content-type", "text/csv")
        response.addHeader("Set-Cookie", "a=1")
        response.addHeader("Set-Cookie", "b=2")
        #expect(response.headers.map(\.value) == ["text/csv", "a=1", "b=2"])
    }

    @Test func `a cookie is read by its whole name`() throws {
        let request = try Request(.get, "/", headers: [("Cookie", "xsession=1; session=abc=; session=2")])
        #expect(request.cookie("session") == "abc=")
        #expect(request.cookie("sess") == nil)
    }

    @Test func `a cookie is written with its guards`() throws {
        var cookie = try #require(Cookie(name: "session", value: "abc", isSecure: true, maxAge: 60))
        cookie.sameSite = .strict
        var response = Response(.ok)
        response.setCookie(cookie)
        #expect(response.header("Set-Cookie") == "session=abc; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Strict")
        #expect(Cookie(name: "a b", value: "", isSecure: false) == nil)
        #expect(Cookie(name: "a", value: "x;y", isSecure: false) == nil)
    }
}
