import Foundation
import Postgres
import Support
import Testing

struct ValueTests {
    @Test func `numbers come back as they went`() throws {
        let connection = try TestDatabase.makeEmpty().connect()
        let row = try connection.query(
            "SELECT \(Int.max), \(Int32.min), \(Int16.max), \(Double.pi), \(Float(0.1)), \(true), \(Int64.min), \(-0.0), \(Double.infinity)"
        )[0]
        #expect(try row.int(0) == .max)
        #expect(try row.int32(1) == .min)
        #expect(try row.int16(2) == .max)
        #expect(try row.double(3) == .pi)
        #expect(try row.float(4) == 0.1)
        #expect(try row.bool(5))
        #expect(try row.int64(6) == .min)
        #expect(try row.double(7).sign == .minus)
        #expect(try row.double(8) == .infinity)
    }

    @Test func `nil is NULL of its type`() throws {
        let connection = try TestDatabase.makeEmpty().connect()
        let row = try connection.query(
            "SELECT \(String?.none), \(Int?.none), \(UUID?.none), \([UInt8]?.none), \(json: String?.none)::jsonb")[0]
        #expect(try row.optionalString(0) == nil)
        #expect(try row.optionalInt(1) == nil)
        #expect(try row.optionalUUID(2) == nil)
        #expect(try row.optionalBytes(3) == nil)
        #expect(try row.optionalJSON(4) == nil)
    }

    @Test func `arrays come back with their NULL elements`() throws {
        let connection = try TestDatabase.makeEmpty().connect()
        let row = try connection.query(
            """
            SELECT \(["a", "", "é"]), \([1, 2] as [Int32]), \([String]()), \([1.5, nil] as [Double?]), \(["x", nil] as [String?]),
                \([true, false]), \([Float(0.5)]), \([Int16(3)])
            """)[0]
        #expect(try row.strings(0) == ["a", "", "é"])
        #expect(try row.int32s(1) == [1, 2])
        #expect(try row.strings(2) == [])
        #expect(try row.optionalElementDoubles(3) == [1.5, nil])
        #expect(try row.optionalElementStrings(4) == ["x", nil])
        #expect(try row.bools(5) == [true, false])
        #expect(try row.floats(6) == [0.5])
        #expect(try row.int16s(7) == [3])
    }

    @Test(arguments: [
        "0", "1", "-1", "12.50", "-0.0001", "10000", "99990000.00", "123456789012345678901234567890.000000001", "0.00", "NaN", "1e-10",
    ])
    func `numeric is exact`(text: String) throws {
        let connection = try TestDatabase.makeEmpty().connect()
        let row = try connection.query("SELECT \(numeric: text), \(numeric: text)::text, \(numeric: text)::float8")[0]
        #expect(try row.numeric(0) == row.string(1))
        let (found, expected) = (try row.double(0), try row.double(2))
        #expect(found == expected || (found.isNaN && expected.isNaN))
    }

    @Test func `bytes, identifiers and documents come back as they went`() throws {
        let connection = try TestDatabase.makeEmpty().connect()
        let (bytes, id) = ([UInt8](0...255), UUID())
        let row = try connection.query("SELECT \(bytes), \(id), \(json: #"{"a": [1]}"#)::json, \(json: #"{"a": [1]}"#)::jsonb")[0]
        #expect(try row.bytes(0) == bytes)
        #expect(try row.uuid(1) == id)
        #expect(try row.json(2) == Array(#"{"a": [1]}"#.utf8))
        #expect(try row.json(3) == Array(#"{"a": [1]}"#.utf8))
    }

    @Test(arguments: [0, 1, -1, 951_782_400_000_001, -62_135_596_800_000_001, 253_402_300_799_999_999, Int64.max, Int64.min])
    func `a timestamp comes back, and its text means the same`(microseconds: Int64) throws {
        let connection = try TestDatabase.makeEmpty().connect()
        let time = PGTimestamp(microseconds: microseconds)
        let row = try connection.query("SELECT \(time), \(time.description)::timestamptz, \(days: 19_000)::text, \(days: 19_000)")[0]
        #expect(try row.timestamp(0) == time)
        #expect(try row.timestamp(1) == time)
        #expect(try row.string(2) == "2022-01-08")
        #expect(try row.days(3) == 19_000)
    }

    @Test func `a wrong type names the column`() throws {
        let connection = try TestDatabase.makeEmpty().connect()
        let row = try connection.query("SELECT 'x' AS word, NULL::integer AS hole, 70000 AS big")[0]
        let wrong: [(String, () throws -> Void)] = [
            ("word", { _ = try row.int("word") }), ("hole", { _ = try row.int("hole") }), ("big", { _ = try row.int16("big") }),
            ("nothing", { _ = try row.int("nothing") }),
        ]
        for (column, attempt) in wrong {
            let error = #expect(throws: PostgresError.self) { try attempt() }
            #expect(error?.kind == .decoding)
            #expect(error?.column == column)
        }
    }
}
