import Foundation
import JSON
import Ranking

/// Writes a split so that other programs can be asked the same: train/interactions.csv, queries.jsonl, truth.jsonl, candidates.txt
/// for cold items, and the lists of every recipe. A query names its history only where the training part does not hold just that.
struct SplitFolder {
    private let path: String
    /// Where the data came from.
    private let source: String

    init(_ path: String, source: String) throws {
        self.path = absolutePath(path)
        self.source = source
        do {
            try FileManager.default.createDirectory(atPath: self.path + "/train", withIntermediateDirectories: true)
        } catch { throw Failure("\(path) cannot be made: \(error.localizedDescription)") }
    }

    func write(_ loaded: OfflineData, _ split: EvaluationSplit, _ runs: [JudgedRecipe]) throws -> [String] {
        try writeTraining(loaded, split.training)
        try copyMetadata()
        try writeQueries(loaded, split)
        if let candidates = split.candidates {
            let file = try NewFile(path: path + "/candidates.txt")
            for item in candidates { try file.write(Array(loaded.items.bytes(of: item)) + [0x0A]) }
            try file.finish()
        }
        for (index, run) in runs.enumerated() {
            let file = try NewFile(path: path + "/lists-\(index + 1).jsonl")
            for query in split.queries.indices {
                let row = run.lists.items[query * ListMetric.depth..<(query + 1) * ListMetric.depth].prefix { $0 >= 0 }
                try file.write(line(query, "items", row.map { loaded.items.bytes(of: $0) }))
            }
            try file.finish()
        }
        return ["The split and the lists are in \(path)."]
    }

    private func copyMetadata() throws {
        for name in ["items", "users"] {
            guard let file = OfflineData.file(name, in: source) else { continue }
            let copy = try NewFile(path: "\(path)/train/\(name).csv")
            try FileBytes(path: file).read { try copy.write($0) }
            try copy.finish()
        }
    }

    private func writeTraining(_ loaded: OfflineData, _ positions: [Int]) throws(Failure) {
        let file = try NewFile(path: path + "/train/interactions.csv")
        let data = loaded.interactions
        try file.write("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n".utf8)
        for position in positions {
            var line = field(loaded.users.bytes(of: data.users[position])) + [0x2C] + field(loaded.items.bytes(of: data.items[position]))
            line += Array(",\(data.timestamps[position]),".utf8)
            line += field(Array(data.eventTypeNames[Int(data.eventTypes[position])].utf8)[...])
            line += Array((data.values[position].isNaN ? ",\n" : ",\(data.values[position])\n").utf8)
            try file.write(line)
        }
        try file.finish()
    }

    /// Quoted where it must be (RFC 4180), backslashes doubled as the reader takes them inside quotes.
    private func field(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        guard bytes.contains(where: { [0x2C, 0x22, 0x0A, 0x0D].contains($0) }) else { return Array(bytes) }
        return [0x22] + bytes.flatMap { $0 == 0x22 || $0 == 0x5C ? [$0 == 0x22 ? 0x22 : 0x5C, $0] : [$0] } + [0x22]
    }

    private func writeQueries(_ loaded: OfflineData, _ split: EvaluationSplit) throws(Failure) {
        let data = loaded.interactions
        let queries = try NewFile(path: path + "/queries.jsonl")
        let truth = try NewFile(path: path + "/truth.jsonl")
        for (index, query) in split.queries.enumerated() {
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("q")
            writer.integer(index)
            writer.key("user")
            writer.string(utf8: loaded.users.bytes(of: query.user))
            if !split.historiesAreTraining {
                writer.key("history")
                writer.beginArray()
                for event in split.history(of: query, in: data) { writer.string(utf8: loaded.items.bytes(of: event.item)) }
                writer.endArray()
            }
            if let event = query.firstEvent {
                writer.key("time")
                writer.integer(Int(data.timestamps[Int(event)]))
            }
            writer.endObject()
            writer.newline()
            try queries.write(writer.bytes)
            try truth.write(line(index, "items", query.truth.map { loaded.items.bytes(of: $0) }, group: query.group))
        }
        try queries.finish()
        try truth.finish()
    }

    private func line(_ query: Int, _ key: StaticString, _ items: [ArraySlice<UInt8>], group: Int32? = nil) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("q")
        writer.integer(query)
        if let group {
            writer.key("group")
            writer.integer(group)
        }
        writer.key(key)
        writer.beginArray()
        for item in items { writer.string(utf8: item) }
        writer.endArray()
        writer.endObject()
        writer.newline()
        return writer.bytes
    }
}
