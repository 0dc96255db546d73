import ArgumentParser
import Tastemaker

/// Keys of programs: pairs for AWS SDKs, and bearer keys of our own API.
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Keys of programs.", subcommands: [Create.self, List.self, Disable.self])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key pair for AWS SDKs, or with --scope a key of our own API. The secret is shown once.")
        @OptionGroup var options: SettingsOptions
        @Argument(help: "A name for people.") var name: String
        @Option(help: "The dataset group that the key reaches; without it, the whole installation.") var group: String?
        @Option(help: "recommend, catalogue, users, metrics, events or campaigns; may be given several times.") var scope: [String] = []

        func run() throws {
            try withEnvironment(options) { environment in
                let caller = Caller(.command)
                let groupID = try group.map { name in
                    let arn = ResourceARN(kind: .datasetGroup, path: name)
                        .text(region: environment.installation.region, account: environment.installation.accountID)
                    return try environment.describeDatasetGroup(arn: arn, by: caller).id
                }
                if scope.isEmpty {
                    let made = try environment.createAccessKey(name: name, datasetGroupID: groupID, by: caller)
                    say("AWS_ACCESS_KEY_ID=\(made.key.id)")
                    say("AWS_SECRET_ACCESS_KEY=\(made.secret)")
                } else {
                    say(try environment.createAPIKey(name: name, scopes: scope, datasetGroupID: groupID, by: caller).secret)
                }
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the keys.")
        @OptionGroup var options: SettingsOptions

        func run() throws {
            try withEnvironment(options) { environment in
                let caller = Caller(.command)
                var rows = try environment.listAccessKeys(by: caller).map { key in
                    [key.id, key.name, "AWS", key.isActive ? "active" : "disabled"]
                }
                rows += try environment.listAPIKeys(by: caller).map { key in
                    [String(key.id), key.name, key.scopes.joined(separator: ","), key.disabledAt == nil ? "active" : "disabled"]
                }
                for line in TextTable.lines(header: ["id", "name", "kind", "state"], rows: rows) { say(line) }
            }
        }
    }

    struct Disable: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a key for good.")
        @OptionGroup var options: SettingsOptions
        @Argument(help: "The id that `key list` shows.") var id: String

        func run() throws {
            try withEnvironment(options) { environment in
                if let number = Int32(id) {
                    try environment.disableAPIKey(id: number, by: Caller(.command))
                } else {
                    try environment.disableAccessKey(id: id, by: Caller(.command))
                }
                say("The key \(id) is disabled.")
            }
        }
    }
}
