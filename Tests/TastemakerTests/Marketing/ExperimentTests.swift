import Foundation
import Postgres
import Support
import Testing

@testable import Tastemaker

struct ExperimentTests {
    @Test func `a draft is started and stopped, and only in that order`() throws {
        let shop = try MarketingFixture()
        let draft = try shop.environment.createExperiment(shop.experimentInput(), datasetGroupID: shop.group.id, by: shop.caller)
        #expect(draft.state == .draft && draft.arms.map(\.name) == ["Control", "New"])
        #expect(Refusal { try shop.environment.stopExperiment(draft.id, by: shop.caller) } == .inUse)
        let running = try shop.environment.startExperiment(draft.id, by: shop.caller)
        #expect(running.state == .running && running.startedAt == shop.clock.now)
        #expect(Refusal { try shop.environment.startExperiment(draft.id, by: shop.caller) } == .inUse)
        #expect(Refusal { try shop.environment.deleteExperiment(draft.id, by: shop.caller) } == .inUse)
        let stopped = try shop.environment.stopExperiment(draft.id, reason: "enough", by: shop.caller)
        #expect(stopped.state == .stopped && stopped.wasStoppedEarly)
    }

    @Test func `one experiment at a time runs on a placement`() throws {
        let shop = try MarketingFixture()
        _ = try shop.runningExperiment()
        let second = try shop.environment.createExperiment(
            shop.experimentInput(name: "Second"), datasetGroupID: shop.group.id, by: shop.caller)
        #expect(Refusal { try shop.environment.startExperiment(second.id, by: shop.caller) } == .inUse)
    }

    @Test func `an experiment needs an end to come and two arms of different names`() throws {
        let shop = try MarketingFixture()
        func make(_ input: ExperimentInput) -> Refusal {
            Refusal { try shop.environment.createExperiment(input, datasetGroupID: shop.group.id, by: shop.caller) }
        }
        #expect(make(shop.experimentInput(days: 0)) == .invalidInput)
        #expect(make(shop.experimentInput(arms: [.init(name: "Control")])) == .invalidInput)
        #expect(make(shop.experimentInput(arms: [.init(name: "A"), .init(name: "A")])) == .invalidInput)
        #expect(make(shop.experimentInput(arms: [.init(name: "A"), .init(name: "B", weight: 0)])) == .invalidInput)
        #expect(make(shop.experimentInput(arms: [.init(name: "A"), .init(name: "B", promotions: .listed([999]))])) == .invalidInput)
    }

    /// Control: a bought for 15 in an order of two lines that was sent twice; b's order is older than his exposure and was sent again after.
    /// New: c bought for 30 and gave back 10, which the shop's server reported; d paid in dollars, and bought in euros when his window was over.
    @Test func `a small case counts as by hand`() throws {
        let shop = try MarketingFixture()
        let experiment = try shop.runningExperiment(days: 3)
        let start = shop.clock.now
        func at(_ days: Double) -> PGTimestamp { shop.time(days: days) }
        try shop.expose(experiment, [("a", 0, at(1)), ("b", 0, at(1)), ("c", 1, at(1)), ("d", 1, at(1))])
        let ids = try shop.show([
            .init(visitor: "a", at: at(1), arm: experiment.arms[0].id), .init(visitor: "a", at: at(2), arm: experiment.arms[0].id),
            .init(visitor: "c", at: at(1), arm: experiment.arms[1].id), .init(visitor: "a", at: at(8.5), arm: experiment.arms[0].id),
        ])
        try shop.store([
            shop.event("a", "Click", at: at(1.1), recommendation: ids[0]), shop.event("a", "Click", at: at(1.2)),
            shop.event("a", "Purchase", at: at(2), item: "i1", order: "o1", amount: "10.00"),
            shop.event("a", "Purchase", at: at(2), item: "i2", order: "o1", amount: "5.00", currency: "EUR"),
            shop.event("b", "Purchase", at: at(0.5), order: "o2", amount: "20.00"),
            shop.event("c", "Purchase", at: at(2), order: "o3", amount: "30.00"),
            shop.event("server", "Refund", at: at(3), order: "o3", amount: "-10.00"),
            shop.event("d", "Purchase", at: at(2), order: "o4", amount: "99.00", currency: "USD"),
            shop.event("d", "Purchase", at: at(8), order: "o5", amount: "50.00"),
            shop.event("e", "Purchase", at: at(2), order: "o6", amount: "70.00"),
        ])
        // Sent again by a reloaded page: no second order, whichever door lets it in.
        _ = try shop.environment.change { connection in
            try shop.environment.storeEvents(
                [
                    shop.event("a", "Purchase", at: at(2.5), item: "i1", order: "o1", amount: "10.00"),
                    shop.event("b", "Purchase", at: at(1.5), order: "o2", amount: "20.00"),
                ], connection)
        }
        shop.clock.advance(seconds: 20 * 86_400)
        let report = try shop.environment.experimentReport(experiment.id, by: shop.caller)
        let (control, new) = (report.totals[0], report.totals[1])
        #expect(start == experiment.startedAt)
        #expect(control.units == 2 && control.converted == 1 && control.orders == 1)
        #expect(control.revenue == 15 && control.revenueSquares == 225)
        #expect(control.lists == 2 && control.clicks == 1 && control.clicksTimesLists == 2)
        #expect(new.units == 2 && new.converted == 2 && new.orders == 2)
        #expect(new.revenue == 20 && new.revenueSquares == 400 && new.foreignAmounts == 1)
        #expect(new.lists == 1 && new.clicks == 0)
    }

