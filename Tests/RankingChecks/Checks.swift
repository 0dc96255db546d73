import Foundation
import ModelMutation
import Ranking

/// Long checks of the engine, `fuzz SECONDS [FIRST-SEED]` and `races` under a sanitizer, `silences EVENTS [RECIPE …]` without.
@main enum Checks {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        switch arguments.first {
        case "fuzz":
            let numbers = arguments.dropFirst().compactMap { UInt64($0) }
            guard let seconds = numbers.first, numbers.count == arguments.count - 1 else { return usage() }
            try fuzz(seconds: Double(seconds), firstSeed: numbers.dropFirst().first ?? 1000)
        case "races": try races()
        case "silences":
            let words = arguments.dropFirst()
            let recipes = words.dropFirst().compactMap { RecipeName(rawValue: $0) }
            guard let events = words.first.flatMap({ Int($0) }), recipes.count == words.count - 1 else { return usage() }
            try Silences(events: events).measure(recipes.isEmpty ? trained : recipes)
        default: usage()
        }
    }

    private static func usage() { tell("RankingChecks fuzz SECONDS [FIRST-SEED] | races | silences EVENTS [RECIPE …]") }

    static func tell(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

    private static let trained = RecipeName.allCases.filter { $0 != .vectors }

    private static func imported() throws -> FittedModel {
        let items = (0..<Int32(101)).map { $0 }
        let vectors = items.flatMap { item in (0..<8).map { Float((Int(item) * 31 + $0 * 17) % 23) - 11 } }
        return try VectorImport(metric: .cosine, dimensions: 8, itemIDs: items, items: vectors).model()
    }

    /// Two blocks of items with a popular one between them, values, three event types, a clock, and what describes the items.
    private static func interactions(users: Int32 = 90, steps: Int32 = 12) -> TrainingData {
        var data = TrainingData(eventTypeNames: ["View", "Purchase", "Watch"])
        for step in 0..<steps {
            for user in 0..<users {
                let item = step == 5 ? 100 : user % 2 * 50 + (user * 31 + step * step * 7) % 50
                data.append(
                    user: user, item: item, eventType: UInt8((user + step) % 3), value: step % 4 == 0 ? Float(step) : .nan,
                    timestamp: Int64(step) * 4000 + Int64(user))
            }
        }
        let items = (0...100).map { Int32($0) }
        var categories = CategoryLists()
        for item in items { categories.append(["block \(item / 50)", "shade \(item % 7)"]) }
        data.itemMetadata = MetadataTable(
            ids: items,
            columns: [
                MetadataColumn(name: "GENRES", values: .categories(categories)),
                MetadataColumn(name: "TITLE", values: .texts(items.map { "Number \($0) of \($0 < 50 ? "harbour" : "orbit")" })),
            ])
        return data
    }

    /// Whoever mutates a file so that it crashes this finds the seed in the last line.
    private static func fuzz(seconds: Double, firstSeed: UInt64) throws {
        let models = try trained.map { try fit(interactions(), FitConfiguration(recipe: $0)).bytes } + [try imported().bytes]
        let names = trained + [.vectors]
        var scratch = RankingScratch()
        var counts: [DamagedModel.Outcome: Int] = [:]
        let end = Date(timeIntervalSinceNow: seconds)
        var seed = firstSeed
        while Date() < end {
            if seed % 1000 == 0 { tell("from seed \(seed)") }
            for (name, bytes) in zip(names, models) {
                var mutation = ModelMutation(seed: seed)
                let outcome = DamagedModel.ask(mutation.mutate(bytes), scratch: &scratch) { request, result in
                    let most = max(request.count, request.candidates?.count ?? 0)
                    if result.items.count > most || !result.items.allSatisfy({ ($0.score ?? 0).isFinite }) {
                        tell("seed \(seed), \(name.rawValue): \(result.items.count) items, or a score that is no number")
                        exit(1)
                    }
                }
                counts[outcome, default: 0] += 1
            }
            seed += 1
        }
        tell("\(counts[.refused, default: 0]) mutated files were refused, \(counts[.answered, default: 0]) answered, none crashed.")
    }

    /// Everything that runs on several threads: fits, lists, bootstrap, and threads that share a model.
    private static func races() throws {
        let data = interactions(users: 400, steps: 15)
        for recipe in trained {
            let fitted = try fitAndEvaluate(data, FitConfiguration(recipe: recipe, threads: 4))
            let model = try fitted.opened()
            let split = try EvaluationSplit(data, .leaveLastOut, seed: 1)
            let catalog = CatalogProfile(data, positions: split.training, itemLimit: 101)
            let lists = try split.ask(model, data, catalog: catalog, threads: 4)
            let bootstrap = Bootstrap(
                values: lists.scores, columns: ListMetric.all.count, groups: split.queries.map(\.group), draws: 50, seed: 1, threads: 4)
            tell("\(recipe.rawValue): \(bootstrap.columns) figures of \(split.queries.count) lists")
        }
        let plan = TuningPlan(space: SearchSpace(allOf: .userPersonalization), trialLimit: 4)
        let found = try tune(data, FitConfiguration(recipe: .userPersonalization, threads: 4), plan)
        tell("search: \(found.parameters.count) parameters")
    }
}
