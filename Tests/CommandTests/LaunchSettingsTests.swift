import Foundation
import Testing

@testable import Command

@Suite struct LaunchSettingsTests {
    let folder = NSTemporaryDirectory() + "settings-\(UUID().uuidString)"
    let resources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    func settings(_ flags: SettingValues, _ environment: [String: String] = [:], file: String? = nil) throws -> LaunchSettings {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try file?.write(toFile: folder + "/tastemaker.env", atomically: true, encoding: .utf8)
        return try LaunchSettings(
            flags: flags.merging([.data: folder, .resources: resources]) { first, _ in first }, environment: environment)
    }

    @Test func `a flag wins over the environment, that over the file`() throws {
        let file = "TASTEMAKER_LISTEN=127.0.0.1:1\nTASTEMAKER_WORKERS = '5'\nTASTEMAKER_PUBLIC_URL=\"http://file.example/\"\n"
        let variables = ["TASTEMAKER_LISTEN": "127.0.0.1:2", "TASTEMAKER_WORKERS": "4"]
        let result = try settings([.listen: "127.0.0.1:3"], variables, file: file)
        #expect(result.listen.port == 3)
        #expect(result.workers == 4)
        #expect(result.publicURL == "http://file.example")
    }

    @Test func `a child reads back what its parent resolved`() throws {
        let whole = try settings([
            .listen: "[::1]:99", .publicURL: "https://shop.example.com", .demo: "no", .behindProxy: "10.0.0.0/8, ::1",
            .databaseURL: "postgresql://x/y", .drainSeconds: "7",
        ])
        let child = try LaunchSettings(flags: [:], environment: whole.childEnvironment(["PATH": "/bin"]))
        #expect(child == whole)
    }

    @Test(arguments: ["0.0.0.0:80", ":8080", "192.168.1.2:8080", "[::]:8080"])
    func `an address that others reach needs TLS or a proxy`(address: String) throws {
        #expect(throws: Failure.self) { try settings([.listen: address]) }
        #expect(throws: Never.self) { try settings([.listen: address, .behindProxy: "10.0.0.1"]) }
        #expect(throws: Never.self) { try settings([.listen: address, .tlsCertificate: "/c", .tlsKey: "/k"]) }
    }

    @Test(arguments: ["8080", "localhost", "host.example:80", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", ""])
    func `what is no address in digits with a port is refused`(text: String) {
        #expect(throws: Failure.self) { try ListenAddress(text) }
    }

    @Test func `a line that is no setting is named`() {
        #expect(throws: Failure("f line 2 names TASTEMAKER_X, which is no setting of this file: correct or remove the line.")) {
            try SettingValues(file: "\nTASTEMAKER_X=1\n", named: "f")
        }
    }
}
