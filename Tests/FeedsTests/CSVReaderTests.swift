import Feeds
import Testing

struct Parsed: Equatable {
    var header: [String] = []
    var rows: [[String]] = []
    var lines: [Int] = []
    var errors: [RowError] = []
    var failure: String?
}

func parseCSV(_ chunks: [[UInt8]], delimiter: UInt8 = 0x2C, limits: CSVLimits = CSVLimits()) -> Parsed {
    var result = Parsed()
    var reader = CSVReader(delimiter: delimiter, limits: limits)
    do {
        for chunk in chunks {
            try reader.read(chunk, header: { result.header = $0 }) { row in
                result.rows.append((0..<row.count).map { row.text($0) })
                result.lines.append(row.line)
            } rejected: {
                result.errors.append($0)
            }
        }
        try reader.finish(header: { result.header = $0 }) { row in
            result.rows.append((0..<row.count).map { row.text($0) })
            result.lines.append(row.line)
        } rejected: {
            result.errors.append($0)
        }
    } catch {
        result.failure = "\(error)"
    }
    return result
}

func parseCSV(_ text: String) -> Parsed { parseCSV([Array(text.utf8)]) }

private let tables: [(String, [[String]])] = [
    ("A,B\n1,2\n", [["1", "2"]]),
    ("A,B\r\n1,2\r\n3,4", [["1", "2"], ["3", "4"]]),
    ("A,B\n\n1,\n\n,2\n", [["1", ""], ["", "2"]]),
    ("\u{FEFF}A,B\n1,2\n", [["1", "2"]]),
    ("A,B\n\"a,b\",\"c\nd\"\n", [["a,b", "c\nd"]]),
    ("A,B\n\"say \"\"hi\"\"\",\"\"\"\"\n", [["say \"hi\"", "\""]]),
    ("A,B\n\"say \\\"hi\\\"\",\"back\\\\slash\"\n", [["say \"hi\"", "back\\slash"]]),
    ("A,B\n\"a\\n\",c\\\"d\n", [["a\\n", "c\\\"d"]]),
    ("A,B\n5\" disc,x\"\"y\n", [["5\" disc", "x\"\"y"]]),
    ("A,B\n\"\",\"\"\r\n", [["", ""]]),
    ("A,B\n\"x\",\"y\"", [["x", "y"]]),
    ("A,B\n\"x\",\"y\"\"\"", [["x", "y\""]]),
    ("A,B\r\n\"x\",\"y\"\r", [["x", "y"]]),
    ("A,B\nçé,\"日本 \"\"語\"\"\"\n", [["çé", "日本 \"語\""]]),
    ("A,B\na\rb,c\r\n", [["a\rb", "c"]]),
]

@Test(arguments: tables) func `rows are read as written`(text: String, rows: [[String]]) {
    let parsed = parseCSV(text)
    #expect(parsed.header == ["A", "B"])
    #expect(parsed.rows == rows)
    #expect(parsed.errors.isEmpty)
    #expect(parsed.failure == nil)
}

private let damaged: [(String, [RowError], [[String]])] = [
    ("A,B\n1\n2,3\n", [RowError(line: 2, reason: "has 1 fields where the header has 2")], [["2", "3"]]),
    ("A,B\n1,2,3\n2,3\n", [RowError(line: 2, reason: "has 3 fields where the header has 2")], [["2", "3"]]),
    ("A,B\n1,\"a\"b\n2,3\n", [RowError(line: 2, reason: "text after a closing quote")], [["2", "3"]]),
    ("A,B\n1,\u{0}\n2,3\n", [RowError(line: 2, reason: "contains the character U+0000")], [["2", "3"]]),
    ("A,B\n\"a\nb\"c,1\n2,3\n", [RowError(line: 2, reason: "text after a closing quote")], [["2", "3"]]),
    ("A,B\n1,\"open\n2,3\n4,5\n", [RowError(line: 2, reason: "a quoted field is not closed")], [["2", "3"], ["4", "5"]]),
]

@Test(arguments: damaged) func `a damaged row is reported by line and the rest is read`(
    text: String, errors: [RowError], rows: [[String]]
) {
    let parsed = parseCSV(text)
    #expect(parsed.errors == errors)
    #expect(parsed.rows == rows)
}

@Test func `invalid UTF-8 is refused row by row`() {
    let parsed = parseCSV([Array("A,B\n1,".utf8) + [0xFF, 0x0A] + Array("2,3\n".utf8) + [0xC3, 0x2C, 0x31, 0x0A]])
    #expect(parsed.errors == [2, 4].map { RowError(line: $0, reason: "is not valid UTF-8") })
    #expect(parsed.rows == [["2", "3"]])
}

@Test func `fields, records and columns beyond their limits are refused and the rest is read`() {
    let limits = CSVLimits(fieldBytes: 10, recordBytes: 30, columns: 3)
    let text = "A,B,C\n12345678901,2,3\n\"12345678901\",2,3\n\"never closed,1,2 and so on and on\n1,2,3,4\n1,2,3\n"
    let parsed = parseCSV([Array(text.utf8)], limits: limits)
    #expect(parsed.errors.map(\.line) == [2, 3, 4, 5])
    #expect(parsed.rows == [["1", "2", "3"]])
    #expect(parsed.errors.last?.reason == "more than 3 columns")
}

@Test func `a header that cannot be read ends the reading`() {
    #expect(parseCSV([[0xFF, 0x2C, 0x41, 0x0A, 0x31, 0x0A]]).failure == "Line 1: is not valid UTF-8")
}

@Test func `a line number counts line breaks within quotes`() {
    #expect(parseCSV("A,B\n\"x\n\ny\",1\n2,3\n").lines == [2, 5])
}

/// Small, nasty, and with every kind of error.
private let nasty =
    "\u{FEFF}A,B\r\n1,\"x\r\ny\"\r\n\"q\"\"\\\"\\\\\\z\",é\n\n1\n\"a\"b,c\n,\"\"\n2,\"\"\"\"\r\n\u{0},1\n日,\"本\n\",3\nz,\"open\r\nlast,row"

@Test func `a chunk boundary at any byte changes nothing`() {
    let bytes = Array(nasty.utf8)
    let whole = parseCSV([bytes])
    #expect(whole.rows.count == 5)
    #expect(whole.errors.count == 5)
    for cut in 0...bytes.count {
        #expect(parseCSV([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole, "cut at \(cut)")
    }
    #expect(parseCSV(bytes.map { [$0] }) == whole)
}

@Test func `no mutation of a file crashes the reader or makes it depend on its chunks`() {
    var random = SeededGenerator(seed: 7)
    let alphabet = Array("\",\\\r\n a\u{0}".utf8) + [0xFF, 0xC3, 0xA9]
    for _ in 0..<2_000 {
        var bytes = Array(nasty.utf8)
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            let at = Int.random(in: 0..<bytes.count, using: &random)
            if Bool.random(using: &random) {
                bytes[at] = alphabet.randomElement(using: &random) ?? 0
            } else {
                bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: at)
            }
        }
        let size = Int.random(in: 1...9, using: &random)
        let chunks = stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
        let limits = CSVLimits(fieldBytes: 16, recordBytes: 40, columns: 3)
        #expect(parseCSV(chunks) == parseCSV([bytes]))
        _ = parseCSV(chunks, limits: limits)
    }
}

/// SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", 2014).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
