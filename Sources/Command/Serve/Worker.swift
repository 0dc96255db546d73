import ArgumentParser
import Glibc
import Logging
import Web

/// What the worker processes of a pool do with requests.
struct WorkerProgram: Sendable {
    /// Runs once in each thread: makes the thread's own state, then serves until the thread is told to end.
    var serve: @Sendable (WorkerThread) -> Void
    var observer = RequestObserver()
    /// Runs after the last request was answered: stores what is still queued.
    var end: @Sendable () -> Void = {}
}

/// One process of a pool, started by `serve` with the pool's socket as descriptor 0.
struct Worker: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "One worker process of a pool.", shouldDisplay: false)

    @Option var pool: WorkerPool

    func run() throws {
        FastCGIServer.blockStopSignals()
        let settings = try LaunchSettings(flags: [:])
        JSONLines.begin(level: settings.level)
        let readiness = Readiness.Announcement()
        let program = try WorkerProgram.product(pool, settings)
        // X-Forwarded headers never reach a worker: nginx alone reads them, so no proxy is named here.
        var server = FastCGIServer.Settings(threads: pool.threads)
        server.drainDeadline = .seconds(settings.drainSeconds)
        let last = pool.threads - 1
        let ending = try FastCGIServer(server).run(observer: program.observer) { thread in
            if thread.index == last { readiness.make() }
            program.serve(thread)
        }
        program.end()
        guard ending != .drained else { return }
        Logger(label: "worker").error("ended before every request was answered", metadata: ["ending": "\(ending)", "pool": "\(pool)"])
        // Threads may still hold what exit handlers would take away.
        _exit(1)
    }
}

extension LaunchSettings {
    /// The log level, `info` when the name is unknown.
    var level: Logger.Level { Logger.Level(rawValue: logLevel) ?? .info }
}
