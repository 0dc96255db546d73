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
            {"q":"c","user":"nobody","history":["i,15","i,19"],"context":{"DEVICE":"phone"},"time":1700000000}
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

    @Test func `ids that differ in case or normal form are different users and items`() throws {
        defer { remove() }
        // Each spelling has a follower of its own.
        let spellings = ["Item", "item", "caf\u{E9}", "cafe\u{301}", " item", "item\u{200B}"]
        var lines = ["USER_ID,ITEM_ID,TIMESTAMP"]
        for round in 0..<12 {
            for (place, spelling) in spellings.enumerated() {
                lines.append("\(spelling) \(round),\(spelling),\(round * 100_000 + place)")
                lines.append("\(spelling) \(round),follower \(place),\(round * 100_000 + 10 + place)")
            }
        }
        _ = try write(lines.joined(separator: "\n"), "data/interactions.csv")
        let loaded = try OfflineData(folder: folder + "/data")
        #expect(loaded.items.count == 12 && loaded.users.count == 72)
        let queries = try write(
            spellings.enumerated().map { "{\"q\":\($0),\"item\":\"\($1)\"}\n" }.joined()
                + "{\"q\":6,\"user\":\"CAF\u{C9} 1\",\"candidates\":[\"caf\u{E9}\",\"cafe\u{301}\",\"CAF\u{C9}\"]}\n", "queries.jsonl")
        let out = folder + "/lists.jsonl"
        let ranked = try run("rank", "--train", folder + "/data", "--queries", queries, "--recipe", "aws-sims", "--top", "3", "--out", out)
        #expect(ranked.ending == .exited(0), "\(ranked.output)")
        let lists = try String(contentsOfFile: out, encoding: .utf8).split(separator: "\n").map {
            try JSONValue(parsing: String($0))["items"]?.arrayValue?.compactMap(\.stringValue) ?? []
        }
        for place in spellings.indices { #expect(lists[place].first == "follower \(place)") }
        #expect(lists[6].map { Array($0.utf8) }.last == Array("CAF\u{C9}".utf8))
        #expect(Set(lists[6].map { Array($0.utf8) }).count == 3)
    }

    @Test(
        arguments: ["leave-last-out", "temporal", "temporal=99999999999999", "cold-item", "session", "personalize"],
        [
            "u,i,5", "u,i,5\nu,i,5\nu,i,6", "u,i,5\nv,i,5\nw,i,5", "u,a,5\nu,b,5\nu,c,5\nu,d,5\nu,e,5\nu,f,5\nv,a,9000000000",
            "u,a,0\nv,b,0\nw,c,0\nx,d,0\ny,e,0",
        ])
    func `data that can hardly be split gives figures or a sentence`(split: String, rows: String) throws {
        defer { remove() }
        _ = try write("USER_ID,ITEM_ID,TIMESTAMP\n\(rows)\n", "data/interactions.csv")
        let run = try run("evaluate", "--data", folder + "/data", "--recipe", "aws-user-personalization-v2", "aws-sims", "--split", split)
        if run.ending == .exited(0) {
            #expect(run.output.contains("recall@10") && !run.output.lowercased().contains("nan"), "\(run.output)")
        } else {
            #expect(run.ending == .exited(1) && run.output.hasSuffix(".\n"), "\(run.ending) \(run.output)")
        }
    }

    @Test func `items of the history are kept where they are asked for`() throws {
        defer { remove() }
        let queries = try write(#"{"q":1,"user":"u0"}"#, "queries.jsonl")
        let all = try write((0..<30).map { "i,\($0)\n" }.joined(), "all.txt")
        func list(_ more: String...) throws -> [String] {
            let out = folder + "/lists.jsonl"
            let arguments = [
                "rank", "--train", folder + "/data", "--queries", queries, "--recipe", "aws-user-personalization", "--top", "30", "--out",
                out,
            ]
            #expect(try ToolRun([Self.program] + arguments + more, user: nil, input: "").ending == .exited(0))
            return try JSONValue(parsing: String(contentsOfFile: out, encoding: .utf8).dropLast().utf8)["items"]?.arrayValue?
                .compactMap(\.stringValue) ?? []
        }
        // Nobody comes back to an item here, so the recipe puts these last; a list to be ranked it only orders.
        let kept = try list("--seen", "keep")
        #expect(try kept == list("--candidates", all))
        #expect(try kept != list())
        #expect(try list("--seen", "drop").count == 20)
    }

    @Test(arguments: [
        ("", "truth.jsonl holds no queries"), (#"{"q":1,"items":[]}"#, "q 1 has no items"),
        ("{\"q\":1,\"items\":[\"a\"]}\n{\"q\":1,\"items\":[\"b\"]}", "line 2: q 1 is there twice"),
    ])
    func `truth that cannot be found is refused`(truth: String, message: String) throws {
        defer { remove() }
        let lists = try write("{\"q\":1,\"items\":[\"a\"]}\n", "lists.jsonl")
        let run = try run("compare", "--train", folder + "/data", "--truth", try write(truth, "truth.jsonl"), lists)
        #expect(run.ending == .exited(1))
        #expect(run.output.contains(message), "\(run.output)")
    }

    @Test func `two lists of one query are refused`() throws {
        defer { remove() }
        let truth = try write("{\"q\":1,\"items\":[\"a\"]}\n", "truth.jsonl")
        let lists = try write("{\"q\":1,\"items\":[\"a\"]}\n{\"q\":1,\"items\":[\"b\"]}\n", "lists.jsonl")
        let run = try run("compare", "--train", folder + "/data", "--truth", truth, lists)
        #expect(run.ending == .exited(1))
        #expect(run.output.contains("lists.jsonl line 2: q 1 is there twice"), "\(run.output)")
    }

    @Test func `made-up items cover nothing, and candidates are all that there is`() throws {
        defer { remove() }
        let truth = try write("{\"q\":1,\"items\":[\"new\"]}\n", "truth.jsonl")
        let lists = try write("{\"q\":1,\"items\":[\"made up\",\"i,1\",\"new\"]}\n", "lists.jsonl")
        func coverage(_ more: String...) throws -> Double? {
            let arguments = ["compare", "--train", folder + "/data", "--truth", truth, "--json", lists]
            let run = try ToolRun([Self.program] + arguments + more, user: nil, input: "")
            return try JSONValue(parsing: run.output)["recipes"]?.arrayValue?.first?["metrics"]?["coverage@10"]?.arrayValue?.first?
                .doubleValue
        }
        #expect(try coverage() == 1 / 30)
        #expect(try coverage("--candidates", write("new\nnewer\n", "candidates.txt")) == 0.5)
    }

    @Test(arguments: ["items": "ITEM_ID", "users": "USER_ID"])
    func `ids in the other files have the same bounds`(name: String, column: String) throws {
        defer { remove() }
        for id in ["", String(repeating: "x", count: 257)] {
            _ = try write("\(column),COLOUR\nfine,red\n\(id),blue\n", "data/\(name).csv")
            #expect(throws: Failure("\(folder)/data/\(name).csv line 3: \(column) has 1 to 256 bytes.")) {
                try OfflineData(folder: folder + "/data")
            }
        }
    }

    @Test func `lines are cut at breaks wherever the pieces end`() throws {
        defer { remove() }
        let lengths = [0, 1, 65_535, 65_536, 65_537, 3, 200_000, 0, 7]
        let text = lengths.map { String(repeating: "x", count: $0) }.joined(separator: "\r\n")
        let path = try write(text, "lines.txt")
        var seen: [[Int]] = []
        try FileBytes(path: path).lines { line, number in seen.append([number, line.count]) }
        #expect(seen == [[2, 1], [3, 65_535], [4, 65_536], [5, 65_537], [6, 3], [7, 200_000], [9, 7]])
        #expect(throws: Failure("\(path) line 3: a line has at most 60000 bytes.")) {
            try FileBytes(path: path).lines(limit: 60_000) { _, _ in }
        }
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
