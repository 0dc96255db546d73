import ArgumentParser
import Foundation
import Ranking
import Tastemaker

/// Makes vectors from elsewhere a solution version that campaigns serve.
struct ModelImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Import vectors of items, and of users, as a solution version.",
        discussion: """
            Files: .csv with a header, an id and either one column per dimension or one column with all numbers; .jsonl with lines
            {"id":"…","vector":[…]}; .npy with a two-dimensional array of floats and the ids in a file of their own, one a line.
            Users without a vector are served by the vectors of the items in their histories.
            """)

    @OptionGroup var options: SettingsOptions
    @Option(help: "The solution, with the recipe tastemaker-vectors; it is made when it does not exist and --group is given.")
    var solution: String
    @Option(help: "The dataset group of a new solution.")
    var group: String?
    @Option(help: "Item vectors.")
    var items: String
    @Option(name: .customLong("item-ids"), help: "Ids of the rows of an .npy file of items.")
    var itemIDs: String?
    @Option(help: "User vectors.")
    var users: String?
    @Option(name: .customLong("user-ids"), help: "Ids of the rows of an .npy file of users.")
    var userIDs: String?
    @Option(help: "How vectors are compared: inner-product or cosine.")
    var metric = "inner-product"

    func run() throws {
        guard let metric = VectorImport.Metric(rawValue: metric) else {
            throw Failure("--metric is inner-product or cosine, not \(metric).")
        }
        let itemTable = try VectorFile(path: items, idPath: itemIDs).read()
        let userTable = try users.map { try VectorFile(path: $0, idPath: userIDs).read() }
        let environment = try Environment.open(try options.runningSettings(), connections: 2)
        let caller = Caller(.command)
        do {
            try makeSolution(environment, caller)
            let version = try environment.importVectors(
                ImportVectorsInput(
                    solutionARN: environment.arn(.solution, solution, for: caller), metric: metric, items: itemTable, users: userTable),
                by: caller)
            say("\(itemTable.ids.count) items and \(userTable?.ids.count ?? 0) users of \(itemTable.dimensions) dimensions")
            say("\(environment.arn(.solution, version.path, for: caller)) is ACTIVE")
        } catch let error as OperationError { throw Failure(error.message) }
    }

    private func makeSolution(_ environment: Environment, _ caller: Caller) throws {
        guard let group else { return }
        do {
            _ = try environment.describeSolution(arn: environment.arn(.solution, solution, for: caller), by: caller)
        } catch OperationError.notFound {
            _ = try environment.createSolution(
                CreateSolutionInput(
                    name: solution, datasetGroupARN: environment.arn(.datasetGroup, group, for: caller),
                    recipeARN: environment.arn(.recipe, RecipeName.vectors.rawValue, for: caller)),
                by: caller)
        }
    }
}
