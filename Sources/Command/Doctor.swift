import ArgumentParser
import Foundation
import Glibc

/// Looks at everything that an installation needs and says what to mend.
struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check tools, data folder, key, database, disk space and sockets.",
        discussion: "Every line that does not begin with ok says what to do. Exit code 1 when one of them is a fault.")

    @OptionGroup var options: SettingsOptions

    private enum Finding {
        case ok(String)
        case note(String)
        case fault(String)
    }

    func run() throws {
        let settings = try options.runningSettings()
        let findings = tools(settings) + folder(settings) + disk(settings) + database(settings) + sockets(settings)
        for finding in findings {
            switch finding {
            case .ok(let text): say("ok     \(text)")
            case .note(let text): say("note   \(text)")
            case .fault(let text): say("FAULT  \(text)")
            }
        }
        if findings.contains(where: { if case .fault = $0 { true } else { false } }) { throw ExitCode(1) }
    }

    private func tools(_ settings: LaunchSettings) -> [Finding] {
        do {
            let tools = try Tools(withPostgres: settings.databaseURL == nil)
            return [.ok("nginx is \(tools.nginx)")] + (tools.postgres.map { [.ok("PostgreSQL's programs are in \($0)")] } ?? [])
        } catch {
            return [.fault("\(error)")]
        }
    }

    private func folder(_ settings: LaunchSettings) -> [Finding] {
        let path = settings.dataFolder
        guard access(path, F_OK) == 0 else {
            return [.note("The data folder \(path) does not exist yet: the first `tastemaker up` makes it.")]
        }
        guard access(path, R_OK | X_OK) == 0 else {
            return [.fault("\(path) cannot be read by this account: run doctor as its owner or as root.")]
        }
        var findings: [Finding] = [.ok("The data folder is \(path)")]
        let key = path + "/secret.key"
        var info = stat()
        if stat(key, &info) != 0 {
            let hasData = access(path + "/pg/PG_VERSION", F_OK) == 0
            return findings + [hasData ? .fault("\(key) is missing: put it back from your backup.") : .note("\(key) is not made yet.")]
        }
        if info.st_size != 32 { findings.append(.fault("\(key) is damaged: put back its copy from your backup.")) }
        if info.st_mode & 0o077 != 0 { findings.append(.fault("\(key) can be read by others: chmod 600 \(key).")) }
        findings.append(.note("Keep a copy of \(key) apart from the database's backup: without it the stored keys cannot be read."))
        return findings
    }

    private func disk(_ settings: LaunchSettings) -> [Finding] {
        guard let free = freeMegabytes(at: settings.dataFolder) else { return [] }
        let text = "\(free) MB are free below \(settings.dataFolder)"
        let floor = settings.freeSpaceFloorMegabytes
        if free < floor {
            return [.fault(text + ", less than the floor of \(floor) MB: make room; events, imports and trainings are refused until then.")]
        }
        if free < 512 { return [.fault(text + ": make room; PostgreSQL stops on a full disk.")] }
        return [free < 5120 ? .note(text + ": plan for more.") : .ok(text)]
    }

    private func database(_ settings: LaunchSettings) -> [Finding] {
        guard settings.databaseURL != nil else {
            return [.note("The database of \(settings.dataFolder) does not run: start `tastemaker up`.")]
        }
        do {
            let database = Database(settings: settings)
            let connection = try database.connectAsOwner()
            let warnings = try database.checkFitness(connection)
            let pending = try database.pendingMigrations(connection)
            return [.ok("The database server is fit")] + warnings.map { .note($0) }
                + [
                    pending == 0
                        ? .ok("The database has every migration") : .fault("\(pending) migrations are missing: run tastemaker migrate.")
                ]
        } catch {
            return [.fault("\(error)")]
        }
    }

    private func sockets(_ settings: LaunchSettings) -> [Finding] {
        WorkerPool.allCases.map { pool in
            let path = pool.socketPath(in: settings.runFolder)
            return UnixListener.answers(path) ? .ok("The \(pool) workers listen on \(path)") : .note("No \(pool) workers listen on \(path)")
        }
    }
}

extension SettingsOptions {
    /// The settings of the product that runs, with the address of a private cluster that runs now in place of a DATABASE_URL that was not given.
    func runningSettings() throws -> LaunchSettings {
        var settings = try LaunchSettings(flags: values, running: RunningSettings.read)
        let socketFolder = settings.runFolder + "/pg"
        if settings.databaseURL == nil, UnixListener.answers(socketFolder + "/.s.PGSQL.5432") {
            settings.use(PrivateCluster.urls(socketFolder: socketFolder))
        }
        return settings
    }
}
