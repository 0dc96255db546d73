import Postgres
import Testing

@testable import Tastemaker

struct KeptValuesTests {
    @Test func `keys that strangers make up do not push out what is true`() throws {
        let values = KeptValues<Int>(lifetime: 60, limit: 10)
        let now = Moment(seconds: 1_790_000_000)
        for key in 0..<5 { #expect(try values.find("true \(key)", now: now) { _ in key } == key) }
        for key in 0..<100 { #expect(try values.find("made up \(key)", now: now) { _ in nil } == nil) }
        for key in 0..<5 {
            let found = try values.find("true \(key)", now: now) { (_) throws(OperationError) in throw .unavailable("read again") }
            #expect(found == key)
        }
    }
}
