import ArgumentParser
import Foundation
import Glibc
import Logging

/// One process of a pool, started by `serve` with the pool's socket as descriptor 0.
struct Worker: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "One worker process of a pool.", shouldDisplay: false)

    @Option var pool: WorkerPool

    func run() throws {
        let signals = SignalSet(blocking: [SIGTERM, SIGINT, SIGHUP])
        let settings = try LaunchSettings(flags: [:])
        JSONLines.begin(level: settings.level)
        try PlaceholderServer.run(pool: pool, settings: settings, signals: signals)
    }
}

extension LaunchSettings {
    /// The log level, `info` when the name is unknown.
    var level: Logger.Level { Logger.Level(rawValue: logLevel) ?? .info }
}
