import Foundation
import Glibc

/// The programs of others that `up` runs.
struct Tools {
    let nginx: String
    /// The folder of initdb, postgres and psql; nil when a database server is given.
    let postgres: String?

    /// Finds them, or says how to install them.
    init(withPostgres: Bool) throws(Failure) {
        guard let nginx = Self.find("nginx", in: ["/usr/sbin", "/usr/local/sbin", "/usr/bin"]) else {
            throw Failure("nginx is not installed: run scripts/install, or apt-get install nginx.")
        }
        self.nginx = nginx
        guard withPostgres else {
            postgres = nil
            return
        }
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? [])
            .compactMap(Int.init).filter { $0 >= 15 }.sorted(by: >)
        let folders = versions.map { "/usr/lib/postgresql/\($0)/bin" } + ["/usr/local/bin", "/usr/bin"]
        guard
            let folder = folders.first(where: { folder in
                ["initdb", "postgres", "psql"].allSatisfy { access("\(folder)/\($0)", X_OK) == 0 }
            })
        else {
            throw Failure(
                "initdb and postgres, version 15 or newer, are not installed: run scripts/install, or apt-get install postgresql-15, or set DATABASE_URL."
            )
        }
        postgres = folder
    }

    private static func find(_ name: String, in folders: [String]) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return (path.split(separator: ":").map(String.init) + folders).map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
}

/// A tool run to its end, with what it said.
struct ToolRun {
    let ending: Ending
    /// Standard output and error together.
    let output: String

    var succeeded: Bool { ending == .exited(0) }

    /// The last lines that say something, for a sentence.
    var reason: String {
        let lines = output.split(separator: "\n").map(\.trimmed).filter { !$0.isEmpty }
        return lines.suffix(3).joined(separator: " / ")
    }

    init(_ arguments: [String], user: SystemUser?, environment: [String: String] = Tools.environment, input: String = "") throws(Failure) {
        let (stdin, stdout) = (try Pipe(), try Pipe())
        defer { close(stdout.reading) }
        let child = try ChildProcess.start(
            ChildProcess.Plan(
                arguments: arguments, environment: environment, user: user, signalAtOurDeath: "KILL",
                descriptors: [0: stdin.reading, 1: stdout.writing, 2: stdout.writing]))
        close(stdin.reading)
        close(stdout.writing)
        writeAll(input, to: stdin.writing)
        close(stdin.writing)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(stdout.reading, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += buffer.prefix(count)
        }
        ending = child.wait()
        output = String(decoding: bytes, as: UTF8.self)
    }
}

extension Tools {
    /// What foreign programs get: nothing of ours, and messages that we can read.
    static var environment: [String: String] {
        ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"]
    }
}
