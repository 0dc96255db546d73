import Foundation
import Postgres
import Support
import Testing

@testable import Tastemaker

/// Counts that are kept up step by step against a plain reading of everything that ever happened.
struct RollupTests {
    /// Zones at full, half and quarter hours; in the last two the clocks change within the days in question.
    @Test(arguments: ["Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Europe/Berlin"])
    func `counts kept up in steps are what a plain reading counts`(zone: String) throws {
        let shop = try MarketingFixture(at: PGTimestamp(seconds: 1_792_926_000))
        try shop.environment.updateDatasetGroupDisplay(
            id: shop.group.id, columns: shop.group.displayColumns, timeZone: zone, currency: "EUR", by: .system)
        var random = SeededGenerator(state: 7)
        var history = History(zone: zone)
        for step in 0..<6 {
            try history.go(on: shop, events: 60, latest: Double(step) - 5, &random)
            if step == 3 { try history.erase("v3", from: shop) }
            if step.isMultiple(of: 2) { #expect(try history.counted(by: shop) == history.expected) }
        }
        #expect(try history.counted(by: shop) == history.expected)
        try shop.environment.change { try ActivityMarks.addAll(shop.group.id, $0) }
        #expect(try history.counted(by: shop) == history.expected)
        #expect(history.expected.purchases > 0 && history.expected.foreign > 0)
    }

    @Test func `kept outcomes are what a count of everything gives, whatever comes late`() throws {
        let shop = try MarketingFixture()
        let experiment = try shop.runningExperiment(days: 10)
        let promotion = try shop.promotion(PromotionDefinition(kind: .boost, selection: .items(["i1"]), factor: 2, holdOut: 0.5))
        try shop.environment.publishPromotion(promotion.id, by: shop.caller)
        var random = SeededGenerator(state: 11)
        let start = shop.clock.now
        func at(_ days: Double) -> PGTimestamp { start.adding(seconds: Int64(days * 86_400)) }
        let units = (0..<30).map { (unit: "v\($0)", arm: $0 % 2, at: at(Double.random(in: 0..<9, using: &random))) }
        try shop.expose(experiment, units)
        let lists = try shop.show(
            units.map { unit in
                MarketingFixture.Shown(
                    visitor: unit.unit, at: unit.at, arm: experiment.arms[unit.arm].id, live: [promotion.id],
                    held: unit.arm == 0 ? [promotion.id] : [])
            })
        shop.clock.advance(seconds: 20 * 86_400)
        try shop.environment.prepareInteractionPart(datasetGroupID: shop.group.id)
        for step in 0..<6 {
            var events: [NewEvent] = []
            for _ in 0..<30 {
                let n = Int.random(in: 0..<30, using: &random)
                let type = ["Click", "Purchase", "Purchase", "Refund"][Int.random(in: 0..<4, using: &random)]
                events.append(
                    shop.event(
                        "v\(n)", type, at: at(Double.random(in: -5..<19, using: &random)), item: "i\(n % 5)",
                        order: type == "Click" ? nil : "o\(Int.random(in: 0..<20, using: &random))",
                        amount: type == "Click" ? nil : "\(Int.random(in: 1..<90, using: &random)).25", recommendation: lists[n]))
            }
            try shop.store(events)
            if step == 4 { _ = try shop.environment.eraseUser("v7", datasetGroupID: shop.group.id, by: .system) }
            let kept = try outcomes(shop, experiment, promotion.id)
            try shop.environment.change { _ = try $0.execute("DELETE FROM kept_outcome") }
            #expect(try outcomes(shop, experiment, promotion.id) == kept)
        }
    }

    private func outcomes(_ shop: MarketingFixture, _ experiment: Experiment, _ promotion: Int32) throws -> [[Int32: OutcomeTotals]] {
        [
            try shop.environment.outcome(of: experiment, in: shop.group),
            try shop.environment.outcome(ofPromotion: promotion, since: shop.clock.now.adding(seconds: -20 * 86_400), in: shop.group),
        ]
    }

    @Test func `a report that can no longer change is not counted again`() throws {
        let shop = try MarketingFixture()
        let experiment = try shop.runningExperiment(days: 2)
        try shop.expose(experiment, [(unit: "v", arm: 0, at: shop.time(days: 1))])
        shop.clock.advance(seconds: 20 * 86_400)
        try shop.environment.prepareInteractionPart(datasetGroupID: shop.group.id)
        _ = try shop.environment.outcome(of: experiment, in: shop.group)
        let counted = shop.clock.now
        shop.clock.advance(seconds: 86_400)
        try shop.store([shop.event("v", "Purchase", at: shop.clock.now, order: "o", amount: "5.00")])
        _ = try shop.environment.outcome(of: experiment, in: shop.group)
        #expect(try shop.count("SELECT count(*) FROM kept_outcome WHERE counted_at = \(counted)") == 1)
        try shop.store([shop.event("v", "Purchase", at: shop.time(days: -19), order: "late", amount: "5.00")])
        #expect(try shop.environment.outcome(of: experiment, in: shop.group)[0]?.revenue == 5)
    }

    @Test func `lists that named nobody are nobody's visits`() throws {
        let shop = try MarketingFixture()
        let promotion = try shop.promotion(PromotionDefinition(kind: .boost, selection: .items(["i1"]), factor: 2, holdOut: 0.5))
        try shop.environment.publishPromotion(promotion.id, by: shop.caller)
        shop.clock.advance(seconds: 60)
        _ = try shop.show([.init(visitor: "v", at: shop.clock.now, live: [promotion.id])])
        try shop.environment.change { connection in
            _ = try connection.execute(
                """
                INSERT INTO shown (key, dataset_group_id, shown_at, visitor_id, rung, items, live_promotions)
                VALUES (1, \(shop.group.id), \(shop.clock.now), \(ShownQueries.nobody), 'popular', '{1}', \([promotion.id]))
                """)
        }
        #expect(try shop.environment.promotionReport(promotion.id, by: shop.caller).served.units == 1)
    }

    @Test func `counts of lists and of what they led to outlive the lists`() throws {
        let shop = try MarketingFixture()
        let seen = shop.clock.now
        let lists = try shop.show([.init(visitor: "v", at: seen), .init(visitor: "w", at: seen)])
        try shop.store(
            zip(["v", "w"], lists).flatMap { visitor, list in
                [
                    shop.event(visitor, "Click", at: seen.adding(seconds: 60), recommendation: list),
                    shop.event(visitor, "Purchase", at: seen.adding(seconds: 120), order: visitor, amount: "5.00"),
                ]
            })
        // Two processes may give two events the same place.
        try shop.environment.change { _ = try $0.execute("UPDATE interaction SET ordinal = 1") }
        try shop.environment.countReports(datasetGroupID: shop.group.id)
        let counted: SQL = "SELECT sum(lists) * 100 + sum(clicks) * 10 + sum(purchases) FROM metric_bucket"
        #expect(try shop.count("SELECT (\(part: counted))::int8") == 222)
        shop.clock.advance(seconds: 125 * 86_400)
        try shop.environment.change { connection in
            _ = try connection.execute("DELETE FROM shown")
            try ActivityMarks.addAll(shop.group.id, connection)
        }
        try shop.environment.countReports(datasetGroupID: shop.group.id)
        #expect(try shop.count("SELECT (\(part: counted))::int8") == 222)
        #expect(try shop.count("SELECT sum(events)::int8 FROM metric_bucket") == 4)
    }

    @Test func `a page shows kept totals while a count takes longer than a statement may`() throws {
        let shop = try MarketingFixture()
        let experiment = try shop.runningExperiment()
        try shop.expose(experiment, [(unit: "v", arm: 0, at: shop.clock.now)])
        let kept = try shop.environment.outcome(of: experiment, in: shop.group)
        #expect(kept[0]?.units == 1)
        try shop.expose(experiment, [(unit: "w", arm: 0, at: shop.clock.now)])
        let slow = try Environment.test(shop.database, clock: shop.clock, statementMilliseconds: 200)
        let counting = try Connection(shop.database.settings)
        defer { counting.close() }
        try counting.execute("SELECT pg_advisory_lock(7306, \(shop.group.id))")
        #expect(try slow.outcome(of: experiment, in: shop.group) == kept)
        try counting.execute("SELECT pg_advisory_unlock(7306, \(shop.group.id))")
        #expect(try slow.outcome(of: experiment, in: shop.group)[0]?.units == 2)
    }

    @Test func `the job counts what pages would have to, and a deleted group leaves nothing`() throws {
        let shop = try MarketingFixture()
        let experiment = try shop.runningExperiment()
        try shop.expose(experiment, [(unit: "v", arm: 0, at: shop.clock.now)])
        try shop.store([shop.event("v", "View", at: shop.clock.now)])
        try shop.environment.scheduleDueWork()
        #expect(try shop.count("SELECT count(*) FROM job WHERE kind = 'count-reports' AND dataset_group_id = \(shop.group.id)") == 1)
        try shop.environment.countReports(datasetGroupID: shop.group.id)
        #expect(try shop.count("SELECT count(*) FROM activity_mark") == 0)
        #expect(try shop.count("SELECT sum(events)::int8 FROM metric_bucket") == 1)
        #expect(try shop.count("SELECT count(*) FROM kept_outcome") == 1)
        try shop.environment.deleteDataset(arn: shop.arn("dataset/shop/INTERACTIONS"), by: .system)
        try shop.environment.deleteDatasetGroup(arn: shop.arn("dataset-group/shop"), by: .system)
        let left: SQL = "(SELECT count(*) FROM activity_mark) + (SELECT count(*) FROM metric_bucket) + (SELECT count(*) FROM kept_outcome)"
        #expect(try shop.count("SELECT \(part: left)") == 0)
    }
}

/// Everything that happened, and what it comes to when it is simply read from the beginning.
private struct History {
    struct Counts: Equatable {
        var events: [String: [String: Int]] = [:]
        var lists: [String: Int] = [:]
        var clicks: [String: Int] = [:]
        /// In cents.
        var revenue: [String: Int] = [:]
        var attributed: [String: Int] = [:]
        var purchases = 0
        var foreign = 0
    }

