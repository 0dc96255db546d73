import Foundation
import Glibc

/// The PostgreSQL cluster in the data folder: reached by a unix socket only, run by the unprivileged account.
struct PrivateCluster {
    let folder: String
    /// Holds the socket; only the owner enters it.
    let socketFolder: String
    let tools: String
    let owner: SystemUser

    init(data: DataFolder, runFolder: String, tools: String) throws(Failure) {
        folder = data.cluster
        socketFolder = runFolder + "/pg"
        self.tools = tools
        owner = data.owner
        let socket = socketFolder + "/.s.PGSQL.5432"
        guard socket.utf8.count <= UnixListener.longestPath else {
            throw Failure(
                "The socket path \(socket) has \(socket.utf8.count) bytes and the system takes \(UnixListener.longestPath): name a shorter folder with --run."
            )
        }
        try DataFolder.makeOwned(socketFolder, owner, mode: 0o700)
    }

    /// Where it is reached: by the role that serves, and by the one that owns the tables and migrates.
    typealias URLs = (app: String, owner: String)

    static func urls(socketFolder: String) -> URLs {
        let host = socketFolder.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? socketFolder
        return ("postgresql://tastemaker_app@\(host)/tastemaker", "postgresql://tastemaker@\(host)/tastemaker")
    }

    private var startLog: String { folder + "/start.log" }
    private var dropTo: SystemUser? { SystemUser.current.isRoot ? owner : nil }

    /// Makes the cluster in a folder aside and renames it when whole, so that an interrupted first start leaves no half of one.
    func create() throws(Failure) {
        let draft = folder + ".new"
        try? FileManager.default.removeItem(atPath: draft)
        let run = try ToolRun(
            [
                "\(tools)/initdb", "--pgdata", draft, "--username", "postgres", "--encoding", "UTF8", "--locale", "C.UTF-8",
                "--data-checksums", "--auth-local", "peer", "--auth-host", "reject",
            ], user: dropTo)
        guard run.succeeded else { throw Failure("The database cannot be made in \(folder): \(run.reason)") }
        guard rename(draft, folder) == 0 else { throw Failure("\(folder) cannot be made: \(systemMessage()).") }
    }

