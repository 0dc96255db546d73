import ArgumentParser
import Foundation
import Glibc

/// The whole product on one machine.
struct Up: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run everything on this machine: PostgreSQL, nginx, the web workers and the job worker.",
        discussion: """
            A flag wins over the environment, that over tastemaker.env in the data folder. Ctrl-C stops everything in order; \
            a second Ctrl-C does so at once. SIGHUP replaces the web workers one by one.
            """)

    @OptionGroup var options: SettingsOptions
    @Flag(inversion: .prefixedNo, help: "Load the demo shop on the first start (TASTEMAKER_DEMO; default yes for a private cluster).")
    var demo: Bool?

    func run() throws {
        let signals = SignalSet(blocking: [SIGTERM, SIGINT, SIGHUP, SIGCHLD])
        let readiness = Readiness.Announcement()
        var more: SettingValues = [:]
        more[.demo] = demo.map { $0 ? "yes" : "no" }
        let settings = try options.settings(more)
        chdir("/")
        umask(0o022)
        var installation = try LocalSystem(settings: settings, firstStart: .product, readiness: readiness)
        // The terminal shows progress; records go where those of the children go.
        JSONLines.begin(level: settings.level, to: installation.logDescriptor)
        try installation.run(signals)
    }
}
