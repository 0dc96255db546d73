import ArgumentParser
import Foundation
import JSON
import Ranking

/// Scores lists that any program made, by the same code as `evaluate`.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Score files of ranked lists against the truth.",
        discussion: """
            Truth and lists are lines {"q":…,"items":[…]}, such as those of `evaluate --write` and `rank`; they are matched by q, which \
            stands once in a file, and a missing list counts as empty. Several files are compared with the first by paired bootstrap \
            intervals.
            """)

    @Option(help: "The folder that the lists were learned from: what popularity, novelty and coverage are counted by.")
    var train: String
    @Option(help: "The hidden items of every query.")
    var truth: String
    @Option(help: "A file of item ids, one a line: the only items that could be listed. Without it these are all items of the folder.")
    var candidates: String?
    @Option(help: "What random choices start from.")
    var seed: UInt64 = 1
    @Flag(help: "Print JSON.")
    var json = false
    @Argument(help: ArgumentHelp("Files of lists, each as FILE or NAME=FILE."))
    var lists: [String]

    func validate() throws {
        guard (1...20).contains(lists.count) else { throw ValidationError("Name 1 to 20 files of lists.") }
    }

    func run() throws {
        let loaded = try OfflineData(folder: train)
        var items = loaded.items
        let expected = try readTruth(&items)
        var place: [[UInt8]: Int] = [:]
        for (index, entry) in expected.enumerated() { place[entry.name] = index }
        let candidates = try candidates.map { try ItemIDFile(path: $0).read(&items) }
        var files: [[[Int32]]] = []
        for list in lists { files.append(try read(list, place, expected.count, &items)) }
        let catalog = CatalogProfile(
            loaded.interactions, positions: Array(0..<loaded.interactions.count), itemLimit: items.count, more: loaded.catalog,
            candidates: candidates)
        let scored = files.map { OfflineLists($0, truth: expected.map(\.items), catalog: catalog) }
        let report = EvaluationReport(
            labels: lists.map { Self.label($0) }, lists: scored, groups: expected.map(\.group), catalog: catalog, seed: seed, threads: 2)
        writeAll(json ? report.json + "\n" : report.text, to: 1)
    }

    /// Ordered by group; never empty, and with something to find for every query.
    private func readTruth(_ table: inout IDTable) throws -> [(name: [UInt8], group: Int32, items: [Int32])] {
        var expected: [(name: [UInt8], group: Int32, items: [Int32])] = []
        try ListReader(path: truth).read(&table) { name, group, items in
            guard !items.isEmpty else {
                throw Failure("\(truth): q \(String(decoding: name, as: UTF8.self)) has no items: there is nothing to find.")
            }
            expected.append((name, group ?? Int32(clamping: expected.count), items))
        }
        guard !expected.isEmpty else { throw Failure("\(truth) holds no queries.") }
        return expected.sorted { $0.group < $1.group }
    }

    private static func label(_ list: String) -> String { String(list.prefix { $0 != "=" }) }

    private func read(_ list: String, _ place: [[UInt8]: Int], _ count: Int, _ items: inout IDTable) throws -> [[Int32]] {
        let path = list.contains("=") ? String(list.drop { $0 != "=" }.dropFirst()) : list
        var result = [[Int32]](repeating: [], count: count)
        try ListReader(path: path).read(&items) { name, _, items in
            guard let index = place[name] else {
                throw Failure("\(path): q \(String(decoding: name, as: UTF8.self)) is not in \(truth).")
            }
            result[index] = items
        }
        return result
    }
}

/// Reads `{"q":…,"items":[…]}`, one a line, with an optional `group`.
struct ListReader {
    let path: String

    /// Refuses a q that stands twice.
    func read(_ table: inout IDTable, _ body: ([UInt8], Int32?, [Int32]) throws -> Void) throws {
        var names = Set<[UInt8]>()
        try FileBytes(path: path).lines { line, number in
            let value: JSONValue
            do throws(JSONError) { value = try JSONValue(parsing: line) } catch {
                throw Failure("\(path) line \(number): not JSON: \(error).")
            }
            guard let name = value["q"]?.serialized() else { throw Failure("\(path) line \(number): the field q is missing.") }
            guard names.insert(name).inserted else {
                throw Failure("\(path) line \(number): q \(String(decoding: name, as: UTF8.self)) is there twice.")
            }
            guard let elements = value["items"]?.arrayValue else {
                throw Failure("\(path) line \(number): the field items is an array of ids.")
            }
            var seen = Set<Int32>()
            var items: [Int32] = []
            for element in elements {
                guard let id = element.stringValue ?? element.intValue.map({ String($0) }) else {
                    throw Failure("\(path) line \(number): the field items is an array of ids.")
                }
                let item = table.intern(id.utf8)
                guard seen.insert(item).inserted else { throw Failure("\(path) line \(number): items lists \(id) twice.") }
                items.append(item)
            }
            try body(name, value["group"]?.intValue.map { Int32(clamping: $0) }, items)
        }
    }
}
