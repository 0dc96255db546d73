import ArgumentParser
import Foundation
import Ranking

/// What all commands that learn take.
struct WorkOptions: ParsableArguments {
    @Option(help: "What random choices start from.")
    var seed: UInt64 = 1
    @Option(help: "Threads, 1 to 64.")
    var threads: Int = min(64, max(1, ProcessInfo.processInfo.activeProcessorCount))

    func validate() throws {
        guard (1...64).contains(threads) else { throw ValidationError("--threads is from 1 to 64, but is \(threads).") }
    }
}

/// A file of questions and where the answers go.
struct QueryOptions: ParsableArguments {
    @Option(help: "Queries, one JSON object a line.")
    var queries: String
    @Option(help: "Where the answers go; the file appears when all are there.")
    var out: String
}

/// What the commands that learn a recipe have in common.
struct FitOptions: ParsableArguments {
    @Option(name: .customLong("set"), help: ArgumentHelp("A parameter of the recipe; repeat it for more.", valueName: "name=value"))
    var settings: [String] = []
    @OptionGroup var work: WorkOptions
    @Option(help: "Memory that the fit may take, in megabytes.")
    var memory: Int = 2048

    func validate() throws {
        guard (1...1_048_576).contains(memory) else { throw ValidationError("--memory is from 1 to 1048576, but is \(memory).") }
        for setting in settings where Self.pair(setting) == nil {
            throw ValidationError("--set takes name=value, not \(setting).")
        }
    }

    var seed: UInt64 { work.seed }
    var threads: Int { work.threads }

    private static func pair(_ text: String) -> (String, String)? {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        return parts.count == 2 ? (parts[0], parts[1]) : nil
    }

    /// The configuration of a recipe, written as its name, or as `name:parameter=value,parameter=value`.
    /// A `--set` goes to the recipes that have the parameter.
    /// - Parameter others: the recipes of the same call.
    func configuration(_ text: String, among others: [String]) throws -> FitConfiguration {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        let recipe = try Self.recipe(parts.first ?? "")
        var configuration = FitConfiguration(
            recipe: recipe, seed: seed, threads: threads, memoryBudgetBytes: memory << 20)
        let known = try others.map { try Self.recipe(String($0.prefix { $0 != ":" })) }
        for (name, value) in settings.compactMap(Self.pair)
        where Self.takes(recipe, name) || !known.contains(where: { Self.takes($0, name) }) {
            Self.set(name, value, &configuration)
        }
        for setting in parts.dropFirst().first?.split(separator: ",").map(String.init) ?? [] {
            guard let (name, value) = Self.pair(setting) else { throw Failure("--recipe \(text): \(setting) is not name=value.") }
            Self.set(name, value, &configuration)
        }
        do throws(FitError) { try configuration.validate() } catch { throw Failure(error.message) }
        return configuration
    }

    private static func recipe(_ name: String) throws(Failure) -> RecipeName {
        guard let recipe = RecipeName(rawValue: name) else {
            throw Failure("There is no recipe \(name). Recipes: \(RecipeName.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return recipe
    }

    private static func takes(_ recipe: RecipeName, _ name: String) -> Bool {
        let bare = name.split(separator: ".").last.map(String.init) ?? name
        let description = recipe.description
        return (description.hyperparameters + description.featurization).contains { $0.name == bare }
    }

    private static func set(_ name: String, _ value: String, _ configuration: inout FitConfiguration) {
        let bare = name.split(separator: ".").last.map(String.init) ?? name
        if configuration.recipe.description.featurization.contains(where: { $0.name == bare }) {
            configuration.featurization[name] = value
        } else {
            configuration.hyperparameters[name] = value
        }
    }
}

/// How far the work is, rewritten in place on a terminal and silent elsewhere.
struct TerminalProgress {
    private static let isTerminal = isatty(STDERR_FILENO) == 1

    static func show(_ share: Double, _ sentence: String) -> Bool {
        if isTerminal { writeAll("\r\u{1B}[K\(Int(share * 100)) % \(sentence)", to: STDERR_FILENO) }
        return true
    }

    static func clear() {
        if isTerminal { writeAll("\r\u{1B}[K", to: STDERR_FILENO) }
    }
}
