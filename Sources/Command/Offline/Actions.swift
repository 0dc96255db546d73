import ArgumentParser
import Foundation
import JSON
import Ranking

/// Learns next best actions from files and answers a file of queries, without a database.
struct Actions: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Learn next best actions from CSV files and propose some for a file of users.",
        discussion: """
            Reads action_interactions.csv and, where they are, actions.csv and interactions.csv (each packed with gzip or not) in Amazon \
            Personalize's layout. Each query {"q":…,"user":…} is answered by {"q":…,"actions":[{"actionId":…,"score":…}]}, best first: the \
            score is the probability that the user takes the action within the period, as of the newest event of the data. Metrics on \
            held-out users go to the standard error output. No database is needed.
            """)

    @Option(help: "The folder with action_interactions.csv or action_interactions.csv.gz.")
    var train: String
    @Option(help: "Actions per answer, 1 to 100.")
    var top = 5
    @OptionGroup var questions: QueryOptions
    @Option(help: "Days within which an action is to be taken, 7 to 28.")
    var period = 14
    @OptionGroup var work: WorkOptions

    func validate() throws {
        guard (1...100).contains(top) else { throw ValidationError("--top is from 1 to 100, but is \(top).") }
    }

    func run() throws {
        let loaded = try ActionReader(folder: train)
        var reader = RankQueryReader(path: questions.queries, users: loaded.users, items: IDTable())
        try reader.read()
        let output = try NewFile(path: questions.out)
        let model: ActionModel
        let use: ResourceUse
        do throws(FitError) {
            let configuration = ActionConfiguration(periodDays: period, seed: work.seed, threads: work.threads)
            (model, use) = try ResourceUse.measure { () throws(FitError) in
                try fitActions(loaded.data, configuration) { TerminalProgress.show($0, $1) }
            }
            TerminalProgress.clear()
        } catch {
            TerminalProgress.clear()
            throw Failure(error.message)
        }
        let events = Dictionary(grouping: loaded.data.events, by: \.user).mapValues { $0.sorted { $0.timestamp < $1.timestamp } }
        let visits = Dictionary(grouping: loaded.data.visits, by: \.user)
        let shelf = ActionShelf(loaded.allActions, model)
        let moment = (loaded.data.events.map(\.timestamp).max() ?? 0) + 1
        for query in reader.queries {
            let user = query.user ?? -1
            let known = ActionUser(
                responses: (events[user] ?? []).map { ($0.action, $0.response, $0.timestamp) },
                visits: (visits[user] ?? []).map(\.timestamp).sorted())
            let proposals = model.propose(for: known, from: shelf, at: moment, count: top)
            try output.write(line(query, proposals, loaded.actions))
        }
        try output.finish()
        let metrics = model.metrics.sorted { $0.key < $1.key }.map { String(format: "%@ %.4f", $0.key, $0.value) }
        writeAll((model.log + metrics + ["fit   \(use.text)"]).joined(separator: "\n") + "\n", to: STDERR_FILENO)
    }

    private func line(_ query: RankQuery, _ proposals: [ActionModel.Proposal], _ actions: IDTable) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("q")
        writer.raw(query.name)
        writer.key("actions")
        writer.beginArray()
        for proposal in proposals {
            writer.beginObject()
            writer.key("actionId")
            writer.string(utf8: actions.bytes(of: proposal.action))
            writer.key("score")
            writer.double(proposal.score, decimals: 7)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        writer.newline()
        return writer.bytes
    }
}
