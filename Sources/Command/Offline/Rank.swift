import ArgumentParser
import Foundation
import JSON
import Ranking

/// Learns from files and answers a file of queries, without a database.
struct Rank: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Learn from CSV files and rank items for a file of queries.",
        discussion: """
            Each query is a line {"q":…,"user":…}, answered by a line {"q":…,"items":[…]} in the same order. "history":[item…], oldest \
            first, replaces what the data says of the user, who may be unknown to it; "item":… asks for related items (without it the \
            newest item of the history counts); "candidates":[…] are the only items to rank. Recipes of the type USER_SEGMENTATION take \
            {"q":…,"item":…} or {"q":…,"itemAttributes":"ITEMS.GENRES = \\"Comedy\\" AND …"} and answer {"q":…,"users":[…]}. No database is needed.
            """)

    @Option(help: "The folder with interactions.csv or interactions.csv.gz.")
    var train: String
    @Option(help: "The recipe's name.")
    var recipe: String
    @Option(help: "Items per list, 1 to 1000.")
    var top = 100
    @OptionGroup var questions: QueryOptions
    @Option(help: "A file of item ids, one a line: only these are ranked, except for queries with candidates of their own.")
    var candidates: String?
    @Flag(help: "Leave each user's newest event out of the fit, but in the history.")
    var strict = false
    @Option(help: "Items of the history: drop, keep, or auto (the recipe decides by how often users come back to items).")
    var seen: SeenItems = .auto
    @Option(help: ArgumentHelp("Also time so many single requests for 10 items on one thread.", valueName: "count"))
    var timeSingle: Int?
    @Flag(help: "Print the training log too.")
    var log = false
    @OptionGroup var options: FitOptions

    enum SeenItems: String, ExpressibleByArgument { case drop, keep, auto }

    func validate() throws {
        guard (1...1000).contains(top) else { throw ValidationError("--top is from 1 to 1000, but is \(top).") }
    }

    func run() throws {
        var configuration = try options.configuration(recipe, among: [recipe])
        let loaded = try OfflineData(folder: train)
        configuration.createdAt = Date(timeIntervalSince1970: Double(loaded.interactions.timestamps.max() ?? 0))
        var reader = RankQueryReader(path: questions.queries, users: loaded.users, items: loaded.items)
        try reader.read()
        let shared = try candidates.map { try ItemIDFile(path: $0).read(&reader.items) }
        let output = try NewFile(path: questions.out)
        do throws(FitError) {
            let (model, fitUse) = try ResourceUse.measure { () throws(FitError) in try fittedModel(loaded.interactions, configuration) }
            let makesSegments = model.recipe.description.makesSegments
            let rankUse =
                makesSegments
                ? try rankUsers(model, reader.queries, loaded, output) : try rankItems(model, reader, loaded, shared, output)
            TerminalProgress.clear()
            report(loaded, fitUse, rankUse, queryCount: reader.queries.count)
        } catch {
            TerminalProgress.clear()
            throw Failure(error.message)
        }
        try output.finish()
    }

    private func rankItems(
        _ model: Model, _ reader: RankQueryReader, _ loaded: OfflineData, _ candidates: [Int32]?, _ output: NewFile
    ) throws(FitError) -> ResourceUse {
        let answers = RankAnswers(
            model: model, histories: try UserHistories(loaded.interactions), queries: reader.queries, quoted: QuotedIDs(reader.items),
            candidates: candidates, top: top,
            attributes: model.usesSituation ? UserAttributes(loaded.interactions.userMetadata) : nil, commonType: loaded.commonType,
            now: loaded.interactions.timestamps.max() ?? 0, seen: seen)
        let (_, use) = try ResourceUse.measure { () throws(FitError) in try answers.write(to: output, threads: options.threads) }
        if let timeSingle { writeAll(answers.singleTime(count: max(1, timeSingle)) + "\n", to: STDERR_FILENO) }
        return use
    }

    private func rankUsers(
        _ model: Model, _ queries: [RankQuery], _ loaded: OfflineData, _ output: NewFile
    ) throws(FitError) -> ResourceUse {
        let lists = SegmentLists(model: model, queries: queries, users: loaded.users, top: top, threads: options.threads)
        return try ResourceUse.measure { () throws(FitError) in try lists.write(to: output) }.1
    }

    private func fittedModel(_ data: TrainingData, _ configuration: FitConfiguration) throws(FitError) -> Model {
        var part = data
        if strict { part = try leavingNewestOut(data) }
        let fitted = try fit(part, configuration) { TerminalProgress.show($0, $1) }
        if log {
            TerminalProgress.clear()
            writeAll(fitted.log.joined(separator: "\n") + "\n", to: STDERR_FILENO)
        }
        do throws(ModelError) { return try fitted.opened() } catch { throw .unusableData(error.message) }
    }

    private func report(_ loaded: OfflineData, _ fitUse: ResourceUse, _ rankUse: ResourceUse, queryCount: Int) {
        let lines = [
            String(format: "read  %.2f s, %d interactions", loaded.seconds, loaded.interactions.count), "fit   \(fitUse.text)",
            "rank  \(rankUse.text), \(Int(Double(queryCount) / max(1e-9, rankUse.cpuSeconds))) lists per CPU-s",
        ]
        writeAll(lines.joined(separator: "\n") + "\n", to: STDERR_FILENO)
    }
}

