import Testing

@testable import Web

struct FormTests {
    @Test(arguments: [
        ("a=1&b=2", ["a": "1", "b": "2"]), ("a=x+y%20z%2B", ["a": "x y z+"]), ("a", ["a": ""]), ("=1", ["": "1"]), ("a==", ["a": "="]),
        ("", [:]),
        ("&&a=1&", ["a": "1"]), ("%61=%C3%A9", ["a": "é"]),
    ])
    func `an urlencoded form gives its fields`(text: String, fields: [String: String]) throws {
        let form = try Form(parsing: Array(text.utf8))
        #expect(form.items.count == fields.count)
        for (name, value) in fields { #expect(form[name] == value) }
    }

    @Test(arguments: ["a=%", "a=%4", "a=%GG", "a=%FF", "a=%00", "%ff=1"])
    func `a field that is no percent-encoded UTF-8 is refused`(text: String) {
        #expect(throws: HTTPError.self) { try Form(parsing: Array(text.utf8)) }
    }

    @Test func `more fields than allowed are refused`() throws {
        #expect(try Form(parsing: Array("a&b&c".utf8), maximumItems: 3).items.count == 3)
        #expect(throws: HTTPError.self) { try Form(parsing: Array("a&b&c&d".utf8), maximumItems: 3) }
    }

    @Test func `text comes without white space around it, and empty is none`() throws {
        let form = try Form(parsing: Array("a=+x+y%0A&b=+++&c=".utf8))
        #expect(form.text("a") == "x y")
        #expect(form.text("b") == nil)
        #expect(form.text("c") == nil)
        #expect(form.text("d") == nil)
    }
}

struct MultipartTests {
    static func body(_ parts: [(head: String, content: [UInt8])], boundary: String = "XX", preamble: String = "", end: String = "--\r\n")
        -> [UInt8]
    {
        var bytes = Array(preamble.utf8)
        for part in parts { bytes += Array("--\(boundary)\r\n\(part.head)\r\n\r\n".utf8) + part.content + Array("\r\n".utf8) }
        return bytes + Array("--\(boundary)\(end)".utf8)
    }

    static func request(_ body: [UInt8], boundary: String = "XX") throws -> Request {
        try Request(.post, "/upload", headers: [("Content-Type", "multipart/form-data; boundary=\(boundary)")], body: body)
    }

    static func read(_ body: [UInt8], boundary: String = "XX") throws -> [(part: MultipartReader.Part, content: [UInt8])] {
        var reader = try MultipartReader(try request(body, boundary: boundary))
        var parts: [(part: MultipartReader.Part, content: [UInt8])] = []
        while let part = try reader.next() {
            var content: [UInt8] = []
            _ = try reader.stream(limit: 10_000_000) { content += $0 }
            parts.append((part, content))
        }
        return parts
    }

    static func field(_ name: String) -> String { "Content-Disposition: form-data; name=\"\(name)\"" }

    @Test func `fields and files come in order with their names`() throws {
        let csv = Array("USER_ID,ITEM_ID\r\n--X\r\n1,2".utf8)
        let parts = try Self.read(
            Self.body([
                (Self.field("csrf"), Array("token".utf8)),
                (Self.field("file") + "; filename=\"C:\\\\dir\\\\a%22.csv\"\r\nContent-Type: Text/CSV; charset=utf-8", csv),
                (Self.field("empty"), []),
            ]))
        #expect(parts.map(\.part.name) == ["csrf", "file", "empty"])
        #expect(parts[1].part.fileName == "a%22.csv")
        #expect(parts[1].part.mediaType == "text/csv")
        #expect(parts.map(\.content) == [Array("token".utf8), csv, []])
    }

    @Test(arguments: [65_000, 65_533, 65_534, 65_535, 65_536, 65_537, 131_072, 1_000_000])
    func `a delimiter is found wherever the pieces are cut`(count: Int) throws {
        let content = (0..<count).map { UInt8(truncatingIfNeeded: $0 % 5 == 0 ? 0x0D : $0 % 5 == 1 ? 0x0A : 0x2D) }
        let parts = try Self.read(Self.body([(Self.field("f"), content), (Self.field("g"), [1])]))
        #expect(parts.map(\.content) == [content, [1]])
    }

    @Test func `parts that are not read are skipped, and a preamble is ignored`() throws {
        var reader = try MultipartReader(
            Self.request(
                Self.body([(Self.field("a"), Array(repeating: 7, count: 200_000)), (Self.field("b"), [66])], preamble: "hello\r\n")))
        #expect(try reader.next()?.name == "a")
        #expect(try reader.next()?.name == "b")
        #expect(try reader.text() == "B")
        #expect(try reader.next() == nil)
        #expect(try reader.next() == nil)
    }

    @Test(arguments: [
        "", "--XX", "--XX\r\n", "--XX\r\n\r\nx\r\n--XX--", "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx", "--XXjunk\r\n",
        "--XX\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--XX--", "--XX\r\nno header\r\n\r\nx\r\n--XX--", "--YY--",
    ])
    func `a broken body is refused`(text: String) {
        #expect(throws: HTTPError.self) { try Self.read(Array(text.utf8)) }
    }

    @Test func `limits hold for parts, heads, texts and files`() throws {
        let many = Self.body((0..<101).map { (Self.field("f\($0)"), []) })
        #expect(throws: HTTPError.self) { try Self.read(many) }
        #expect(throws: HTTPError.self) {
            try Self.read(Self.body([(Self.field("a") + "\r\nX: " + String(repeating: "x", count: 9000), [])]))
        }
        #expect(throws: HTTPError.self) { try Self.read(Self.body([("X: " + String(repeating: "x", count: 300_000), [])])) }
        var reader = try MultipartReader(Self.request(Self.body([(Self.field("a"), Array(repeating: 65, count: 70_000))])))
        _ = try reader.next()
        #expect(throws: HTTPError.self) { try reader.text() }
        reader = try MultipartReader(Self.request(Self.body([(Self.field("a"), Array(repeating: 65, count: 70_000))])))
        _ = try reader.next()
        #expect(throws: HTTPError.self) { try reader.stream(limit: 69_999) { _ in } }
    }

    @Test(arguments: ["text/plain", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=XX"])
    func `another content type is 415`(type: String) throws {
        let request = try Request(.post, "/", headers: [("Content-Type", type)], body: [1])
        #expect(throws: HTTPError.self) { _ = try MultipartReader(request) }
    }

    @Test func `twenty thousand mutated bodies neither crash nor hang`() throws {
        var generator = SeededGenerator(state: 7)
        let valid = Self.body([(Self.field("a"), Array("x\r\n--XY".utf8)), (Self.field("b") + "; filename=\"f\"", [0, 1, 2, 0x0D])])
        for _ in 0..<20_000 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...5, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = [0x0D, 0x0A, 0x2D, 0x58, 0x22, 0x5C, 0x3B, 0, 255].randomElement(using: &generator) ?? 0
                case 1: bytes.removeSubrange(index..<min(bytes.count, index + 3))
                default: bytes.insert(contentsOf: bytes[index..<min(bytes.count, index + 6)], at: index)
                }
            }
            guard let parts = try? Self.read(bytes) else { continue }
            #expect(parts.reduce(0) { $0 + $1.content.count } <= bytes.count)
        }
    }
}
