import Foundation
import Postgres
import Testing

@testable import Tastemaker

struct PromotionDayTests {
    let berlin = TimeZone(identifier: "Europe/Berlin") ?? .gmt

    func hours(_ from: String, _ to: String) throws -> Double {
        let schedule = try PromotionSchedule(startsAt: from, endsAt: to, timeZone: berlin)
        guard let start = schedule.start, let end = schedule.end else { return -1 }
        return (end.seconds - start.seconds) / 3600
    }

    @Test func `a day of the shop has 23, 24 or 25 hours`() throws {
        #expect(try hours("2026-03-29T00:00", "2026-03-30T00:00") == 23)
        #expect(try hours("2026-10-25T00:00", "2026-10-26T00:00") == 25)
        #expect(try hours("2026-11-28T00:00", "2026-11-29T00:00") == 24)
    }

    @Test func `an hour that the clock skips begins when it jumps`() throws {
        let skipped = try PromotionSchedule(startsAt: "2026-03-29T02:30", endsAt: nil, timeZone: berlin).start
        // 02:00 is 03:00 there: 01:00 UTC; half an hour on at most.
        let jump = 1_774_746_000.0
        let start = try #require(skipped).seconds
        #expect(start >= jump && start <= jump + 1800)
    }

    @Test func `an hour that comes twice means the first`() throws {
        let twice = try PromotionSchedule(startsAt: "2026-10-25T02:30", endsAt: nil, timeZone: berlin).start
        #expect(try #require(twice).seconds == 1_792_888_200)
    }

    @Test func `a promotion is live from its start until just before its end`() throws {
        let schedule = try PromotionSchedule(startsAt: "2026-11-28T09:00", endsAt: "2026-11-28T10:00", timeZone: berlin)
        let (start, end) = (try #require(schedule.start), try #require(schedule.end))
        #expect(!schedule.isLive(at: PGTimestamp(microseconds: start.microseconds - 1)))
        #expect(schedule.isLive(at: start))
        #expect(schedule.isLive(at: PGTimestamp(microseconds: end.microseconds - 1)))
        #expect(!schedule.isLive(at: end))
    }

    @Test(arguments: ["2026-02-30T10:00", "2026-13-01T10:00", "2026-11-28", "2026-11-28T24:00", "28.11.2026 10:00", "2026-11-28T10:0a"])
    func `what is no local time is refused`(text: String) {
        #expect(Refusal { try PromotionSchedule(startsAt: text, endsAt: nil, timeZone: berlin) } == .invalidInput)
    }

    @Test func `an end before the start is refused`() {
        #expect(Refusal { try hours("2026-11-28T09:00", "2026-11-28T09:00") } == .invalidInput)
    }
}