    @Test func `what happens at the exposure counts, what happens when the window is over does not`() throws {
        let shop = try MarketingFixture()
        let experiment = try shop.runningExperiment(.conversion, days: 3)
        let exposed = shop.time(days: 1)
        try shop.expose(experiment, [("at", 0, exposed), ("before", 0, exposed), ("last", 1, exposed), ("after", 1, exposed)])
        func moved(_ seconds: Double) -> PGTimestamp { PGTimestamp(microseconds: exposed.microseconds + Int64(seconds * 1e6)) }
        try shop.store([
            shop.event("at", "Purchase", at: exposed), shop.event("before", "Purchase", at: moved(-0.000_001)),
            shop.event("last", "Purchase", at: moved(7 * 86_400 - 0.000_001)), shop.event("after", "Purchase", at: moved(7 * 86_400)),
        ])
        shop.clock.advance(seconds: 20 * 86_400)
        let report = try shop.environment.experimentReport(experiment.id, by: shop.caller)
        #expect(report.totals.map(\.converted) == [1, 1])
    }

    @Test func `nothing is compared before the planned end`() throws {
        let shop = try MarketingFixture()
        let experiment = try shop.runningExperiment(.conversion, days: 10)
        try shop.expose(experiment, (0..<400).map { ("u\($0)", $0 % 2, shop.time(days: 1)) })
        try shop.store((0..<100).map { shop.event("u\($0 * 2 + ($0 < 20 ? 0 : 1))", "Purchase", at: shop.time(days: 2)) })
        shop.clock.advance(seconds: 9 * 86_400)
        let early = try shop.environment.experimentReport(experiment.id, by: shop.caller)
        #expect(early.reading == .hiddenUntil(experiment.plannedEndAt) && early.verdict == nil && early.comparisons.isEmpty)
        #expect(early.totals.map(\.units) == [200, 200])
        shop.clock.advance(seconds: 86_400)
        let ended = try shop.environment.experimentReport(experiment.id, by: shop.caller)
        #expect(ended.reading == .open)
        #expect(ended.verdict?.hasPrefix("'New' raised the conversion rate against 'Control' by 30.00 percentage points") == true)
    }

    @Test func `an experiment ends by itself at its planned end, with its verdict, and not before`() throws {
        let shop = try MarketingFixture()
        let experiment = try shop.runningExperiment(.conversion, days: 10)
        try shop.expose(experiment, (0..<400).map { ("u\($0)", $0 % 2, shop.time(days: 1)) })
        try shop.store((0..<100).map { shop.event("u\($0 * 2 + ($0 < 20 ? 0 : 1))", "Purchase", at: shop.time(days: 2)) })
        shop.clock.advance(seconds: 10 * 86_400 - 1)
        try shop.environment.scheduleDueWork()
        #expect(try shop.environment.describeExperiment(experiment.id, by: shop.caller).state == .running)
        shop.clock.advance(seconds: 2)
        try shop.environment.scheduleDueWork()
        try shop.environment.scheduleDueWork()
        let ended = try shop.environment.describeExperiment(experiment.id, by: shop.caller)
        #expect(ended.state == .stopped && !ended.wasStoppedEarly)
        let report = try shop.environment.experimentReport(experiment.id, by: shop.caller)
        #expect(report.reading == .open && report.verdict != nil)
        let entries = try shop.environment.listAudit(datasetGroupID: shop.group.id).filter { $0.action == "StopExperiment" }
        #expect(entries.map(\.actor) == ["tastemaker"])
        let needs = try shop.environment.todayDigest(datasetGroupID: shop.group.id, by: shop.caller).needs
        #expect(needs.contains { $0.sentence.contains("has reached its planned end") })
    }

    @Test func `an experiment stopped early gets no verdict`() throws {
        let shop = try MarketingFixture()
        let experiment = try shop.runningExperiment(.conversion, days: 10)
        try shop.expose(experiment, (0..<400).map { ("u\($0)", $0 % 2, shop.time(days: 1)) })
        shop.clock.advance(seconds: 5 * 86_400)
        _ = try shop.environment.stopExperiment(experiment.id, by: shop.caller)
        shop.clock.advance(seconds: 20 * 86_400)
        let report = try shop.environment.experimentReport(experiment.id, by: shop.caller)
        #expect(report.reading == .stoppedEarly && report.verdict == nil)
    }

