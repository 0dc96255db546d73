import Foundation
import Postgres
import Support
import Testing

struct SQLTests {
    @Test func `the migrated template can be copied and used`() throws {
        let database = try TestDatabase.make()
        let connection = try database.connect()
        let start = Date()
        let second = try TestDatabase.make()
        print("copy ms", Date().timeIntervalSince(start) * 1000)
        _ = second
        let count = try connection.query("SELECT count(*) FROM schema_migration")[0].int(0)
        #expect(count >= 8)
    }
}
