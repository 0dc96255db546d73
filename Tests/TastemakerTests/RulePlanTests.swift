import Foundation
import Postgres
import Tastemaker
import Testing

struct RulePlanTests {
    let scored: [(item: Int32, score: Double)] = (0..<10).map { (Int32($0), Double(10 - $0) / 55) }

    func items(_ rules: [PromotionRule], count: Int = 5, ineligible: Set<Int32> = []) -> [Int32] {
        RulePlan(rules).place(scored.filter { !ineligible.contains($0.item) }, count: count) { !ineligible.contains($0) }.map(\.item)
    }

    @Test func `without rules the order of score stands`() {
        #expect(items([]) == [0, 1, 2, 3, 4])
    }

    @Test func `a hidden item is gone and the list is filled`() {
        #expect(items([.init(id: 1, name: "h", kind: .hide, items: [1])]) == [0, 2, 3, 4, 5])
    }

    @Test func `a pin takes its position and the others move down`() {
        #expect(items([.init(id: 1, name: "p", kind: .pin, items: [9], position: 2)]) == [0, 9, 1, 2, 3])
    }

    @Test func `hide beats pin`() {
        let rules: [PromotionRule] = [
            .init(id: 1, name: "p", kind: .pin, items: [9], position: 1, priority: 1),
            .init(id: 2, name: "h", kind: .hide, items: [9], priority: 900),
        ]
        #expect(items(rules) == [0, 1, 2, 3, 4])
    }

    @Test func `a filter beats a pin`() {
        #expect(items([.init(id: 1, name: "p", kind: .pin, items: [9])], ineligible: [9]) == [0, 1, 2, 3, 4])
    }

    @Test func `the lower priority number gets the position, the other pin the next`() {
        let rules: [PromotionRule] = [
            .init(id: 1, name: "a", kind: .pin, items: [8], priority: 50), .init(id: 2, name: "b", kind: .pin, items: [9], priority: 10),
        ]
        #expect(items(rules) == [9, 8, 0, 1, 2])
    }

    @Test func `ties of priority go to the newest`() {
        let rules: [PromotionRule] = [
            .init(id: 1, name: "a", kind: .pin, items: [8], publishedOrder: 1),
            .init(id: 2, name: "b", kind: .pin, items: [9], publishedOrder: 2),
        ]
        #expect(items(rules) == [9, 8, 0, 1, 2])
    }

    @Test func `boost and bury multiply scores`() {
        let rules: [PromotionRule] = [
            .init(id: 1, name: "up", kind: .boost, items: [5], factor: 3),
            .init(id: 2, name: "down", kind: .bury, items: [0], factor: 0.05),
        ]
        let placed = RulePlan(rules).place(scored, count: 10) { _ in true }
        #expect(placed.map(\.item) == [5, 1, 2, 3, 4, 6, 7, 8, 9, 0])
        #expect(placed.first?.promotion == 1)
        #expect(placed.last?.promotion == 2)
        #expect(placed[1].promotion == nil)
    }

    @Test func `a held-out rule changes nothing`() {
        #expect(items([.init(id: 1, name: "h", kind: .hide, items: [0], isHeldOut: true)]) == [0, 1, 2, 3, 4])
    }

    @Test func `no item appears twice and no list is longer than asked, whatever the rules`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let rules = (0..<6).map { id in
                PromotionRule(
                    id: Int32(id), name: "r", kind: PromotionDefinition.Kind.allCases.randomElement(using: &generator) ?? .pin,
                    items: (0..<3).map { _ in Int32.random(in: 0..<12, using: &generator) },
                    position: Int.random(in: 1...7, using: &generator),
                    factor: Double.random(in: 0.1...5, using: &generator), priority: Int.random(in: 1...3, using: &generator))
            }
            let result = items(rules, count: 6)
            #expect(Set(result).count == result.count)
            #expect(result.count <= 6)
            let hidden = Set(rules.filter { $0.kind == .hide }.flatMap(\.items))
            #expect(hidden.isDisjoint(with: result))
        }
    }
}

struct PromotionScheduleTests {
    let berlin = TimeZone(identifier: "Europe/Berlin") ?? .gmt

    @Test func `local times follow the zone over the change of clocks`() throws {
        let schedule = try PromotionSchedule(startsAt: "2026-10-25T00:00", endsAt: "2026-10-26T00:00", timeZone: berlin)
        let start = try #require(schedule.start)
        let end = try #require(schedule.end)
        #expect(end.microseconds - start.microseconds == 25 * 3600 * 1_000_000)
    }

    @Test func `a day of 23 hours is one`() throws {
        let schedule = try PromotionSchedule(startsAt: "2026-03-29T00:00", endsAt: "2026-03-30T00:00", timeZone: berlin)
        let start = try #require(schedule.start)
        let end = try #require(schedule.end)
        #expect(end.microseconds - start.microseconds == 23 * 3600 * 1_000_000)
    }

    @Test func `the end is outside, the start inside`() throws {
        let schedule = try PromotionSchedule(startsAt: "2026-11-28T09:00", endsAt: "2026-11-28T10:00", timeZone: .gmt)
        let start = try #require(schedule.start)
        let end = try #require(schedule.end)
        #expect(schedule.isLive(at: start))
        #expect(!schedule.isLive(at: end))
        #expect(!schedule.isLive(at: PGTimestamp(microseconds: start.microseconds - 1)))
    }

    @Test(arguments: [
        "2026-13-01T00:00", "2026-02-30T00:00", "2026-11-28", "2026-11-28 09:00", "x", "2026-11-28T24:00", "２026-11-28T09:00",
    ])
    func `a broken date is refused with its field`(text: String) {
        #expect(throws: OperationError.self) { try PromotionSchedule(startsAt: text, endsAt: nil, timeZone: .gmt) }
    }
}
