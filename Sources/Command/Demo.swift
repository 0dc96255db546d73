import ArgumentParser
import Glibc
import Tastemaker

/// The demo shop: a simulated dataset group like any other.
struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Load, remove or enliven the demo shop.", subcommands: [Load.self, Remove.self, Simulate.self])

    struct Load: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Load the demo shop: products, four weeks of simulated visitors, models, promotions, experiments.",
            discussion: "The product has to run: its job worker imports and trains.")

        @OptionGroup var options: SettingsOptions
        @Flag(help: "Remove first what an interrupted load has left.") var afresh = false

        func run() throws {
            let settings = try options.runningSettings()
            let environment = try Environment.open(settings, connections: 6)
            do throws(OperationError) {
                if afresh, try environment.demoGroup() != nil {
                    say("Demo shop: removing what an interrupted load has left")
                    try environment.removeDemo(by: Caller(.command))
                }
                try environment.loadDemo { say($0) }
            } catch { throw Failure(error.message) }
            say("The demo shop is open: \(settings.publicURL)/demo")
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove the demo shop with everything that was made for it.")

        @OptionGroup var options: SettingsOptions

        func run() throws {
            let environment = try Environment.open(try options.runningSettings(), connections: 2)
            do throws(OperationError) {
                guard try environment.demoGroup() != nil else {
                    say("There is no demo shop.")
                    return
                }
                try environment.removeDemo(by: Caller(.command))
            } catch { throw Failure(error.message) }
            say("The demo shop is removed.")
        }
    }

    struct Simulate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send simulated visitors to the open demo shop, through its real endpoints.")

        @OptionGroup var options: SettingsOptions
        @Option(help: "How long, 1 to \(DemoLiveSimulator.longestMinutes) minutes.")
        var minutes = 5
        @Option(help: "Visits per minute, 1 to \(DemoLiveSimulator.mostVisitsPerMinute).")
        var rate = 20

        func run() throws {
            let signals = SignalSet(blocking: [SIGTERM, SIGINT])
            let environment = try Environment.open(try options.runningSettings(), connections: 2)
            do throws(OperationError) {
                let simulator = try DemoLiveSimulator(environment: environment)
                say("Visitors come for \(minutes) minutes. Ctrl-C sends them home.")
                let visits = try simulator.run(minutes: minutes, visitsPerMinute: rate) { signals.next(milliseconds: 0) != nil }
                say("\(visits) visits.")
            } catch { throw Failure(error.message) }
        }
    }
}
