import Foundation
import ModelMutation
import Ranking

/// Long checks of the engine, `fuzz SECONDS [FIRST-SEED]` and `races` under a sanitizer, `silences EVENTS [RECIPE …]`,
/// `lists [ITEMS [DIMENSIONS]]` and `rounds PAIRS` without.
@main enum Checks {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        switch arguments.first {
        case "fuzz":
            let numbers = arguments.dropFirst().compactMap { UInt64($0) }
            guard let seconds = numbers.first, numbers.count == arguments.count - 1 else { return usage() }
            try fuzz(seconds: Double(seconds), firstSeed: numbers.dropFirst().first ?? 1000)
        case "races": try races()
        case "lists":
            let numbers = arguments.dropFirst().compactMap { Int($0) }
            try ListTimes(items: numbers.first ?? 1_000_000, dimensions: numbers.dropFirst().first ?? 64).run { tell($0) }
        case "rounds":
            guard let file = arguments.dropFirst().first else { return usage() }
            try rounds(URL(fileURLWithPath: file))
        case "silences":
            let words = arguments.dropFirst()
            let recipes = words.dropFirst().compactMap { RecipeName(rawValue: $0) }
            guard let events = words.first.flatMap({ Int($0) }), recipes.count == words.count - 1 else { return usage() }
            try Silences(events: events).measure(recipes.isEmpty ? trained : recipes)
        default: usage()
        }
    }

    private static func usage() {
        tell("RankingChecks fuzz SECONDS [FIRST-SEED] | races | silences EVENTS [RECIPE …] | lists [ITEMS [DIMENSIONS]] | rounds PAIRS")
    }

    static func tell(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

    /// Rounds of ALS on distinct pairs of a user and an item, 32 bits each one after another, as standard input asks for them:
    /// `exact|steps ROUNDS` is answered with CPU seconds and the objective. Who times another program in turn with this one
    /// sees both under the same load.
    private static func rounds(_ file: URL) throws {
        let numbers = try Data(contentsOf: file).withUnsafeBytes { Array($0.bindMemory(to: Int32.self)) }
        let rounds = ALSRounds(
            users: stride(from: 0, to: numbers.count, by: 2).map { numbers[$0] },
            items: stride(from: 1, to: numbers.count, by: 2).map { numbers[$0] })
        while let words = readLine()?.split(separator: " "), words.count == 2, let count = Int(words[1]) {
            let took = try rounds.run(count, dimensions: 64, isExact: words[0] == "exact", threads: 2)
            tell("\(took.seconds) \(took.objective)")
            fflush(nil)
        }
    }

    /// The recipes that learn from interactions with items.
    private static let trained = RecipeName.allCases.filter { $0 != .vectors && !$0.description.proposesActions }

    private static func actions() throws -> ActionModel {
        var events: [ActionData.Event] = []
        for index in 0..<Int64(6000) {
            let taken = index * 31 % 7 == 0
            events.append(
                .init(user: Int32(index % 90), action: Int32(index % 4), response: taken ? .taken : .viewed, timestamp: index * 700))
        }
        return try fitActions(ActionData(events: events, actions: []), ActionConfiguration(threads: 4))
    }

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
        let listed = try ListTimes(items: 4000, dimensions: 16).listed()
        tell(listed.log.last ?? "")
        let models = try trained.map { try fit(interactions(), FitConfiguration(recipe: $0)).bytes } + [try imported().bytes, listed.bytes]
        let names = trained + [.vectors, .vectors]
        let actions = try actions().encoded
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
            var mutation = ModelMutation(seed: seed)
            propose(from: mutation.mutate(actions), seed: seed)
            seed += 1
        }
        tell("\(counts[.refused, default: 0]) mutated files were refused, \(counts[.answered, default: 0]) answered, none crashed.")
    }

    /// A file of actions that is not refused answers with numbers from 0 to 1.
    private static func propose(from bytes: [UInt8], seed: UInt64) {
        guard let model = try? ActionModel(opening: ModelBytes(bytes), verifyingChecksum: false) else { return }
        let shelf = ActionShelf(model.actionIDs.map { ActionData.Action(id: $0) }, model)
        let user = ActionUser(responses: [(0, .taken, 0), (3, .viewed, 1_000_000)], visits: [500_000], attributes: ["A": "b"])
        guard !model.propose(for: user, from: shelf, at: 4_200_000).allSatisfy({ (0...1).contains($0.score) }) else { return }
        tell("seed \(seed), actions: a score that is no probability")
        exit(1)
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
        tell("lists: \(try ListTimes(items: 4000, dimensions: 16).listed(threads: 4).log.count) lines")
        let plan = TuningPlan(space: SearchSpace(allOf: .userPersonalization), trialLimit: 4)
        let found = try tune(data, FitConfiguration(recipe: .userPersonalization, threads: 4), plan)
        tell("actions: \(try actions().readyCount) with scores")
        tell("search: \(found.parameters.count) parameters")
    }
}
