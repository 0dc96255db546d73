import ArgumentParser

@main
struct TastemakerCommand: ParsableCommand {
    static let version = "0.1.0"
    static let configuration = CommandConfiguration(
        commandName: "tastemaker", abstract: "A recommender for your own server.", version: version,
        subcommands: [
            Up.self, Serve.self, Work.self, Migrate.self, Import.self, Demo.self, AccountCommand.self, KeyCommand.self, ModelCommand.self,
            Evaluate.self, Rank.self, Actions.self, Compare.self, Doctor.self, Worker.self,
        ])
}
