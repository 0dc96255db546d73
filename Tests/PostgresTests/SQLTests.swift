import Foundation
import Postgres
import Support
import Testing

struct SQLTests {
    static let hostile = [
        "", "'", "''; DROP TABLE x; --", "\\", "\\'", "$1", "%s", "\u{1F600}", "e\u{301}", "\u{e9}", "\r\n", "NULL", "{a,b}", "\"",
    ]

    @Test(arguments: hostile)
    func `a bound text comes back byte for byte`(text: String) throws {
        let connection = try TestDatabase.makeEmpty().connect()
        let row = try connection.query("SELECT \(text), \(texts: [Array(text.utf8)]), octet_length(\(text))")[0]
        #expect(Array(try row.string(0).utf8) == Array(text.utf8))
        #expect(try row.byteStrings(1) == [Array(text.utf8)])
        #expect(try row.int(2) == text.utf8.count)
    }

    @Test(arguments: hostile)
    func `a quoted constant and a quoted name come back byte for byte`(text: String) throws {
        let connection = try TestDatabase.makeEmpty().connect()
        let name = text.isEmpty ? "empty" : text
        let rows = try connection.query("SELECT \(literal: text) AS \(identifier: name)")
        #expect(Array(try rows[0].string(0).utf8) == Array(text.utf8))
        #expect(rows.columnNames.map { Array($0.utf8) } == [Array(name.utf8)])
    }

    @Test func `texts that differ only in normalisation stay apart`() throws {
        let connection = try TestDatabase.makeEmpty().connect()
        #expect(try !connection.query("SELECT \("e\u{301}") = \("\u{e9}")")[0].bool(0))
    }

    @Test func `spliced parts keep their values in order`() throws {
        let connection = try TestDatabase.makeEmpty().connect()
        let first: SQL = "\(1) + \(2)"
        let parts = [first, "\(10)", SQL("100")].joined(separator: " + ")
        let sum: SQL = "SELECT \(parts)" + " + \(1000), \(part: true ? "'yes'" : "'no'")"
        let row = try connection.query(sum)[0]
        #expect(try row.int(0) == 1113)
        #expect(try row.string(1) == "yes")
    }

    @Test func `a digit after a value does not change its number`() throws {
        let connection = try TestDatabase.makeEmpty().connect()
        #expect(try connection.query("SELECT \(7)AS x, 1")[0].int("x") == 7)
    }

    @Test func `a text with a zero byte is refused`() throws {
        let connection = try TestDatabase.makeEmpty().connect()
        #expect(throws: PostgresError.self) { try connection.query("SELECT \("a\0b")") }
        #expect(throws: PostgresError.self) { try connection.query("SELECT \(json: "{}\0")::jsonb") }
        #expect(connection.isUsable)
    }

    /// The design: literal parts and `stringLiteral` are `StaticString`, and no initializer takes a `String`.
    @Test func `a run-time string cannot become SQL`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sql-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/Postgres")
        let shared = ["SQL", "SQLInterpolation", "SQLBindable", "PGTimestamp"].map { sources.appendingPathComponent($0 + ".swift").path }
        let cases: [(body: String, compiles: Bool)] = [
            ("let part: SQL = \"SELECT \\(text)\"", true),
            ("let part: SQL = text", false),
            ("let part = SQL(text)", false),
            ("let part = SQL(stringLiteral: text)", false),
            ("let part: SQL = \"SELECT \" + text", false),
            ("let part: SQL = \"SELECT \\(part: text)\"", false),
        ]
        let file = folder.appendingPathComponent("attempts.swift")
        let lines = cases.enumerated().map { "func attempt\($0)(_ text: String) { \($1.body); _ = part }" }
        try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["swiftc", "-typecheck", "-swift-version", "6"] + shared + [file.path]
        let pipe = Pipe()
        process.standardError = pipe
        try process.run()
        let report = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        for (number, attempt) in cases.enumerated() {
            let isRefused = report.contains("attempts.swift:\(number + 1):") && report.contains("error:")
            #expect(isRefused != attempt.compiles, "\(attempt.body)")
        }
    }
}