    private struct List {
        let id: String
        let visitor: String
        let at: PGTimestamp
    }

    private let zone: LocalTime
    private var lists: [List] = []
    private var events: [NewEvent] = []

    init(zone: String) { self.zone = LocalTime(zoneName: zone) }

    mutating func go(on shop: MarketingFixture, events count: Int, latest: Double, _ random: inout SeededGenerator) throws {
        func time() -> PGTimestamp {
            shop.time(days: latest - Double.random(in: 0..<1, using: &random) * (Bool.random(using: &random) ? 1 : 14))
        }
        let shown = (0..<10).map { _ in MarketingFixture.Shown(visitor: "v\(Int.random(in: 0..<6, using: &random))", at: time()) }
        lists += zip(shown, try shop.show(shown)).map { List(id: $1, visitor: $0.visitor, at: $0.at) }
        var new: [NewEvent] = []
        for _ in 0..<count {
            let visitor = "v\(Int.random(in: 0..<6, using: &random))"
            let type = ["View", "Click", "Click", "Purchase", "purchase", "Refund"][Int.random(in: 0..<6, using: &random)]
            let isMoney = type != "View" && type != "Click"
            new.append(
                shop.event(
                    visitor, type, at: time(), item: "i\(Int.random(in: 0..<4, using: &random))",
                    order: isMoney && Int.random(in: 0..<4, using: &random) > 0 ? "o\(Int.random(in: 0..<25, using: &random))" : nil,
                    amount: isMoney ? "\(Int.random(in: 1..<90, using: &random)).05" : nil,
                    currency: isMoney ? ["EUR", "eur", "USD", nil][Int.random(in: 0..<4, using: &random)] : nil,
                    recommendation: type == "Click" ? lists.randomElement(using: &random)?.id : nil))
        }
        try shop.store(new)
        events += new
    }

