import ArgumentParser

/// Brings the database of DATABASE_URL to this program's schema.
struct Migrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the database to this program's schema.",
        discussion: "`tastemaker up` does so at every start. With several hosts run it once, before the new program starts anywhere.")

    @OptionGroup var options: SettingsOptions

    func run() throws {
        let database = Database(settings: try options.runningSettings())
        let connection = try database.connectAsOwner()
        for warning in try database.checkFitness(connection) { say(warning) }
        let count = try database.migrate(connection) { say($0) }
        say(count == 0 ? "The database is up to date." : "\(count) migrations applied.")
    }
}