    /// Refuses to make a cluster where something of one still lies.
    func requireNoRemains() throws(Failure) {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder), !names.isEmpty else { return }
        throw Failure(
            "\(folder) is damaged (PG_VERSION is missing): restore it from your backup, or move it away to start anew.")
    }

    /// Refuses a cluster of another version than the installed server.
    func check() throws(Failure) {
        let made = (try? String(contentsOfFile: folder + "/PG_VERSION", encoding: .utf8))?.trimmed ?? ""
        guard made.allSatisfy(\.isNumber), !made.isEmpty, access(folder + "/global/pg_control", F_OK) == 0 else {
            throw Failure(
                "\(folder) is damaged (PG_VERSION or global/pg_control is missing): restore it from your backup, or move it away to start anew."
            )
        }
        let version = try ToolRun(["\(tools)/postgres", "--version"], user: nil).output
        let installed = version.split { !$0.isNumber }.first.map(String.init) ?? ""
        guard made == installed else {
            throw Failure(
                "\(folder) was made by PostgreSQL \(made), but \(tools) is version \(installed): install postgresql-\(made), or upgrade the folder with pg_upgrade."
            )
        }
    }

    /// Writes our settings and who may enter, at every start, as memory, account and run folder may have changed.
    func configure() throws(Failure) {
        let account = owner.name
        try write(settingsText, to: "tastemaker.conf")
        try write("local all all peer map=tastemaker\n", to: "pg_hba.conf")
        let users = Set([account, SystemUser.current.name, "root"]).sorted()
        let roles = ["postgres", "tastemaker", "tastemaker_app"]
        try write(users.flatMap { user in roles.map { "tastemaker \"\(user)\" \($0)\n" } }.joined(), to: "pg_ident.conf")
        let main = folder + "/postgresql.conf"
        let text = (try? String(contentsOfFile: main, encoding: .utf8)) ?? ""
        if !text.contains("include 'tastemaker.conf'") {
            try write(text + "\ninclude 'tastemaker.conf'\n", to: "postgresql.conf")
        }
    }

    private var settingsText: String {
        let megabytes = sysconf(Int32(_SC_PHYS_PAGES)) / 1024 * sysconf(Int32(_SC_PAGESIZE)) / 1024
        let shared = min(max(megabytes / 8, 64), 4096)
        return """
            # Written by tastemaker at every start. Your own settings belong into postgresql.conf, below its include line.
            listen_addresses = ''
            unix_socket_directories = '\(socketFolder.replacingOccurrences(of: "'", with: "''"))'
            unix_socket_permissions = 0700
            max_connections = 100
            shared_buffers = \(shared)MB
            effective_cache_size = \(max(megabytes / 2, 128))MB
            maintenance_work_mem = \(min(max(megabytes / 32, 32), 512))MB
            work_mem = 16MB
            max_wal_size = 2GB
            min_wal_size = 128MB
            checkpoint_timeout = 15min
            synchronous_commit = on
            full_page_writes = on
            random_page_cost = 1.1
            jit = off
            timezone = 'UTC'
            log_timezone = 'UTC'
            logging_collector = on
            log_directory = 'log'
            log_filename = 'postgresql-%a.log'
            log_truncate_on_rotation = on
            log_rotation_age = 1d
            log_rotation_size = 0
            log_checkpoints = off
            log_line_prefix = '%m [%p] %q%u@%d '
            autovacuum_vacuum_insert_scale_factor = 0.1

            """
    }

    private func write(_ text: String, to name: String) throws(Failure) {
        let path = "\(folder)/\(name)"
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw Failure("\(path) cannot be written: \(systemMessage()); give \(folder) to \(owner.name).") }
        defer { close(file) }
        writeAll(text, to: file)
        if SystemUser.current.isRoot { fchown(file, owner.uid, owner.gid) }
    }

    /// Starts the server; what it says before its own log opens goes to a file that `reasonOfFailure` reads.
    func start() throws(Failure) -> ChildProcess {
        try write("", to: "start.log")
        let log = open(startLog, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard log >= 0 else { throw Failure("\(startLog) cannot be written: \(systemMessage()).") }
        defer { close(log) }
        return try ChildProcess.start(
            ChildProcess.Plan(
                arguments: ["\(tools)/postgres", "-D", folder], environment: Tools.environment, user: dropTo, signalAtOurDeath: "INT",
                descriptors: [1: log, 2: log]))
    }

    /// Whether it takes connections: postmaster.pid's last line says ready.
    var isReady: Bool {
        let lines = ((try? String(contentsOfFile: folder + "/postmaster.pid", encoding: .utf8)) ?? "").split(
            separator: "\n", omittingEmptySubsequences: false)
        return lines.count > 7 && lines[7].trimmed == "ready"
    }

    /// The server that a killed `up` has left, while it shuts down.
    var leftover: pid_t? {
        let text = (try? String(contentsOfFile: folder + "/postmaster.pid", encoding: .utf8)) ?? ""
        guard let pid = text.split(separator: "\n").first.flatMap({ pid_t($0) }), kill(pid, 0) == 0 || errno == EPERM else { return nil }
        let name = (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8))?.trimmed
        return name == "postgres" ? pid : nil
    }

    /// One sentence about why it does not run.
    var reasonOfFailure: String {
        if let free = freeMegabytes(at: folder), free < 50 {
            return "The disk of \(folder) is full (\(free) MB free): make room; nothing that was confirmed is lost."
        }
        let reason = Self.complaint(in: startLog) ?? latestLog.flatMap { Self.complaint(in: $0) } ?? "see \(folder)/log"
        return "PostgreSQL does not start on \(folder): \(reason.oneLine) \(Self.wayOut)"
    }

    private static let wayOut = "If the folder is damaged, restore it from your backup, or move it away to start anew."

    /// The last serious line of a log since the server's last start.
    private static func complaint(in path: String) -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        let lines = text.split(separator: "\n")
        let start = lines.lastIndex { $0.contains("starting PostgreSQL") } ?? lines.startIndex
        return lines[start...].last { $0.contains("FATAL") || $0.contains("PANIC") || $0.contains("ERROR") || $0.contains("could not") }
            .map(String.init)
    }

    /// What to add to the note of its death; nothing unless the cause is the disk.
    var reasonOfFailureAfterDeath: String {
        freeMegabytes(at: folder).map { $0 < 50 ? " " + reasonOfFailure : "" } ?? ""
    }

    private var latestLog: String? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/log")) ?? []
        let files = names.map { "\(folder)/log/\($0)" }
        return files.max { modified($0) < modified($1) }
    }

    /// Roles and database; repeated at every start, as each statement does nothing when its work is done.
    func prepareDatabase() throws(Failure) {
        let script = """
            SELECT 'CREATE ROLE tastemaker LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tastemaker') \\gexec
            SELECT 'CREATE ROLE tastemaker_app LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tastemaker_app') \\gexec
            SELECT 'CREATE DATABASE tastemaker OWNER tastemaker' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'tastemaker') \\gexec
            SET client_min_messages = warning;
            REVOKE CONNECT ON DATABASE tastemaker FROM PUBLIC;
            GRANT tastemaker_app TO tastemaker WITH ADMIN OPTION;
            GRANT CONNECT ON DATABASE tastemaker TO tastemaker, tastemaker_app;

            """
        let run = try ToolRun(
            [
                "\(tools)/psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--host", socketFolder, "--username", "postgres",
                "postgres",
            ],
            user: dropTo, input: script)
        guard run.succeeded else { throw Failure("The database cannot be prepared: \(run.reason.oneLine) \(Self.wayOut)") }
    }
}

/// Megabytes that an ordinary user may still fill; nil when the path is not there.
func freeMegabytes(at path: String) -> Int? {
    var info = statvfs()
    guard statvfs(path, &info) == 0 else { return nil }
    return Int(info.f_bavail) * Int(info.f_frsize) / 1_048_576
}

private func modified(_ path: String) -> Int {
    var info = stat()
    return stat(path, &info) == 0 ? info.st_mtim.tv_sec : 0
}
