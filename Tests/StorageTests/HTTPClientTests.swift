@testable import Storage
import Testing

@Test(
    arguments: [
        ([8, 8, 8, 8], true), ([127, 0, 0, 1], false), ([10, 1, 2, 3], false), ([172, 16, 0, 1], false), ([172, 32, 0, 1], true),
        ([192, 168, 1, 1], false),
        ([169, 254, 169, 254], false), ([100, 64, 0, 1], false), ([0, 0, 0, 0], false), ([224, 0, 0, 1], false),
        ([255, 255, 255, 255], false), ([198, 20, 0, 1], true),
    ] as [([UInt8], Bool)])
func `an IPv4 address is public or not`(bytes: [UInt8], isPublic: Bool) {
    #expect(PublicAddress.isPublic(v4: bytes) == isPublic)
    #expect(PublicAddress.isPublic(v6: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF] + bytes) == isPublic)
    #expect(PublicAddress.isPublic(v6: [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0] + bytes) == isPublic)
    #expect(PublicAddress.isPublic(v6: [0x20, 0x02] + bytes + [UInt8](repeating: 0, count: 10)) == isPublic)
}

@Test(
    arguments: [
        ([0x26, 0x06, 0x47, 0], true), ([0xFE, 0x80, 0, 0], false), ([0xFC, 0, 0, 0], false), ([0xFF, 0x02, 0, 0], false),
        ([0, 0, 0, 0], false), ([0x20, 0x01, 0x0D, 0xB8], false),
    ] as [([UInt8], Bool)])
func `an IPv6 address is public or not`(start: [UInt8], isPublic: Bool) {
    #expect(PublicAddress.isPublic(v6: start + [UInt8](repeating: 0, count: 11) + [1]) == isPublic)
}

@Test(arguments: [
    "http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/", "http://[::ffff:127.0.0.1]:9/", "http://0x7f000001:9/", "http://0:9/",
])
func `no spelling of a local address gets through`(url: String) {
    #expect(throws: HTTPError.addressRefused) { try HTTPClient().send(HTTPRequest(url: url), limit: 10) }
}

@Test(arguments: ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/", "http://a b/", "", "http://h/\u{e9}"])
func `only web addresses are requested`(url: String) {
    let error = #expect(throws: HTTPError.self) { try HTTPClient(allowsPrivateAddresses: true).send(HTTPRequest(url: url), limit: 10) }
    guard case .invalidRequest = error else {
        Issue.record("\(url): \(String(describing: error))")
        return
    }
}

@Test func `a header cannot break out of its line`() {
    let request = HTTPRequest(url: "http://127.0.0.1:9/", headers: [(name: "X", value: "a\r\nY: b")])
    #expect(throws: HTTPError.invalidRequest("a header holds a control character")) {
        try HTTPClient(allowsPrivateAddresses: true).send(request, limit: 10)
    }
}
