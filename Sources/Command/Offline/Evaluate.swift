import ArgumentParser
import Foundation
import Ranking

/// Judges recipes on files, without a database.
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Judge recipes offline on CSV files.",
        discussion: """
            Reads interactions.csv, items.csv and users.csv (each packed with gzip or not) in Amazon Personalize's layout, learns from \
            one part of the events, ranks all items for every test user and prints recall, hit rate, NDCG, MRR, precision, coverage, \
            novelty and popularity share with 95 % bootstrap intervals. Several recipes are compared by paired intervals. A recipe may \
            carry parameters: --recipe aws-user-personalization-v2:factors=128,iterations=20. No database is needed.
            """)

    @Option(help: "The folder with interactions.csv or interactions.csv.gz.")
    var data: String
    @Option(parsing: .upToNextOption, help: "Recipes by name; several are compared with the first.")
    var recipe: [String]
    @Option(help: ArgumentHelp("leave-last-out, temporal, temporal=TIME (seconds since 1970), cold-item, session or personalize."))
    var split: String
    @Flag(help: "Leave each user's newest training event out of the fit, but in the history.")
    var strict = false
    @Option(help: ArgumentHelp("Also write train/interactions.csv, queries.jsonl, truth.jsonl and the lists here.", valueName: "folder"))
    var write: String?
    @Flag(help: "Print JSON.")
    var json = false
    @OptionGroup var options: FitOptions

    func validate() throws {
        guard SplitRule(split) != nil else {
            throw ValidationError("--split is one of \(SplitRule.names.joined(separator: ", ")), not \(split).")
        }
        guard !recipe.isEmpty, recipe.count <= 10 else { throw ValidationError("--recipe takes 1 to 10 names.") }
    }

    func run() throws {
        guard let rule = SplitRule(split) else { return }
        var configurations = try recipe.map { try options.configuration($0, among: recipe) }
        if let segments = configurations.first(where: { $0.recipe.description.makesSegments }) {
            guard configurations.allSatisfy({ $0.recipe.description.makesSegments }), rule == .personalize else {
                throw Failure("Recipe \(segments.recipe.rawValue) ranks users: it is judged by --split personalize, without other recipes.")
            }
            return try SegmentReport(labels: recipe, configurations: configurations).write(OfflineData(folder: data).interactions)
        }
        let loaded = try OfflineData(folder: data)
        let now = Date(timeIntervalSince1970: Double(loaded.interactions.timestamps.max() ?? 0))
        for index in configurations.indices { configurations[index].createdAt = now }
        do throws(FitError) {
            var split = try EvaluationSplit(loaded.interactions, rule, seed: options.seed)
            if strict {
                split.historiesAreTraining = false
                split.training = try leavingNewestOut(loaded.interactions, split.training)
                split.sentences.append("The newest training event of each user is left out of the fit, but in the history.")
            }
            let judge = Judge(loaded, split, options)
            var runs: [JudgedRecipe] = []
            for (label, configuration) in zip(recipe, configurations) { runs.append(try judge.run(label, configuration)) }
            TerminalProgress.clear()
            try finish(judge, runs)
        } catch {
            TerminalProgress.clear()
            throw Failure(error.message)
        }
    }

    private func finish(_ judge: Judge, _ runs: [JudgedRecipe]) throws(FitError) {
        var report = EvaluationReport(judge, runs, folder: data, split: split, seed: options.seed)
        do {
            if let write { report.sentences += try SplitFolder(write, source: data).write(judge.loaded, judge.split, runs) }
        } catch { throw .unusableData("\(error)") }
        writeAll(json ? report.json + "\n" : report.text, to: 1)
    }
}

/// One recipe's lists and what they cost.
struct JudgedRecipe {
    var label: String
    var lists: OfflineLists
    var fit: ResourceUse
    var rank: ResourceUse
    var log: [String]
}

/// Fits recipes on a split's training part and scores their lists.
struct Judge {
    let loaded: OfflineData
    let split: EvaluationSplit
    let catalog: CatalogProfile
    let threads: Int

    init(_ loaded: OfflineData, _ split: EvaluationSplit, _ options: FitOptions) {
        self.loaded = loaded
        self.split = split
        threads = options.threads
        catalog = CatalogProfile(
            loaded.interactions, positions: split.training, itemLimit: loaded.items.count, more: loaded.catalog,
            candidates: split.candidates)
    }

    func run(_ label: String, _ configuration: FitConfiguration) throws(FitError) -> JudgedRecipe {
        let (fitted, fitUse) = try ResourceUse.measure { () throws(FitError) in try fit(label, configuration) }
        let model: Model
        do throws(ModelError) { model = try fitted.opened() } catch { throw .unusableData(error.message) }
        let (lists, rankUse) = try ResourceUse.measure { () throws(FitError) in
            try split.ask(model, loaded.interactions, catalog: catalog, threads: threads) {
                TerminalProgress.show($0, "\(label): ranking for \(split.queries.count) queries")
            }
        }
        return JudgedRecipe(label: label, lists: lists, fit: fitUse, rank: rankUse, log: fitted.log)
    }

    private func fit(_ label: String, _ configuration: FitConfiguration) throws(FitError) -> FittedModel {
        try Ranking.fit(split.trainingData(loaded.interactions), configuration) { TerminalProgress.show($0, "\(label): \($1)") }
    }
}