/// The answers to queries as lines of JSON.
struct RankAnswers: Sendable {
    let model: Model
    let histories: UserHistories
    let queries: [RankQuery]
    let quoted: QuotedIDs
    let candidates: [Int32]?
    let top: Int
    /// Nil when the model makes no use of them.
    let attributes: UserAttributes?
    let commonType: Int16
    let now: Int64
    let seen: Rank.SeenItems

    private static let blockCount = 8192

    func write(to output: NewFile, threads: Int) throws(FitError) {
        let ranking = ListRanking(model, threads: threads)
        for start in stride(from: 0, to: queries.count, by: Self.blockCount) {
            let count = min(Self.blockCount, queries.count - start)
            let lines = try ranking.lines(
                count: count, request: { request(queries[start + $0]) }, line: { line(queries[start + $0], $1) },
                progress: { TerminalProgress.show((Double(start) + $0 * Double(count)) / Double(queries.count), "Ranking") })
            do throws(Failure) {
                for line in lines { try output.write(line) }
            } catch { throw .unusableData(error.description) }
        }
    }

    private func request(_ query: RankQuery) -> RankingRequest {
        let history =
            query.history.map { $0.map { HistoryEvent(item: $0, eventType: commonType, timestamp: now) } }
            ?? query.user.map { histories.events(of: $0) } ?? []
        let needsItem = model.recipe.description.needs.contains(.itemId)
        let candidates = query.candidates ?? candidates
        var request = RankingRequest(
            history: history, item: query.item ?? (needsItem ? history.last?.item : nil), candidates: candidates, count: top,
            excludeHistory: seen == .drop, keepsHistory: seen == .keep)
        request.moment = query.time
        if let attributes {
            request.attributes = query.user.map(attributes.attributes) ?? [:]
            request.context = query.context
        }
        return request
    }

    private func line(_ query: RankQuery, _ result: RankingResult) -> [UInt8] {
        var writer = JSONWriter(reserving: 64 + 12 * result.items.count)
        writer.beginObject()
        writer.key("q")
        writer.raw(query.name)
        writer.key("items")
        var list: [UInt8] = []
        list.reserveCapacity(12 * result.items.count)
        for ranked in result.items.prefix(top) where ranked.item >= 0 {
            list.append(list.isEmpty ? UInt8(ascii: "[") : UInt8(ascii: ","))
            quoted.append(ranked.item, to: &list)
        }
        list.append(contentsOf: list.isEmpty ? "[]".utf8 : "]".utf8)
        writer.raw(list)
        writer.endObject()
        writer.newline()
        return writer.bytes
    }

    /// Time of single top-10 requests by this thread, over the queries in turn.
    func singleTime(count: Int) -> String {
        var scratch = RankingScratch()
        var times: [Double] = []
        for index in 0..<count + 10 {
            var request = request(queries[index % queries.count])
            request.count = 10
            let start = ResourceUse.threadCPU()
            let result = model.rank(request, scratch: &scratch)
            if index >= 10, !result.items.isEmpty { times.append(ResourceUse.threadCPU() - start) }
        }
        times.sort()
        let middle = times.isEmpty ? 0 : times[times.count / 2]
        let mean = times.isEmpty ? 0 : times.reduce(0, +) / Double(times.count)
        return String(format: "single top-10: median %.1f µs, mean %.1f µs of CPU over %d requests", middle * 1e6, mean * 1e6, times.count)
    }
}

/// Ids as JSON strings, made once for all answers that they stand in.
struct QuotedIDs: Sendable {
    private var text: [UInt8] = []
    private var ends = [0]

    init(_ table: IDTable) {
        ends.reserveCapacity(table.count + 1)
        for id in 0..<table.count {
            var writer = JSONWriter(reserving: 32)
            writer.string(utf8: table.bytes(of: Int32(id)))
            text += writer.bytes
            ends.append(text.count)
        }
    }

    func append(_ id: Int32, to bytes: inout [UInt8]) {
        let range = ends[Int(id)]..<ends[Int(id) + 1]
        text.withUnsafeBufferPointer { bytes.append(contentsOf: UnsafeBufferPointer(rebasing: $0[range])) }
    }
}
