import Foundation
import Glibc
public import Postgres

/// A private, throw-away PostgreSQL cluster on a unix socket below /tmp.
///
/// A shell beside it holds the read end of a pipe from this process; however this process ends, the pipe closes, and the
/// shell stops the server and removes the folder. `TASTEMAKER_TEST_DATABASE_URL` names a server to use instead.
public final class TestCluster: Sendable {
    /// The cluster of this test process, started at first use.
    public static let shared: Result<TestCluster, TestClusterError> = Result { () throws(TestClusterError) in
        if let url = ProcessInfo.processInfo.environment["TASTEMAKER_TEST_DATABASE_URL"], !url.isEmpty {
            return TestCluster(external: ConnectionSettings(url: url))
        }
        return try TestCluster()
    }

    /// How to reach the database `postgres` as its superuser.
    public let settings: ConnectionSettings
    /// Folder of data and socket; nil for a foreign server.
    public let folder: String?
    private let keeper: Keeper?

    private init(external: ConnectionSettings) {
        settings = external
        folder = nil
        keeper = nil
    }

    /// Starts a cluster of its own, for tests that restart or stop the server.
    public init() throws(TestClusterError) {
        let folder = try Self.makeFolder()
        try Self.run(
            ["initdb", "-D", folder + "/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-k", "-N"], folder)
        try Self.configure(folder)
        let stop = try "\(Self.program("pg_ctl")) -D \(folder)/data -m immediate stop"
        keeper = try Keeper(removing: folder, after: stop, as: Self.asUnprivileged)
        self.folder = folder
        var settings = ConnectionSettings(host: folder, user: "postgres", database: "postgres")
        settings.applicationName = "tests"
        self.settings = settings
        do {
            try Self.run(["pg_ctl", "-D", folder + "/data", "-l", folder + "/log", "-w", "-t", "30", "start"], folder)
        } catch {
            throw TestClusterError(error.sentence + " " + ((try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? ""))
        }
    }

    /// Runs `pg_ctl` with the cluster's data folder, such as `restart -m immediate`.
    public func control(_ arguments: String...) throws(TestClusterError) {
        guard let folder else { throw TestClusterError("A foreign server is not ours to control.") }
        try Self.run(["pg_ctl", "-D", folder + "/data", "-l", folder + "/log", "-w", "-t", "30"] + arguments, folder)
    }

    private static func makeFolder() throws(TestClusterError) -> String {
        var template = Array("/tmp/tmpg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TestClusterError("No folder could be made in /tmp.") }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if getuid() == 0, chown(folder, unprivileged, unprivileged) != 0 {
            throw TestClusterError("The folder \(folder) could not be given away.")
        }
        return folder
    }

    private static func configure(_ folder: String) throws(TestClusterError) {
        let text = """
            listen_addresses = ''
            unix_socket_directories = '\(folder)'
            fsync = off
            full_page_writes = off
            synchronous_commit = off
            wal_level = minimal
            max_wal_senders = 0
            max_connections = 100
            shared_buffers = '64MB'
            autovacuum = off
            lc_messages = 'C'

            """
        guard let file = FileHandle(forWritingAtPath: folder + "/data/postgresql.conf") else {
            throw TestClusterError("The settings of the test cluster could not be written.")
        }
        file.seekToEndOfFile()
        file.write(Data(text.utf8))
        file.closeFile()
    }

    // MARK: Programs

    /// The user `nobody`: initdb and postgres refuse root.
    private static let unprivileged: UInt32 = 65_534

    /// The newest installed server programs.
    private static let programs: String? = {
        if let folder = ProcessInfo.processInfo.environment["TASTEMAKER_POSTGRES_BIN"] { return folder }
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap { Int($0) }
        return versions.max().map { "\(root)/\($0)/bin" }
    }()

    /// A shell line that runs as the unprivileged user when we are root.
    static func asUnprivileged(_ command: [String]) -> [String] {
        guard getuid() == 0 else { return command }
        return ["setpriv", "--reuid=\(unprivileged)", "--regid=\(unprivileged)", "--clear-groups"] + command
    }

    static func program(_ name: String) throws(TestClusterError) -> String {
        guard let programs else {
            throw TestClusterError("No PostgreSQL server is installed; set TASTEMAKER_POSTGRES_BIN or TASTEMAKER_TEST_DATABASE_URL.")
        }
        return programs + "/" + name
    }

    private static func run(_ command: [String], _ folder: String) throws(TestClusterError) {
        let line = try asUnprivileged([program(command[0])] + command.dropFirst())
        let child = try Child(line, input: nil)
        let status = child.wait()
        guard status == 0 else {
            throw TestClusterError("\(command[0]) ended with wait status \(status).")
        }
    }
}

public struct TestClusterError: Error, CustomStringConvertible {
    public var sentence: String

    init(_ sentence: String) {
        self.sentence = sentence
    }

    public var description: String { sentence }
}
