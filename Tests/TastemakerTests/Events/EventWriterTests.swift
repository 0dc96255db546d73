import Foundation
import Postgres
import Support
import Synchronization
import Testing

@testable import Tastemaker

struct EventWriterTests {
    let fixture: EventFixture

    init() throws { fixture = try EventFixture() }

    @Test func `many callers at once each get the outcomes of their own events`() throws {
        let writer = EventWriter(environment: fixture.environment)
        defer { writer.close() }
        let failures = Failures()
        DispatchQueue.concurrentPerform(iterations: 32) { caller in
            let events = (0..<5).map { fixture.event("u\(caller)", "i\($0)", id: "\(caller)-\($0 / 2)") }
            do {
                let outcomes = try writer.append(events)
                if outcomes != [.accepted, .duplicate, .accepted, .duplicate, .accepted] { failures.note("\(outcomes)") }
            } catch { failures.note("\(error)") }
        }
        #expect(failures.all == [])
        #expect(try fixture.shop.count("SELECT count(*) FROM interaction") == 96)
    }

    @Test func `a value that the database refuses costs its own event only`() throws {
        let writer = EventWriter(environment: fixture.environment)
        defer { writer.close() }
        var bad = fixture.event("u", "b", "Purchase")
        bad.amount = "1e40"
        let outcomes = try writer.append([fixture.event("u", "a"), bad, fixture.event("u", "c")])
        #expect(outcomes[0] == .accepted && outcomes[2] == .accepted)
        guard case .rejected = outcomes[1] else { return #expect(Bool(false), "\(outcomes)") }
        #expect(try fixture.history("u") == ["a", "c"])
    }

    @Test func `a month that begins while the writer runs costs no event`() throws {
        let writer = EventWriter(environment: fixture.environment)
        defer { writer.close() }
        _ = try writer.append([fixture.event("u", "a")])
        fixture.clock.advance(seconds: 70 * 86_400)
        #expect(try writer.append([fixture.event("u", "b")]) == [.accepted])
    }

    @Test func `a full queue refuses at once, and what waited is stored`() throws {
        let writer = EventWriter(environment: fixture.environment)
        defer { writer.close() }
        let connection = try fixture.shop.database.connect()
        let failures = Failures()
        let group = DispatchGroup()
        try connection.transaction { connection in
            // Holds the writer in the middle of a commit.
            try connection.execute("LOCK TABLE event_key IN ACCESS EXCLUSIVE MODE")
            for caller in 0..<24 {
                let events = (0..<500).map { fixture.event("u\(caller)", "i\($0)") }
                let thread = Thread {
                    do { _ = try writer.append(events) } catch { failures.note("\(OperationError(error))") }
                    group.leave()
                }
                group.enter()
                thread.start()
            }
            let deadline = Date(timeIntervalSinceNow: 10)
            while failures.all.isEmpty, Date() < deadline { usleep(2_000) }
            #expect(!failures.all.isEmpty)
        }
        #expect(group.wait(timeout: .now() + 30) == .success)
        let full = OperationError.limitExceeded("Too many events are waiting. Send them again in a second.")
        #expect(failures.all.allSatisfy { $0 == "\(full)" })
        #expect(try fixture.shop.count("SELECT count(*) FROM interaction") == Int64(500 * (24 - failures.all.count)))
    }

    @Test func `refused events are kept for the console up to a bound and answered all`() throws {
        let writer = EventWriter(environment: fixture.environment)
        defer { writer.close() }
        var event = fixture.event("", nil)
        event.kind = .refused(reason: "no")
        let outcomes = try writer.append(Array(repeating: event, count: 100))
        #expect(outcomes == Array(repeating: .rejected(reason: "no"), count: 100))
        #expect(try fixture.shop.count("SELECT count(*) FROM raw_event WHERE rejected_reason = 'no'") == Int64(EventDoors.refusalLimit))
        #expect(try fixture.shop.count("SELECT count(*) FROM user_key") == 0)
    }
}