    @Test func `units first exposed after the end are in no arm`() throws {
        let shop = try MarketingFixture()
        let experiment = try shop.runningExperiment(days: 2)
        try shop.expose(experiment, [("in", 0, shop.time(days: 1)), ("late", 1, shop.time(days: 2))])
        shop.clock.advance(seconds: 20 * 86_400)
        #expect(try shop.environment.experimentReport(experiment.id, by: shop.caller).totals.map(\.units) == [1, 0])
    }

    @Test func `a broken split hides the verdict and is shown by day`() throws {
        let shop = try MarketingFixture()
        let experiment = try shop.runningExperiment(.conversion, days: 2)
        try shop.expose(experiment, (0..<1000).map { ("u\($0)", $0 < 600 ? 0 : 1, shop.time(days: 0.1)) })
        try shop.expose(experiment, [("x", 0, shop.time(days: 1.1))])
        shop.clock.advance(seconds: 10 * 86_400)
        let report = try shop.environment.experimentReport(experiment.id, by: shop.caller)
        #expect(report.reading == .sampleRatioAlarm && report.verdict == nil && report.comparisons.isEmpty)
        #expect(report.split.map(\.units) == [[600, 400], [1, 0]])
    }

    @Test func `a planted lift lies in the interval and equal arms are not told apart`() throws {
        let shop = try MarketingFixture()
        let experiment = try shop.runningExperiment(.revenue, days: 10)
        var random = SeededGenerator(state: 20_261_121)
        var exposures: [(unit: String, arm: Int, at: PGTimestamp)] = []
        var events: [NewEvent] = []
        for unit in 0..<3000 {
            let arm = Bool.random(using: &random) ? 1 : 0
            let at = shop.time(days: Double.random(in: 0..<9, using: &random))
            exposures.append(("u\(unit)", arm, at))
            guard Double.random(in: 0..<1, using: &random) < (arm == 1 ? 0.24 : 0.16) else { continue }
            let amount = Int.random(in: 10...50, using: &random)
            events.append(shop.event("u\(unit)", "Purchase", at: at, order: "o\(unit)", amount: "\(amount).00"))
        }
        try shop.expose(experiment, exposures)
        try shop.store(events)
        shop.clock.advance(seconds: 20 * 86_400)
        let report = try shop.environment.experimentReport(experiment.id, by: shop.caller)
        #expect(report.reading == .open)
        let effect = try #require(report.comparisons.first { $0.isPrimary }?.effect)
        // 0.08 more buyers at 30 each.
        #expect(effect.lower < 2.4 && 2.4 < effect.upper && effect.isClear)
        #expect(report.verdict?.contains("raised revenue per visitor") == true)
        // The bought, divided at random among two halves of the control.
        let halves = try shop.environment.read { connection in
            try OutcomeCount(
                group: shop.group, interactionsDataset: shop.environment.interactionsDataset(ofGroup: shop.group.id, connection),
                convertingEvent: "purchase", windowDays: 7, earliest: experiment.startedAt ?? .distantPast, until: shop.clock.now
            ).totals(
                units: """
                    SELECT unit_id, unit_id % 2 AS side, exposed_at AS since FROM exposure
                    WHERE experiment_id = \(experiment.id) AND arm_id = \(experiment.arms[0].id)
                    """, lists: "SELECT 0 AS unit_id, 0::bigint AS key, now() AS shown_at WHERE false", connection)
        }
        let equal = try #require(EffectEstimate(.revenue, control: halves[0] ?? .init(), treatment: halves[1] ?? .init()))
        #expect(!equal.isClear)
    }

    @Test func `the forecast names the smallest effect that the placement's visitors can show`() throws {
        let shop = try MarketingFixture()
        let visitors = (0..<280).map { "v\($0)" }
        _ = try shop.show(visitors.enumerated().map { .init(visitor: $1, at: shop.time(days: -Double($0 % 13) - 0.5)) })
        try shop.store(visitors.prefix(28).enumerated().map { shop.event($1, "Purchase", at: shop.time(days: -Double($0 % 13) - 0.4)) })
        let forecast = try shop.environment.forecastExperiment(
            shop.experimentInput(.conversion, days: 28), datasetGroupID: shop.group.id, by: shop.caller)
        #expect(forecast.observedVisitors == 280 && forecast.units == 560)
        #expect(forecast.baseline == 0.1)
        // (1.96 + 0.8416) × √(2 × 0.09 / 280)
        #expect(abs((forecast.smallestEffect ?? 0) - 0.07103) < 0.0002)
        #expect(forecast.sentence(.conversion, currency: "EUR").contains("7.10 percentage points"))
    }

    @Test func `a placement without visitors promises nothing`() throws {
        let shop = try MarketingFixture()
        let forecast = try shop.environment.forecastExperiment(shop.experimentInput(), datasetGroupID: shop.group.id, by: shop.caller)
        #expect(forecast.smallestEffect == nil && forecast.sentence(.revenue, currency: "EUR").contains("no visitors"))
    }
}
