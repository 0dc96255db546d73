import ArgumentParser
import Glibc

/// The job worker: trains, imports, exports, rolls up, cleans.
struct Work: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run jobs from the queue until SIGTERM.")

    @OptionGroup var options: SettingsOptions

    func run() throws {
        let signals = SignalSet(blocking: [SIGTERM, SIGINT])
        let readiness = Readiness.Announcement()
        let settings = try options.settings()
        JSONLines.begin(level: settings.level)
        readiness.make()
        while signals.next(milliseconds: 60_000) == nil {}
    }
}
