import ArgumentParser
import Foundation
import Glibc

/// Workers on one socket per pool, without nginx and PostgreSQL: what a larger installation runs on each host.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the web workers on unix sockets for nginx.",
        discussion: "SIGHUP replaces the workers one by one without a failed request, SIGTERM drains and ends.")

    @OptionGroup var options: SettingsOptions
    @Option(help: "Let this group, nginx's, connect to the sockets. Without it only the own user may.")
    var socketGroup: String?

    func run() throws {
        let signals = SignalSet(blocking: [SIGTERM, SIGINT, SIGHUP, SIGCHLD])
        let readiness = Readiness.Announcement()
        let settings = try options.settings()
        JSONLines.begin(level: settings.level)
        chdir("/")
        try makeFolder(settings.runFolder, mode: socketGroup == nil ? 0o700 : 0o711)
        let group = try socketGroup.map { (name) throws(Failure) in try Self.group(name) }
        var listeners: [WorkerPool: UnixListener] = [:]
        for pool in WorkerPool.allCases {
            listeners[pool] = try UnixListener(path: pool.socketPath(in: settings.runFolder), group: group)
        }
        let program = ownProgram
        var supervisor = Supervisor(settings: settings, listeners: listeners, readiness: readiness) {
            [program, "worker", "--pool", $0.rawValue]
        }
        supervisor.run(signals)
    }

    private static func group(_ name: String) throws(Failure) -> gid_t {
        guard let entry = getgrnam(name) else { throw Failure("There is no group \(name): name the one under which nginx's workers run.") }
        return entry.pointee.gr_gid
    }
}

/// The path of this program's file.
var ownProgram: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
}

/// Makes a folder and those above it; the last one gets the mode, also when it was there.
func makeFolder(_ path: String, mode: mode_t) throws(Failure) {
    var made = ""
    for part in path.split(separator: "/") {
        made += "/" + part
        if mkdir(made, made == path ? mode : 0o755) != 0 && errno != EEXIST {
            throw Failure("The folder \(made) cannot be made: \(systemMessage()).")
        }
    }
    var info = stat()
    guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else {
        throw Failure("\(path) is not a folder: move it away or name another.")
    }
    // In a shared folder such as /tmp another user may have been first.
    guard info.st_uid == geteuid() || SystemUser.current.isRoot else {
        throw Failure("\(path) belongs to another user: name a folder of your own.")
    }
    chmod(path, mode)
}