    mutating func erase(_ visitor: String, from shop: MarketingFixture) throws {
        _ = try shop.environment.eraseUser(visitor, datasetGroupID: shop.group.id, by: .system)
        events.removeAll { $0.visitorID == visitor }
        lists.removeAll { $0.visitor == visitor }
    }

    var expected: Counts {
        var counts = Counts()
        let known = Set(lists.map(\.id))
        for list in lists { counts.lists[zone.machineDay(list.at), default: 0] += 1 }
        for event in events {
            let day = zone.machineDay(event.occurredAt)
            let type = event.eventType.lowercased()
            counts.events[type, default: [:]][day, default: 0] += 1
            if type == "click", let id = event.recommendationID, known.contains(id) { counts.clicks[day, default: 0] += 1 }
            guard type == "refund" || type == "purchase", !isKnownLine(event) else { continue }
            let isForeign = event.currency.map { $0.uppercased() != "EUR" } ?? false
            let cents = Int(((Double(event.amount ?? "0") ?? 0) * 100).rounded()) * (type == "refund" ? -1 : 1)
            if isForeign { counts.foreign += 1 } else { counts.revenue[day, default: 0] += cents }
            guard let click = lastClick(before: event), known.contains(click.recommendationID ?? "") else { continue }
            counts.purchases += 1
            if !isForeign { counts.attributed[day, default: 0] += cents }
        }
        counts.revenue = counts.revenue.filter { $0.value != 0 }
        counts.attributed = counts.attributed.filter { $0.value != 0 }
        return counts
    }

