import ArgumentParser

@main
struct TastemakerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tastemaker", abstract: "A recommender for your own server.",
        subcommands: [Up.self, Serve.self, Work.self, Migrate.self, Doctor.self, ModelCommand.self, Worker.self])
}
