import Foundation
import Testing

@testable import Command

@Suite struct NginxConfigurationTests {
    let resources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    func render(_ flags: SettingValues, template: String? = nil) throws -> String {
        let settings = try LaunchSettings(
            flags: flags.merging([.data: "/data", .run: "/run/x", .resources: resources]) { first, _ in first }, environment: [:])
        let text = try template ?? String(contentsOfFile: resources + "/nginx/tastemaker.conf", encoding: .utf8)
        return try NginxConfiguration(template: text, settings: settings, user: "someone").text
    }

    @Test func `the template is filled in whole`() throws {
        let text = try render([:])
        #expect(!text.contains("{{"))
        #expect(text.contains("listen 127.0.0.1:8080;"))
        #expect(text.contains("user someone;"))
        #expect(!text.contains("ssl_certificate"))
        #expect(!text.contains("set_real_ip_from"))
    }

    @Test func `TLS and the proxy come only when named`() throws {
        let text = try render([.tlsCertificate: "/c.pem", .tlsKey: "/k.pem", .behindProxy: "10.1.0.0/16"])
        #expect(text.contains("listen 127.0.0.1:8080 ssl http2;"))
        #expect(text.contains("ssl_certificate \"/c.pem\";"))
        #expect(text.contains("set_real_ip_from 10.1.0.0/16;"))
        #expect(text.contains("max-age=31536000"))
    }

    @Test(arguments: ["/a\"b", "/a$b", "/a\\b", "/a{b"])
    func `a path that would be read as configuration is refused`(path: String) {
        #expect(throws: Failure.self) { try render([.data: path]) }
    }

    @Test func `a name that nobody knows is refused`() {
        #expect(throws: Failure.self) { try render([:], template: "{{surprise}}") }
    }

    /// A nested one would drop every header and parameter of the outer levels.
    @Test(arguments: ["add_header", "fastcgi_param"])
    func `headers and parameters stand on one level of the template only`(directive: String) throws {
        let lines = try render([:]).split(separator: "\n").filter { $0.drop { $0 == " " }.hasPrefix(directive + " ") }
        #expect(lines.count > 5)
        #expect(Set(lines.map { $0.prefix { $0 == " " }.count }).count == 1)
    }
}
