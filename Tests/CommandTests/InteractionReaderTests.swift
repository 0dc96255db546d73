import Foundation
import Ranking
import Testing

@testable import Command

struct InteractionReaderTests {
    private let path = FileManager.default.temporaryDirectory.appending(path: "interactions-\(UUID().uuidString).csv").path

    private func read(_ text: String, stretchBytes: Int) throws -> InteractionReader {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        var reader = InteractionReader(path: path, threads: 3, stretchBytes: stretchBytes)
        try reader.read()
        return reader
    }

    private static let lines = (0..<400).map {
        "u\($0 * 7 % 31),i\($0 * $0 % 53),\(1000 + $0),\($0 % 3 == 0 ? "buy" : "view"),d\($0 * 5 % 11)"
    }

    private static func file(_ lines: [String], lineBreak: String = "\n") -> String {
        (["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,DEVICE"] + lines).joined(separator: lineBreak)
    }

    private static var quotedInTheMiddle: [String] {
        var lines = lines
        lines[200] = "\"u,\n200\",i1,1200,view,d1"
        return lines
    }

    @Test(arguments: [
        file(lines), file(lines) + "\n", file(lines, lineBreak: "\r\n"), "\n\r\n" + file(lines), file(quotedInTheMiddle),
        file(["\"u1\",i1,5,view,d"]), file(["u1,i1,5,view,d"]),
    ])
    func `a file read in stretches gives the numbers of one that is read at once`(text: String) throws {
        let whole = try read(text, stretchBytes: 1 << 20).rows
        let pieces = try read(text, stretchBytes: 64).rows
        #expect(whole.data.count > 0)
        let (a, b) = (whole.named(), pieces.named())
        #expect(a.users == b.users && a.items == b.items && a.eventTypes == b.eventTypes && a.timestamps == b.timestamps)
        #expect(a.eventTypeNames == b.eventTypeNames && a.contexts.map(\.values) == b.contexts.map(\.values))
        #expect(a.contexts.map(\.codes) == b.contexts.map(\.codes) && a.contexts.map(\.name) == ["DEVICE"])
        for (one, other) in [(whole.users, pieces.users), (whole.items, pieces.items)] {
            #expect(one.count == other.count)
            for id in 0..<Int32(one.count) { #expect(one.bytes(of: id).elementsEqual(other.bytes(of: id))) }
        }
    }

    @Test(arguments: [0, 1, 150, 399], [nil, 100])
    func `an error names the line of the file, whichever stretch it is in`(bad: Int, quoted: Int?) throws {
        var lines = Self.lines
        if let quoted { lines[quoted] = "\"u9\",i1,1200,view,d1" }
        lines[bad] = "u1,i1,soon,view,d1"
        #expect(throws: Failure("\(path) line \(bad + 2): TIMESTAMP is a number of seconds since 1970, or a date with time.")) {
            try read(Self.file(lines), stretchBytes: 64)
        }
    }
}
