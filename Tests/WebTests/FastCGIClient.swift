import Foundation

/// A FastCGI client as nginx is one: one request at a time on a connection that may be kept.
final class FastCGIClient {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    struct Answer {
        var headers: [String: String] = [:]
        var status = 200
        var body: [UInt8] = []

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    private let descriptor: Int32

    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        let result = withUnixAddress(path) { connect(descriptor, $0, $1) }
        guard result == 0 else { throw Failure(description: "connect: \(errno)") }
    }

    deinit {
        close(descriptor)
    }

    static func record(_ type: UInt8, _ content: ArraySlice<UInt8>) -> [UInt8] {
        [1, type, 0, 1, UInt8(content.count >> 8), UInt8(content.count & 255), 0, 0] + content
    }

    static func parameters(_ variables: [(String, String)]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (name, value) in variables {
            for count in [name.utf8.count, value.utf8.count] {
                if count < 128 {
                    bytes.append(UInt8(count))
                } else {
                    bytes += [UInt8(count >> 24) | 0x80, UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255)]
                }
            }
            bytes += name.utf8
            bytes += value.utf8
        }
        return bytes
    }

    static func stream(_ type: UInt8, _ content: [UInt8]) -> [UInt8] {
        var records: [UInt8] = []
        for start in stride(from: 0, to: content.count, by: 32768) {
            records += record(type, content[start..<min(content.count, start + 32768)])
        }
        return records + record(type, [])
    }

    static func request(
        _ method: String, _ target: String, headers: [(String, String)] = [], body: [UInt8] = [], isKept: Bool = true,
        length: String? = nil
    ) -> [UInt8] {
        var variables = [("REQUEST_METHOD", method), ("REQUEST_URI", target), ("REMOTE_ADDR", "127.0.0.1")]
        if let length = length ?? (body.isEmpty ? nil : String(body.count)) { variables.append(("CONTENT_LENGTH", length)) }
        variables += headers.map { ("HTTP_" + $0.0, $0.1) }
        return record(1, [0, 1, isKept ? 1 : 0, 0, 0, 0, 0, 0]) + stream(4, parameters(variables)) + stream(5, body)
    }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { throw Failure(description: "send: \(errno)") }
            rest = rest.dropFirst(sent)
        }
    }

    func call(_ method: String, _ target: String, headers: [(String, String)] = [], body: [UInt8] = []) throws -> Answer {
        try send(Self.request(method, target, headers: headers, body: body))
        return try receive()
    }

    /// True when the other side has closed and nothing more comes.
    func isClosed() throws -> Bool {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, 0)
        guard count >= 0 || errno == ECONNRESET else { throw Failure(description: "recv: \(errno)") }
        return count <= 0
    }

    func receive() throws -> Answer {
        var output: [UInt8] = []
        while true {
            let head = try read(8)
            let content = try read(Int(head[4]) << 8 | Int(head[5]))
            _ = try read(Int(head[6]))
            if head[1] == 6 { output += content }
            if head[1] == 3 { return try Self.parse(output) }
        }
    }

    private static func parse(_ output: [UInt8]) throws -> Answer {
        let data = Data(output)
        guard let end = data.range(of: Data("\r\n\r\n".utf8)) else { throw Failure(description: "no head in \(output.count) bytes") }
        var answer = Answer()
        for line in String(decoding: data[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { throw Failure(description: "no header: \(line)") }
            answer.headers[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        answer.status = Int(answer.headers["Status"]?.prefix(3) ?? "") ?? 0
        answer.body = Array(data[end.upperBound...])
        return answer
    }

    private func read(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let received = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress?.advanced(by: filled), count - filled, 0) }
            guard received > 0 else { throw Failure(description: "the connection ended after \(filled) of \(count) bytes: \(errno)") }
            filled += received
        }
        return bytes
    }
}

func withUnixAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { buffer in
        for (index, byte) in path.utf8.prefix(buffer.count - 1).enumerated() { buffer[index] = byte }
    }
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
}

/// The fixture program as a process of its own, with a listening socket as descriptor 0.
final class RunningFixture {
    let path: String
    let process = Process()
    let listener: Int32

    init(threads: Int, deadline: Int = 5000) throws {
        path = "/tmp/tastemaker-web-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard withUnixAddress(path, { bind(listener, $0, $1) }) == 0, listen(listener, 128) == 0 else {
            throw FastCGIClient.Failure(description: "listen: \(errno)")
        }
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
        process.executableURL = Self.executable(near: folder)
        process.arguments = [String(threads), String(deadline)]
        process.standardInput = FileHandle(fileDescriptor: listener, closeOnDealloc: false)
        try process.run()
    }

    /// `CommandLine.arguments[0]` is the test runner in some set-ups, so the folders above it are looked at too.
    private static func executable(near folder: URL) -> URL {
        let bundle = Bundle.module.bundleURL.deletingLastPathComponent()
        let places = [folder, bundle, bundle.deletingLastPathComponent()].map { $0.appendingPathComponent("WebFixture") }
        return places.first { FileManager.default.isExecutableFile(atPath: $0.path) } ?? places[0]
    }

    func connect() throws -> FastCGIClient {
        try FastCGIClient(path: path)
    }

    /// Sends SIGTERM and gives the exit status, or nil after ten seconds.
    func stop() -> Int32? {
        process.terminate()
        return wait()
    }

    func wait() -> Int32? {
        let deadline = Date(timeIntervalSinceNow: 10)
        while process.isRunning, Date() < deadline { usleep(2000) }
        return process.isRunning ? nil : process.terminationStatus
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        close(listener)
        unlink(path)
    }
}
