import ArgumentParser
import Glibc
import Tastemaker

/// The job worker: trains, imports, exports, rolls up, cleans.
struct Work: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run jobs from the queue until SIGTERM.")

    @OptionGroup var options: SettingsOptions

    func run() throws {
        let signals = SignalSet(blocking: [SIGTERM, SIGINT])
        let readiness = Readiness.Announcement()
        var settings = try options.settings()
        // LISTEN and COPY go past a pooler.
        settings.databaseURL = settings.databaseURLDirect ?? settings.databaseURL
        JSONLines.begin(level: settings.level)
        let environment = try Environment.open(settings, connections: 8)
        readiness.make()
        JobWorker.run(environment) { signals.next(milliseconds: 60_000) != nil }
    }
}
