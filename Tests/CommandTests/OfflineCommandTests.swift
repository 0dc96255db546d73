import Foundation
import Glibc
import JSON
import Ranking
import Storage
import Testing

@testable import Command

/// The program itself, on small generated files.
@Suite(.serialized) struct OfflineCommandTests {
    private let folder = "/tmp/offline-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    /// Built beside the tests.
    private static let program =
        ((try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "")
        .split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/tastemaker"

    init() throws {
        try FileManager.default.createDirectory(atPath: folder + "/data", withIntermediateDirectories: true)
        try Self.interactions().write(toFile: folder + "/data/interactions.csv", atomically: true, encoding: .utf8)
    }

    /// Forty users in two blocks of fifteen items, ten events each, two of them in one second.
    private static func interactions() -> String {
        var lines = ["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE"]
        for step in 0..<10 {
            for user in 0..<40 {
                let item = user % 2 * 15 + (user * 7 + step * 4) % 15
                lines.append("u\(user),\"i,\(item)\",\(1_700_000_000 + step / 2 * 5000),view")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func run(_ arguments: String...) throws -> (ending: Ending, output: String) {
        let run = try ToolRun([Self.program] + arguments, user: nil, input: "")
        return (run.ending, run.output)
    }

    private func write(_ text: String, _ name: String) throws -> String {
        try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
        return folder + "/" + name
    }

    private func remove() { try? FileManager.default.removeItem(atPath: folder) }

    @Test func `evaluate prints figures with intervals, the same again for a seed`() throws {
        defer { remove() }
        let arguments = [
            "evaluate", "--data", folder + "/data", "--recipe", "aws-user-personalization-v2", "aws-popularity-count", "--split",
            "leave-last-out",
            "--json",
        ]
        func figures() throws -> [JSONValue?] {
            let run = try ToolRun([Self.program] + arguments, user: nil, input: "")
            #expect(run.ending == .exited(0), "\(run.output)")
            let recipes = try #require(try JSONValue(parsing: run.output)["recipes"]?.arrayValue)
            return recipes.flatMap { [$0["metrics"], $0["less_first"]] }
        }
        let first = try figures()
        let values = first[0]?["ndcg@10"]?.arrayValue ?? []
        let ndcg = values.map { $0.doubleValue ?? .nan }
        #expect(ndcg.count == 3 && ndcg[1] <= ndcg[0] && ndcg[0] <= ndcg[2] && ndcg[0] > 0)
        #expect(try figures() == first)
    }

    @Test func `rank answers with users for recipes that make segments, and evaluate judges them by the contract's metrics`() throws {
        defer { remove() }
        let queries = try write("{\"q\":1,\"item\":\"i,3\"}\n{\"q\":2,\"item\":\"unknown\"}\n", "items.jsonl")
        let ranked = try run(
            "rank", "--train", folder + "/data", "--queries", queries, "--recipe", "aws-item-affinity", "--top", "5", "--out",
            folder + "/users.jsonl")
        #expect(ranked.ending == .exited(0), "\(ranked.output)")
        let lines = try String(contentsOfFile: folder + "/users.jsonl", encoding: .utf8).split(separator: "\n").map {
            try JSONValue(parsing: $0.utf8)
        }
        let users = try #require(lines.first?["users"]?.arrayValue).compactMap(\.stringValue)
        // The item is in the first block, whose users have even numbers; some of them have not met it yet, and nobody comes back.
        #expect(users.count == 5 && users.allSatisfy { Int($0.dropFirst()).map { $0 % 2 == 0 } ?? false })
        #expect(lines.last?["users"]?.arrayValue?.isEmpty == true)
        #expect(lines.last?["error"]?.stringValue == "The model was not trained on this item.")
        let judged = try run("evaluate", "--data", folder + "/data", "--recipe", "aws-item-affinity", "--split", "personalize")
        #expect(judged.ending == .exited(0) && judged.output.contains("recall_at_1_percent"), "\(judged.output)")
        let other = try run("evaluate", "--data", folder + "/data", "--recipe", "aws-item-affinity", "--split", "session")
        #expect(other.ending != .exited(0) && other.output.contains("--split personalize"))
    }

    @Test func `actions proposes what users of a kind take`() throws {
        defer { remove() }
        var lines = ["USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP"]
        for day in 0..<80 {
            for user in 0..<40 {
                let action = (user + day) % 2
                let isTaken = action == user % 2 && (user / 2 + day / 2) % 2 == 0
                lines.append("u\(user),a\(action),\(isTaken ? "Taken" : "not_taken"),\(1_700_000_000 + day * 86_400 + user)")
            }
        }
        _ = try write(lines.joined(separator: "\n") + "\n", "data/action_interactions.csv")
        _ = try write("ACTION_ID,VALUE,EXPIRATION_TIMESTAMP\na0,1,\na1,2,\nold,9,1700000000\n", "data/actions.csv")
        let queries = try write("{\"q\":\"even\",\"user\":\"u4\"}\n{\"q\":\"odd\",\"user\":\"u5\"}\n", "users.jsonl")
        let run = try run("actions", "--train", folder + "/data", "--queries", queries, "--out", folder + "/actions.jsonl")
        #expect(run.ending == .exited(0) && run.output.contains("log_loss"), "\(run.output)")
        let answers = try String(contentsOfFile: folder + "/actions.jsonl", encoding: .utf8).split(separator: "\n").map {
            try JSONValue(parsing: $0.utf8)
        }
        let ids = answers.map { ($0["actions"]?.arrayValue ?? []).compactMap { $0["actionId"]?.stringValue } }
        #expect(ids == [["a0", "a1"], ["a1", "a0"]])
        #expect(answers.allSatisfy { ($0["actions"]?.arrayValue?.first?["score"]?.doubleValue ?? 0) > 0.5 })
    }

    @Test(arguments: ["leave-last-out", "temporal=1700015000", "cold-item", "session", "personalize"])
    func `evaluate takes every split`(split: String) throws {
        defer { remove() }
        let run = try run("evaluate", "--data", folder + "/data", "--recipe", "aws-sims", "--split", split)
        #expect(run.ending == .exited(0), "\(run.output)")
        #expect(run.output.contains("recall@10") && run.output.contains("Events of one second stand in file order."))
    }

    @Test func `what evaluate writes can be ranked and compared`() throws {
        defer { remove() }
        let data = folder + "/data"
        let target = folder + "/split"
        #expect(
            try run("evaluate", "--data", data, "--recipe", "aws-popularity-count", "--split", "leave-last-out", "--write", target).ending
                == .exited(0))
        let ranked = try run(
            "rank", "--train", target + "/train", "--queries", target + "/queries.jsonl", "--recipe", "aws-popularity-count", "--seen",
            "drop",
            "--out", target + "/mine.jsonl")
        #expect(ranked.ending == .exited(0), "\(ranked.output)")
        #expect(
            try String(contentsOfFile: target + "/mine.jsonl", encoding: .utf8)
                == String(contentsOfFile: target + "/lists-1.jsonl", encoding: .utf8))
        let compared = try run(
            "compare", "--train", target + "/train", "--truth", target + "/truth.jsonl", "--json", "mine=\(target)/mine.jsonl",
            "theirs=\(target)/lists-1.jsonl")
        let recipes = try #require(try JSONValue(parsing: compared.output)["recipes"]?.arrayValue)
        #expect(recipes[0]["metrics"] == recipes[1]["metrics"])
        #expect(recipes[1]["less_first"]?["ndcg@10"] == [0.0, 0.0, 0.0])
    }

    @Test func `rank answers every query in order, known or not`() throws {
        defer { remove() }
        let queries = try write(
            """
            {"q":"a","user":"u0"}
            {"q":2,"user":"nobody"}
            {"q":"c","user":"nobody","history":["i,15","i,19"]}
            {"q":"d","user":"u1","candidates":["i,3","i,18","unheard of"]}

            {"q":"e","item":"i,4"}
            """, "queries.jsonl")
        let out = folder + "/lists.jsonl"
        let run = try run(
            "rank", "--train", folder + "/data", "--queries", queries, "--recipe", "aws-user-personalization-v2", "--top", "4", "--out", out
        )
        #expect(run.ending == .exited(0), "\(run.output)")
        let lines = try String(contentsOfFile: out, encoding: .utf8).split(separator: "\n").map { try JSONValue(parsing: String($0)) }
        #expect(lines.map { $0["q"] } == ["a", 2, "c", "d", "e"])
        let items = lines.map { $0["items"]?.arrayValue?.compactMap(\.stringValue) ?? [] }
        #expect(items.map(\.count) == [4, 4, 4, 3, 4])
        #expect(Set(items[3]) == ["i,3", "i,18", "unheard of"] && items[3].last == "unheard of")
        // The history is of the second block, items 15 to 29.
        #expect(items[2].allSatisfy { (Int($0.dropFirst(2)) ?? 0) >= 15 })
    }

    @Test(arguments: [
        (#"{"q":1,"user":"u1""#, "line 2: not JSON"), (#"{"user":"u1"}"#, "line 2: the field q is missing"),
        (#"{"q":1,"user":["u1"]}"#, "line 2: the field user is an id"),
        (#"{"q":1,"user":"u1","history":"i"}"#, "line 2: the field history"),
        (#"{"q":1,"user":"u1","candidates":[{}]}"#, "line 2: the field candidates"), (#"{"q":1,"usr":"u1"}"#, "the field usr is unknown"),
        (#"{"q":1}"#, "line 2: the field user is missing"), (#"{"q":{},"user":"u1"}"#, "line 2: the field q is a string or a number"),
    ])
    func `a bad query is named by line and field, and nothing is written`(line: String, message: String) throws {
        defer { remove() }
        let queries = try write("{\"q\":0,\"user\":\"u1\"}\n\(line)\n", "queries.jsonl")
        let run = try run(
            "rank", "--train", folder + "/data", "--queries", queries, "--recipe", "aws-sims", "--out", folder + "/lists.jsonl")
        #expect(run.ending == .exited(1))
        #expect(run.output.contains(message), "\(run.output)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["data", "queries.jsonl"])
    }

    @Test(arguments: [
        ("u1,i1,soon,view", "line 2: TIMESTAMP"), (",i1,5,view", "line 2: USER_ID"), ("u1,,5,view", "line 2: ITEM_ID"),
        ("u1,i1,5", "line 2: has 3 fields"), ("u1,i1,-9223372036854775809,view", "line 2: TIMESTAMP"),
    ])
    func `a bad row is named by line and column`(row: String, message: String) throws {
        defer { remove() }
        _ = try write("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n\(row)\n", "data/interactions.csv")
        let run = try run("evaluate", "--data", folder + "/data", "--recipe", "aws-sims", "--split", "session")
        #expect(run.ending == .exited(1))
        #expect(run.output.contains(message), "\(run.output)")
    }

    @Test(arguments: [
        (["--split", "random"], "--split is one of leave-last-out"),
        (["--split", "session", "--set", "factors"], "--set takes name=value"),
        (["--split", "session", "--set", "colour=red"], "colour is not one of recipe aws-sims"),
        (["--split", "session", "--set", "min_cointeraction_count=99"], "must be a whole number from 0 to 10"),
        (["--split", "session", "--data", "/nowhere"], "/nowhere has no interactions.csv"),
        (["--split", "session", "--recipe", "sims"], "There is no recipe sims"),
    ])
    func `a wrong argument is refused in a sentence`(arguments: [String], message: String) throws {
        defer { remove() }
        var all = ["evaluate"]
        if !arguments.contains("--data") { all += ["--data", folder + "/data"] }
        if !arguments.contains("--recipe") { all += ["--recipe", "aws-sims"] }
        let run = try ToolRun([Self.program] + all + arguments, user: nil, input: "")
        #expect([.exited(1), .exited(64)].contains(run.ending))
        #expect(run.output.contains(message), "\(run.output)")
    }

    @Test func `packed files are read as they stream, and damage is named`() throws {
        defer { remove() }
        let path = folder + "/data/interactions.csv"
        let packed = try GzipDeflater.deflate(Array(Self.interactions().utf8))
        try FileManager.default.removeItem(atPath: path)
        try Data(packed).write(to: URL(filePath: path + ".gz"))
        #expect(try OfflineData(folder: folder + "/data").interactions.count == 400)
        try Data(packed.dropLast(20)).write(to: URL(filePath: path + ".gz"))
        #expect(throws: Failure("\(path).gz cannot be unpacked: the gzip data ends too early.")) {
            try OfflineData(folder: folder + "/data")
        }
    }

    @Test func `strict leaves the newest event out of the fit but in the history`() throws {
        defer { remove() }
        // The last event of u1 is the only one on its item: strictly, no model can know the item. Unknown ones keep their order.
        let data = Self.interactions() + "u1,rare,1800000000,view\n"
        _ = try write(data, "data/interactions.csv")
        let queries = try write(#"{"q":1,"user":"u2","candidates":["ghost","rare","i,4"]}"#, "queries.jsonl")
        func last(_ more: [String]) throws -> String? {
            let out = folder + "/lists.jsonl"
            let arguments =
                ["rank", "--train", folder + "/data", "--queries", queries, "--recipe", "aws-popularity-count", "--out", out] + more
            #expect(try ToolRun([Self.program] + arguments, user: nil, input: "").ending == .exited(0))
            return try JSONValue(parsing: String(contentsOfFile: out, encoding: .utf8).dropLast().utf8)["items"]?.arrayValue?.last?
                .stringValue
        }
        #expect(try last([]) == "ghost")
        #expect(try last(["--strict"]) == "rare")
    }
}
