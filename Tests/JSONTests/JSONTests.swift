import JSON
import Testing

struct JSONParserTests {
    @Test(
        arguments: [
            ("null", JSONValue.null), ("true", .bool(true)), ("-12", .integer(-12)), ("1.0", .double(1)), ("1e3", .double(1000)),
            ("\"a\\u00e9\\n\\ud83d\\ude00\"", .string("aé\n😀")), ("[]", .array([])), (" { \"a\" : [1, 2] } ", ["a": [1, 2]]),
            ("9223372036854775808", .double(9_223_372_036_854_775_808)), ("0", .integer(0)), ("-0.5", .double(-0.5)),
        ] as [(String, JSONValue)])
    func `a document gives its value`(text: String, expected: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == expected)
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\"}", "{a:1}", "01", "1.", "nul", "\"a", "\"\\x\"", "\"\\ud800\"", "\"\\u0000\"", "1 2", "\"\u{1}\"", "1e999",
        "--1", "[1}",
        "\"\\ud800\\u0041\"", "+1", "NaN",
    ])
    func `a broken document is refused`(text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test func `invalid UTF-8 is refused`() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xC3, 0x28, 0x22]) }
    }

    @Test func `nesting beyond the limit is refused`() {
        let text = String(repeating: "[", count: 100_000)
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test func `names that differ only in normalisation stay apart`() throws {
        let value = try JSONValue(parsing: "{\"e\u{301}\":1,\"\u{e9}\":2}")
        #expect(value["\u{e9}"] == .integer(2))
        #expect(value["e\u{301}"] == .integer(1))
    }

    @Test func `what is written is read back`() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let value = randomValue(depth: 4, using: &generator)
            #expect(try JSONValue(parsing: value.serialized()) == value, "\(value.text)")
        }
    }

    @Test func `mutations of a document never crash`() throws {
        let document = Array("{\"a\":[1,2.5e3,\"x\\u00e9\\\"\",null,true],\"b\":{\"c\":\"d\"}}".utf8)
        for position in document.indices {
            for byte in UInt8.min...UInt8.max {
                var mutated = document
                mutated[position] = byte
                _ = try? JSONValue(parsing: mutated)
            }
        }
    }

    func randomValue(depth: Int, using generator: inout some RandomNumberGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &generator) {
        case 0: .null
        case 1: .bool(.random(using: &generator))
        case 2: .integer(.random(in: .min ... .max, using: &generator))
        case 3: .double(Double.random(in: -1e6...1e6, using: &generator))
        case 4: .string(String(["a", "é", "\"", "\\", "\n", "\u{1f}", "😀"].shuffled(using: &generator).joined()))
        case 5: .array((0..<3).map { _ in randomValue(depth: depth - 1, using: &generator) })
        default:
            .object(JSONObject(members: (0..<3).map { .init(name: "k\($0)", value: randomValue(depth: depth - 1, using: &generator)) }))
        }
    }
}

struct JSONWriterTests {
    @Test func `lines of a file have a value each`() {
        var writer = JSONWriter()
        for number in 1...2 {
            writer.beginObject()
            writer.key("n")
            writer.integer(number)
            writer.endObject()
            writer.newline()
        }
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "{\"n\":1}\n{\"n\":2}\n")
    }

    @Test func `whole doubles keep their fraction`() {
        var writer = JSONWriter()
        writer.beginArray()
        writer.double(1)
        writer.double(0.12345678, decimals: 7)
        writer.double(0.00000004, decimals: 7)
        writer.double(-2.5, decimals: 2)
        writer.double(.nan)
        writer.endArray()
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "[1.0,0.1234568,0.0000000,-2.50,null]")
    }

    @Test func `members are separated and escaped`() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("a")
        writer.beginArray()
        writer.endArray()
        let name = "q\""
        writer.key(name)
        writer.string("\u{7}\t")
        writer.endObject()
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "{\"a\":[],\"q\\\"\":\"\\u0007\\t\"}")
    }
}
