import Foundation
import Postgres
import Support
import Testing

struct CopyTests {
    static let table: SQL = "CREATE TABLE fact (id integer, user_id integer, value real, word text, at timestamptz)"

    static func filled(_ count: Int32) throws -> Connection {
        let (_, connection) = try ConnectionTests.connection()
        try connection.execute(table)
        let stored = try connection.copyIn("fact (id, user_id, value, word, at)") { (writer) throws(PostgresError) in
            for number in 0..<count {
                try writer.startRow(columns: 5)
                writer.int32(number)
                if number % 3 == 0 { writer.null() } else { writer.int32(-number) }
                writer.float(Float(number) / 2)
                writer.text("é\(number)")
                writer.timestamp(PGTimestamp(microseconds: Int64(number)))
            }
        }
        #expect(stored == Int(count))
        return connection
    }

    @Test func `two hundred thousand rows go in and come out`() throws {
        let connection = try Self.filled(200_000)
        var next: Int32 = 0
        let after: Int32 = -1
        let rows = try connection.copyOut("SELECT id, user_id, value, word, at FROM fact WHERE id > \(after) ORDER BY id") {
            (row) throws(PostgresError) in
            guard try row.int32() == next, try row.optionalInt32() == (next % 3 == 0 ? nil : -next), try row.float() == Float(next) / 2,
                try row.text() == "é\(next)", try row.timestamp().microseconds == Int64(next)
            else { throw PostgresError(.usage, "row \(next) differs") }
            next += 1
        }
        #expect(rows == 200_000)
        #expect(next == 200_000)
        #expect(connection.isUsable)
    }

    @Test func `an error while writing stores nothing`() throws {
        let connection = try Self.filled(1)
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try connection.copyIn("fact (id)") { writer in
                for number in 0..<100_000 {
                    try writer.startRow(columns: 1)
                    writer.int32(Int32(number))
                }
                throw Stop()
            }
        }
        #expect(try connection.query("SELECT count(*) FROM fact")[0].int(0) == 1)
        #expect(connection.isUsable)
    }

    @Test func `a row that the server refuses is its error`() throws {
        let connection = try Self.filled(1)
        let error = #expect(throws: PostgresError.self) {
            try connection.copyIn("fact (id)") { (writer) throws(PostgresError) in
                for _ in 0..<100_000 {
                    try writer.startRow(columns: 1)
                    writer.int16(1)
                }
            }
        }
        #expect(error?.code == "08P01")
        #expect(error?.isConnectionLost == false)
        #expect(connection.isUsable)
    }

    @Test func `a reader that stops leaves a usable connection`() throws {
        let connection = try Self.filled(1)
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try connection.copyOut("SELECT number FROM generate_series(1, 10000000) AS number") { _ in throw Stop() }
        }
        #expect(try connection.query("SELECT 1")[0].int(0) == 1)
    }

    @Test func `values of every type stand in a copied query`() throws {
        let connection = try Self.filled(0)
        let (id, time) = (UUID(), PGTimestamp(microseconds: -1))
        var seen = false
        try connection.copyOut(
            """
            SELECT \("it's \\ here"), \([UInt8]([0, 255])), \(1.5), \(Float.infinity), \(true), \(time), \(["a'b", nil] as [String?])::text,
                \([Int32]())::text, \(id)::text, \(String?.none), \(-5)AS minus, \(json: "{}")::jsonb::text, \(days: 0)::text
            """
        ) { (row) throws in
            seen = true
            #expect(try row.text() == "it's \\ here")
            #expect(try row.bytes() == [0, 255])
            #expect(try row.double() == 1.5)
            #expect(try row.float() == .infinity)
            #expect(try row.bool())
            #expect(try row.timestamp() == time)
            #expect(try row.text() == "{a'b,NULL}")
            #expect(try row.text() == "{}")
            #expect(try row.text() == id.uuidString.lowercased())
            #expect(try row.optionalText() == nil)
            #expect(try row.int64() == -5)
            #expect(try row.text() == "{}")
            #expect(try row.text() == "1970-01-01")
        }
        #expect(seen)
    }
}