    private func isKnownLine(_ event: NewEvent) -> Bool {
        guard let order = event.orderID, event.eventType.lowercased() == "purchase" else { return false }
        return events.contains {
            $0.orderID == order && $0.itemID == event.itemID && $0.eventType.lowercased() == "purchase" && $0.occurredAt < event.occurredAt
                && $0.occurredAt >= event.occurredAt.adding(seconds: -30 * 86_400)
        }
    }

    private func lastClick(before event: NewEvent) -> NewEvent? {
        events.filter {
            $0.eventType == "Click" && $0.recommendationID != nil && $0.visitorID == event.visitorID && $0.itemID == event.itemID
                && $0.occurredAt <= event.occurredAt && $0.occurredAt > event.occurredAt.adding(seconds: -7 * 86_400)
        }.max { $0.occurredAt < $1.occurredAt }
    }

    func counted(by shop: MarketingFixture) throws -> Counts {
        let group = try shop.environment.describeDatasetGroup(id: shop.group.id, by: .system)
        let range = MetricsRange(lastDays: 28, today: shop.environment.today(in: group))
        let report = try shop.environment.metrics(datasetGroupID: group.id, range, by: shop.caller)
        func byDay(_ value: (MetricsReport.Day) -> Int) -> [String: Int] {
            Dictionary(uniqueKeysWithValues: report.days.map { ($0.day, value($0)) }).filter { $0.value != 0 }
        }
        func cents(_ amount: Double) -> Int { Int((amount * 100).rounded()) }
        var counts = Counts()
        for entry in report.events {
            for (day, count) in zip(report.days, entry.counts) where count > 0 {
                counts.events[entry.type.lowercased(), default: [:]][day.day, default: 0] += count
            }
        }
        counts.lists = byDay(\.activity.lists)
        counts.clicks = byDay(\.activity.clicks)
        counts.revenue = byDay { cents($0.revenue) }
        counts.attributed = byDay { cents($0.activity.revenue) }
        counts.purchases = report.activity.purchases
        counts.foreign = report.foreignAmounts
        return counts
    }
}
