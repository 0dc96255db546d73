import Foundation
@testable import Storage
import Testing

/// Moto's S3, started once; it ends when this process closes its standard input.
enum Moto {
    static let python = ProcessInfo.processInfo.environment["TASTEMAKER_TEST_PYTHON"] ?? "python3"

    static let isInstalled: Bool = {
        let process = Self.command(["-c", "import moto.server, flask"])
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    private static func command(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [python] + arguments
        return process
    }

    private static let script = """
        import os, socket, sys, threading
        def wait():
            sys.stdin.read()
            os._exit(0)
        threading.Thread(target=wait, daemon=True).start()
        s = socket.socket(); s.bind(("127.0.0.1", 0)); port = s.getsockname()[1]; s.close()
        print(port, flush=True)
        from moto.server import main
        main(["-H", "127.0.0.1", "-p", str(port)])
        """

    private struct Running: @unchecked Sendable {
        // Kept for its open end only, which nobody writes to.
        let input: Pipe
        let url: String
    }

    private static let server: Running? = {
        let process = Self.command(["-c", script])
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let url = "http://127.0.0.1:\(line.split(separator: "\n").first ?? "")"
        let client = HTTPClient(allowsPrivateAddresses: true)
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            if let answer = try? client.send(HTTPRequest(url: url + "/moto-api/"), limit: 1 << 20), answer.response.status == 200 {
                return Running(input: input, url: url)
            }
            usleep(20_000)
        }
        return nil
    }()

    static func url() throws -> String { try #require(server).url }

    /// A store in a bucket of its own.
    static func store(pageSize: Int? = nil) throws -> S3Store {
        let bucket = "b-" + UUID().uuidString.lowercased()
        let made = try HTTPClient(allowsPrivateAddresses: true).send(
            HTTPRequest(method: "PUT", url: "\(url())/\(bucket)", body: .bytes([])), limit: 65_536)
        try #require(made.response.status == 200)
        return S3Store(endpoint: try endpoint(), bucket: bucket, pageSize: pageSize)
    }

    static func endpoint(allowsPrivateAddresses: Bool = true) throws -> S3Endpoint {
        try S3Endpoint(url: url(), accessKey: "key", secretKey: "secret", allowsPrivateAddresses: allowsPrivateAddresses)
    }
}

@Suite(.enabled(if: Moto.isInstalled, "moto's server cannot be imported by TASTEMAKER_TEST_PYTHON"), .serialized)
struct S3StoreTests {
    @Test func `a bucket does what a folder does`() throws {
        try exercise(try Moto.store())
    }

    @Test func `a listing goes on over all its pages`() throws {
        let store = try Moto.store(pageSize: 3)
        let keys = (0..<10).map { "p/\($0) &<é" }
        for key in keys { try store.put(key, .bytes([1]), ifAbsent: false) }
        #expect(try store.list(prefix: "p/").map(\.key) == keys)
    }

    @Test func `a missing bucket and a missing object are named by S3's code`() throws {
        let missing = S3Store(endpoint: try Moto.endpoint(), bucket: "no-such-bucket-here")
        let error = #expect(throws: StorageError.self) { try missing.list(prefix: "") }
        #expect(error?.description.hasPrefix("NoSuchBucket: ") == true)
        let store = try Moto.store()
        let gone = #expect(throws: StorageError.self) { try store.read("gone", range: 0..<10, version: nil) }
        #expect(gone?.description.hasPrefix("NoSuchKey: ") == true)
    }

    @Test func `a private address is refused unless it is allowed`() throws {
        let store = S3Store(endpoint: try Moto.endpoint(allowsPrivateAddresses: false), bucket: "bucket")
        let error = #expect(throws: StorageError.self) { try store.list(prefix: "") }
        #expect(error?.description.contains("private and not allowed") == true)
    }

    @Test func `an answer beyond its limit is cut off`() throws {
        #expect(throws: HTTPError.tooLarge(10)) {
            try HTTPClient(allowsPrivateAddresses: true).send(HTTPRequest(url: "\(Moto.url())/moto-api/"), limit: 10)
        }
    }

    @Test func `a mapped bucket is a folder and others are on the server`() throws {
        let folder = TemporaryFolder()
        let store = try Moto.store()
        try store.put("in/1.csv", .bytes(Array("A\n".utf8)), ifAbsent: false)
        let map = BucketMap(folders: ["local-bucket": folder.path], endpoint: try Moto.endpoint())
        #expect(try map.store(for: "local-bucket") is FolderStore)
        #expect(try map.files(at: S3Location(bucket: store.bucket, key: "in/")).map(\.key) == ["in/1.csv"])
    }
}

/// "Signature Calculations for the Authorization Header", Amazon S3 API reference, example "Get Bucket (List Objects)".
@Test func `a request is signed as in Amazon's published example`() throws {
    let endpoint = try S3Endpoint(
        url: "https://examplebucket.s3.amazonaws.com", accessKey: "AKIAIOSFODNN7EXAMPLE",
        secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    let headers = S3Signature(endpoint: endpoint).headers(
        method: "GET", path: "/", query: [("prefix", "J"), ("max-keys", "2")], extra: [],
        payloadHash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", at: Date(timeIntervalSince1970: 1_369_353_600))
    #expect(
        headers.first { $0.name == "Authorization" }?.value
            == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    )
}

@Test(arguments: ["ftp://h", "http://", "http://h/path", "http://u:p@h", "h:9000", "file:///etc"])
func `an endpoint that is no web address is refused`(url: String) {
    #expect(throws: StorageError.self) { try S3Endpoint(url: url, accessKey: "a", secretKey: "b") }
}

@Test func `error codes and keys are read out of S3's answers`() {
    let answer = S3Answer(Array("<Error><Code>AccessDenied</Code><Message>No &lt;way&gt; &amp;amp; out</Message></Error>".utf8))
    #expect(answer.value("Code") == "AccessDenied")
    #expect(answer.value("Message") == "No <way> &amp; out")
    #expect(answer.value("Key") == nil)
    #expect(S3Answer(Array("<Contents><Key>a".utf8)).all("Contents").isEmpty)
    #expect(S3Encoding.decode("a%20b+c%2Fd%zz%4") == "a b c/d%zz%4")
}
