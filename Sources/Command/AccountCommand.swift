import ArgumentParser
import Postgres
import Tastemaker

/// People who may sign in to the console.
struct AccountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Accounts of the console.",
        discussion: "A link works once, for 24 hours, and asks for a password. No e-mail is sent: hand it over yourself.",
        subcommands: [Add.self, Reset.self, List.self, Disable.self])

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make an account and print its one-time link.")
        @OptionGroup var options: SettingsOptions
        @Argument(help: "The login.") var login: String
        @Option(help: "admin, marketer, analyst, operator or read-only.") var role: RoleName = .marketer

        func run() throws {
            try withEnvironment(options) { environment in
                let made = try environment.createAccount(login: login, role: role.role, by: Caller(.command))
                say("The account \(login) (\(role.rawValue)) signs in with this link, once, within 24 hours:")
                say(link(environment, made.secret))
            }
        }
    }

    struct Reset: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End an account's password and sessions and print a new one-time link.")
        @OptionGroup var options: SettingsOptions
        @Argument(help: "The login.") var login: String

        func run() throws {
            try withEnvironment(options) { environment in
                let account = try environment.describeAccount(login: login, by: Caller(.command))
                let made = try environment.resetAccount(id: account.id, by: Caller(.command))
                say("The account \(login) signs in with this link, once, within 24 hours:")
                say(link(environment, made.secret))
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the accounts.")
        @OptionGroup var options: SettingsOptions

        func run() throws {
            try withEnvironment(options) { environment in
                let rows = try environment.listAccounts(by: Caller(.command)).map { account in
                    [
                        account.login, account.role.rawValue,
                        account.isActive ? (account.hasPassword ? "active" : "waits for sign-in") : "disabled",
                    ]
                }
                for line in TextTable.lines(header: ["login", "role", "state"], rows: rows) { say(line) }
            }
        }
    }

    struct Disable: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Keep an account out and end its sessions.")
        @OptionGroup var options: SettingsOptions
        @Argument(help: "The login.") var login: String

        func run() throws {
            try withEnvironment(options) { environment in
                let account = try environment.describeAccount(login: login, by: Caller(.command))
                try environment.disableAccount(id: account.id, by: Caller(.command))
                say("The account \(login) is disabled.")
            }
        }
    }

    private static func link(_ environment: Environment, _ secret: String) -> String {
        "\(environment.settings.publicURL)/console/one-time?secret=\(secret)"
    }
}

/// A role as an argument.
enum RoleName: String, ExpressibleByArgument, CaseIterable {
    case admin, marketer, analyst, `operator`
    case readOnly = "read-only"

    var role: Role { Role(rawValue: rawValue) ?? .readOnly }
}

/// Opens the installation, runs, and turns a refusal into a sentence.
func withEnvironment(_ options: SettingsOptions, _ body: (Environment) throws -> Void) throws {
    let environment = try Environment.open(try options.runningSettings(), connections: 2)
    defer { environment.database.close() }
    do { try body(environment) } catch let error as OperationError { throw Failure(error.message) }
}
