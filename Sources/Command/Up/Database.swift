import Glibc
import Postgres

/// The database as the operator's commands see it, with refusals in sentences.
struct Database {
    let settings: LaunchSettings

    /// The owner's connection, past any pooler.
    func connectAsOwner() throws(Failure) -> Connection {
        guard let url = settings.databaseURLOwner ?? settings.databaseURLDirect ?? settings.databaseURL else {
            throw Failure("There is no DATABASE_URL: set it, or let `tastemaker up` run a database of its own.")
        }
        do {
            return try Connection(ConnectionSettings(url: url))
        } catch {
            throw Failure("The database cannot be reached: \(error.message.oneLine) Check DATABASE_URL and that the server runs.")
        }
    }

    /// Refuses a server that cannot carry the product; the warnings come back.
    func checkFitness(_ connection: Connection) throws(Failure) -> [String] {
        do {
            let fitness = try ServerFitness(checking: connection)
            guard fitness.problems.isEmpty else {
                throw Failure("This database server is unfit. " + fitness.problems.joined(separator: " "))
            }
            return fitness.warnings
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("The database server cannot be checked: \("\(error)".oneLine)")
        }
    }

    private func runner() throws(Failure) -> MigrationRunner {
        do {
            return try MigrationRunner(folder: settings.resources + "/Migrations")
        } catch {
            throw Failure("The migrations cannot be read: \(error.message.oneLine)")
        }
    }

    /// Applies what is missing, naming each; the number applied.
    @discardableResult
    func migrate(_ connection: Connection, say: (String) -> Void) throws(Failure) -> Int {
        let runner = try runner()
        do {
            return try runner.migrate(connection) { say("Migration \($0.version): \($0.name)") }
        } catch {
            throw Failure("The database cannot be updated: \(error.message.oneLine)")
        }
    }

    /// How many migrations this program has that the database lacks.
    func pendingMigrations(_ connection: Connection) throws(Failure) -> Int {
        let runner = try runner()
        do {
            return try runner.status(connection).count { $0.state == .pending }
        } catch {
            throw Failure("The state of the database cannot be read: \(error.message.oneLine)")
        }
    }
}

extension String {
    /// For a sentence: line breaks become spaces, and a full stop ends it.
    var oneLine: String {
        let line = split { $0.isNewline }.map(\.trimmed).joined(separator: " ")
        return line.hasSuffix(".") ? line : line + "."
    }
}
