import Foundation
import Postgres
import Support
import Testing

@testable import Tastemaker

struct MetricsTests {
    /// 25 October 2026 in Berlin has 25 hours: from 22:00 UTC of the 24th until 23:00 UTC of the 25th.
    let noon = PGTimestamp(seconds: 1_792_926_000)

    @Test func `a day of 25 hours is one day`() throws {
        let shop = try MarketingFixture(at: noon)
        try shop.store([
            shop.event("v", "View", at: PGTimestamp(seconds: 1_792_879_199)),
            shop.event("v", "View", at: PGTimestamp(seconds: 1_792_879_200)),
            shop.event("v", "View", at: PGTimestamp(seconds: 1_792_969_199)),
            shop.event("v", "View", at: PGTimestamp(seconds: 1_792_969_200)),
        ])
        let range = try MetricsRange(first: "2026-10-24", last: "2026-10-26", today: "2026-10-26")
        let report = try shop.environment.metrics(datasetGroupID: shop.group.id, range, by: shop.caller)
        #expect(report.days.map(\.events) == [1, 2, 1])
        #expect(report.events == [MetricsReport.EventCount(type: "View", counts: [1, 2, 1])])
    }

    @Test func `revenue through recommendations is what a click within seven days led to`() throws {
        let shop = try MarketingFixture(at: noon)
        func at(_ days: Double) -> PGTimestamp { shop.time(days: days) }
        let ids = try shop.show([
            .init(visitor: "v", at: at(-9)), .init(visitor: "w", at: at(-3), placement: "home-popular"), .init(visitor: "x", at: at(-2)),
        ])
        try shop.store([
            shop.event("v", "Click", at: at(-8.9), item: "i1", recommendation: ids[0]),
            shop.event("v", "Purchase", at: at(-1), item: "i1", order: "late", amount: "40.00"),
            shop.event("w", "Click", at: at(-2.9), item: "i2", recommendation: ids[1]),
            shop.event("w", "Purchase", at: at(-1), item: "i2", order: "o1", amount: "25.00"),
            shop.event("w", "Purchase", at: at(-1), item: "i3", order: "o1", amount: "9.00"),
            shop.event("x", "Click", at: at(-1.5), item: "i4", recommendation: ids[2]),
            shop.event("x", "Purchase", at: at(-1.6), item: "i4", order: "before", amount: "7.00"),
            shop.event("x", "Purchase", at: at(-1.4), item: "i4", order: "forged", amount: "3.00", currency: "USD"),
        ])
        let range = MetricsRange(lastDays: 14, today: shop.environment.today(in: shop.group))
        let report = try shop.environment.metrics(datasetGroupID: shop.group.id, range, by: shop.caller)
        #expect(report.activity.revenue == 25 && report.activity.purchases == 2)
        #expect(report.activity.lists == 3 && report.activity.clicks == 3)
        #expect(report.revenue == 81 && report.foreignAmounts == 1)
        #expect(report.placements.first { $0.name == "home-popular" }?.activity.revenue == 25)
        #expect(report.placements.first { $0.name == "home-for-you" }?.activity.lists == 2)
    }

    @Test func `requests, errors and percentiles come from the buckets`() throws {
        let shop = try MarketingFixture(at: noon)
        _ = try shop.environment.change { connection in
            try connection.execute(
                """
                INSERT INTO request_metric (bucket, dataset_group_id, operation, target, code, requests, latency) VALUES
                (\(shop.time(days: -1)), \(shop.group.id), 'GetRecommendations', 'camp', 200, 90, ARRAY[0, 0, 90, 0, 0, 0, 0, 0, 0, 0]),
                (\(shop.time(days: -1)), \(shop.group.id), 'GetRecommendations', 'camp', 400, 6, ARRAY[6, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
                (\(shop.time(days: 0)), \(shop.group.id), 'GetRecommendations', 'camp', 503, 4, ARRAY[0, 0, 0, 0, 0, 0, 0, 0, 0, 4])
                """)
        }
        let range = MetricsRange(lastDays: 2, today: shop.environment.today(in: shop.group))
        let figures = try shop.environment.metrics(datasetGroupID: shop.group.id, range, by: shop.caller).requests
        #expect(figures.requests == 100 && figures.clientErrors == 6 && figures.serverErrors == 4)
        // The 50th of 100 is the 44th of 90 in the bucket from 2 to 5 ms.
        #expect(abs((figures.latency(percentile: 0.5) ?? 0) - (2 + 3 * 44.0 / 90)) < 1e-9)
        #expect(figures.latency(percentile: 0.99) == .infinity)
        #expect(RequestFigures().latency(percentile: 0.5) == nil)
    }

    @Test(arguments: [("2026-10-26", "2026-10-25"), ("2026-02-30", "2026-03-01"), ("2026-01-01", "2026-12-31"), ("x", "2026-01-01")])
    func `a range that is none is refused`(range: (String, String)) {
        #expect(Refusal { try MetricsRange(first: range.0, last: range.1, today: "2027-01-01") } == .invalidInput)
    }

    @Test(arguments: ["=1+1", "+1", "-1", "@a", " =1", "\t=1", "\r1"])
    func `no cell begins like a formula`(text: String) {
        var table = CSVTable(columns: ["a"])
        table.add([.text(text)])
        let line = String(decoding: table.bytes.dropFirst(3), as: UTF8.self)
        #expect(line == "\"'\(text)\"\r\n")
    }

    @Test func `quotes and commas are quoted and numbers are not`() {
        var table = CSVTable(columns: ["a", "b", "c"])
        table.add([.text("say \"hi\", all"), .number(-1.5), .empty])
        #expect(String(decoding: table.bytes, as: UTF8.self) == "a,b,c\r\n\"say \"\"hi\"\", all\",-1.5,\r\n")
    }

    @Test func `every table of a report has a row for each day or thing`() throws {
        let shop = try MarketingFixture(at: noon)
        let range = MetricsRange(lastDays: 7, today: shop.environment.today(in: shop.group))
        let report = try shop.environment.metrics(datasetGroupID: shop.group.id, range, by: shop.caller)
        #expect(report.table("days")?.rows.count == 7)
        #expect(report.table("requests")?.rows.isEmpty == true)
        #expect(report.table("other") == nil)
    }

    @Test func `today says what needs somebody`() throws {
        let shop = try MarketingFixture(at: noon)
        let experiment = try shop.runningExperiment(days: 1)
        let made = try shop.promotion(PromotionDefinition(kind: .hide, selection: .items(["i1"]), endsAt: "2026-10-28T00:00"))
        try shop.environment.publishPromotion(made.id, by: shop.caller)
        shop.clock.advance(seconds: 86_400)
        let digest = try shop.environment.todayDigest(datasetGroupID: shop.group.id, by: shop.caller)
        #expect(digest.needs.map(\.subject) == [.experiment(experiment.id), .promotion(made.id)])
        #expect(digest.changes == "In the last seven days: 1 promotion published, 1 experiment started.")
    }
}
