import Foundation
import Testing

@Suite(.serialized)
struct FastCGIServerTests {
    @Test func `a kept connection carries many requests`() throws {
        let server = try RunningFixture(threads: 2)
        let client = try server.connect()
        for _ in 0..<50 {
            let answer = try client.call("GET", "/fixed")
            #expect(answer.status == 200)
            #expect(answer.body.count == 2091)
            #expect(answer.headers["Content-Length"] == "2091")
            #expect(answer.headers["x-amzn-RequestId"]?.count == 36)
        }
    }

    @Test(arguments: [0, 1, 8191, 8192, 65_535, 65_536, 2_000_000])
    func `a body of any size comes back whole`(count: Int) throws {
        let server = try RunningFixture(threads: 2)
        let body = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let client = try server.connect()
        #expect(try client.call("POST", "/echo", body: body).body == body)
        #expect(try client.call("GET", "/fixed").status == 200)
    }

    @Test(arguments: ["/ignore", "/first", "/nowhere"])
    func `a body that the handler leaves unread does not spoil the next request`(path: String) throws {
        let server = try RunningFixture(threads: 2)
        let client = try server.connect()
        for _ in 0..<5 {
            _ = try client.call("POST", path, body: Array(repeating: 1, count: 300_000))
            #expect(try client.call("GET", "/fixed").body.count == 2091)
        }
    }

    @Test func `a body over the route's limit is refused with 413`() throws {
        let server = try RunningFixture(threads: 2)
        let client = try server.connect()
        #expect(try client.call("POST", "/echo", body: Array(repeating: 1, count: (4 << 20) + 1)).status == 413)
        #expect(try client.call("GET", "/fixed").status == 200)
    }

    @Test func `what a handler throws becomes a 500 without details`() throws {
        let server = try RunningFixture(threads: 1)
        let client = try server.connect()
        let answer = try client.call("GET", "/throw")
        #expect(answer.status == 500)
        #expect(answer.text.contains("InternalServerException"))
        #expect(!answer.text.contains("Failure"))
        #expect(try client.call("GET", "/fixed").status == 200)
    }

    @Test func `HEAD has the length but no body, and 204 has neither`() throws {
        let server = try RunningFixture(threads: 1)
        let client = try server.connect()
        let head = try client.call("HEAD", "/fixed")
        #expect(head.headers["Content-Length"] == "2091")
        #expect(head.body.isEmpty)
        let empty = try client.call("GET", "/empty")
        #expect(empty.status == 204)
        #expect(empty.headers["Content-Length"] == nil)
        #expect(empty.headers["Content-Type"] == nil)
    }

    @Test func `an answer larger than libfcgi's buffer arrives whole`() throws {
        let server = try RunningFixture(threads: 1)
        #expect(try server.connect().call("GET", "/large/3000000").body.count == 3_000_000)
    }

    @Test(arguments: ["x", "-1", "99999999999999999999"])
    func `a content length that is no number is refused`(length: String) throws {
        let server = try RunningFixture(threads: 1)
        let client = try server.connect()
        try client.send(FastCGIClient.request("POST", "/echo", length: length))
        #expect(try client.receive().status == 400)
    }

    @Test func `a body shorter than announced is refused`() throws {
        let server = try RunningFixture(threads: 1)
        let client = try server.connect()
        try client.send(FastCGIClient.request("POST", "/echo", body: [1, 2, 3], length: "10"))
        #expect(try client.receive().status == 400)
    }

    @Test func `an idle server stops at once, with kept connections open`() throws {
        let server = try RunningFixture(threads: 4)
        let clients = try (0..<3).map { _ in try server.connect() }
        for client in clients { _ = try client.call("GET", "/fixed") }
        let start = ContinuousClock.now
        #expect(server.stop() == 0)
        #expect(ContinuousClock.now - start < .seconds(2))
        for client in clients { #expect(try client.isClosed()) }
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGHUP])
    func `a request in work is answered before the server ends`(signal: Int32) throws {
        let server = try RunningFixture(threads: 4)
        let idle = try server.connect()
        _ = try idle.call("GET", "/fixed")
        let client = try server.connect()
        try client.send(FastCGIClient.request("GET", "/sleep/700"))
        usleep(200_000)
        kill(server.process.processIdentifier, signal)
        #expect(try client.receive().text == "slept")
        #expect(server.wait() == 0)
    }

    @Test func `a request that outlasts the deadline does not hold the process`() throws {
        let server = try RunningFixture(threads: 2, deadline: 200)
        let client = try server.connect()
        _ = try client.call("GET", "/fixed")
        try client.send(FastCGIClient.request("GET", "/sleep/8000"))
        usleep(200_000)
        #expect(server.stop() == 3)
    }

    @Test func `stopping under load cuts no answer short`() throws {
        for _ in 0..<5 {
            let server = try RunningFixture(threads: 4)
            let counts = LoadCounts()
            let threads = (0..<4).map { _ in
                let path = server.path
                return LoadThread { Self.load(path, counts) }
            }
            usleep(150_000)
            #expect(server.stop() == 0)
            for thread in threads { thread.join() }
            #expect(counts.answered > 0)
            #expect(counts.broken == 0)
        }
    }

    /// Calls until the connection is closed. Only a connection that ends inside an answer counts as broken.
    private static func load(_ path: String, _ counts: LoadCounts) {
        guard let client = try? FastCGIClient(path: path) else { return }
        while true {
            do {
                try client.send(FastCGIClient.request("GET", "/large/20000"))
                let answer = try client.receive()
                counts.add(isWhole: answer.body.count == 20000)
            } catch let failure as FastCGIClient.Failure {
                if failure.description.contains("after"), !failure.description.contains("after 0 of 8") { counts.add(isWhole: false) }
                return
            } catch {
                return
            }
        }
    }

    @Test func `two processes share one listening socket, and one takes over when the other stops`() throws {
        let first = try RunningFixture(threads: 2)
        let second = Process()
        second.executableURL = first.process.executableURL
        second.arguments = ["2"]
        second.standardInput = FileHandle(fileDescriptor: first.listener, closeOnDealloc: false)
        try second.run()
        defer { kill(second.processIdentifier, SIGKILL) }
        #expect(first.stop() == 0)
        for _ in 0..<10 { #expect(try FastCGIClient(path: first.path).call("GET", "/fixed").status == 200) }
    }

    @Test func `malformed records do not end the server`() throws {
        let server = try RunningFixture(threads: 4)
        var generator = SeededGenerator(state: 42)
        let valid = FastCGIClient.request("POST", "/echo", headers: [("HOST", "x")], body: Array("hello".utf8))
        for _ in 0..<300 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let client = try server.connect()
            try? client.send(bytes)
        }
        #expect(try server.connect().call("GET", "/fixed").status == 200)
        #expect(server.process.isRunning)
    }
}
