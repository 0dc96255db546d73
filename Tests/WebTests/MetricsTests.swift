import Foundation
import Testing

@testable import Web

struct MetricsTests {
    static let families = [
        MetricFamily("tastemaker_http_requests_total", .counter, help: "Requests answered."),
        MetricFamily("tastemaker_request_duration_seconds", .histogram(bounds: [0.001, 0.01, 1]), help: "Time to answer."),
    ]

    static func folder() -> String {
        "/tmp/tastemaker-metrics-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    }

    static func page(_ metrics: Metrics) -> [Substring] {
        String(decoding: metrics.page(), as: UTF8.self).split(separator: "\n")
    }

    @Test func `counters and histograms are written as Prometheus reads them`() {
        let metrics = Metrics(folder: nil, families: Self.families)
        metrics.increment("tastemaker_http_requests_total", [("route", "GET /a\"\\\n"), ("code", "200")])
        metrics.increment("tastemaker_http_requests_total", [("route", "GET /a\"\\\n"), ("code", "200")], by: 4)
        for seconds in [0.0005, 0.001, 0.005, 2] { metrics.observe(seconds, "tastemaker_request_duration_seconds", [("operation", "x")]) }
        #expect(
            Self.page(metrics) == [
                "# HELP tastemaker_http_requests_total Requests answered.", "# TYPE tastemaker_http_requests_total counter",
                #"tastemaker_http_requests_total{route="GET /a\"\\\n",code="200"} 5"#,
                "# HELP tastemaker_request_duration_seconds Time to answer.", "# TYPE tastemaker_request_duration_seconds histogram",
                #"tastemaker_request_duration_seconds_bucket{operation="x",le="0.001"} 2"#,
                #"tastemaker_request_duration_seconds_bucket{operation="x",le="0.01"} 3"#,
                #"tastemaker_request_duration_seconds_bucket{operation="x",le="1.0"} 3"#,
                #"tastemaker_request_duration_seconds_bucket{operation="x",le="+Inf"} 4"#,
                #"tastemaker_request_duration_seconds_sum{operation="x"} 2.0065"#,
                #"tastemaker_request_duration_seconds_count{operation="x"} 4"#,
                "# HELP tastemaker_metrics_dropped_total Measurements without a place among the bounded series.",
                "# TYPE tastemaker_metrics_dropped_total counter", "tastemaker_metrics_dropped_total 0",
            ])
    }

    @Test func `the page sums over all, and what an ended process counted stays`() {
        let folder = Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = Metrics(folder: folder, families: Self.families)
        first.increment("tastemaker_http_requests_total", [("code", "200")], by: 3)
        for round in 1...3 {
            var second: Metrics? = Metrics(folder: folder, families: Self.families)
            second?.increment("tastemaker_http_requests_total", [("code", "200")], by: 10)
            #expect(Self.page(first).contains("tastemaker_http_requests_total{code=\"200\"} \(3 + round * 10)"))
            second = nil
            for _ in 0..<3 { #expect(Self.page(first).contains("tastemaker_http_requests_total{code=\"200\"} \(3 + round * 10)")) }
        }
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        #expect(files.filter { $0.hasSuffix(".cells") }.count == 1)
    }

    @Test func `many threads lose no count`() {
        let metrics = Metrics(folder: nil, families: Self.families)
        let threads = (0..<4).map { _ in
            LoadThread { for _ in 0..<50_000 { metrics.increment("tastemaker_http_requests_total", [("code", "204")]) } }
        }
        for thread in threads { thread.join() }
        #expect(Self.page(metrics).contains("tastemaker_http_requests_total{code=\"204\"} 200000"))
    }

    @Test func `series beyond the bound and names that are not declared are counted as dropped`() {
        let metrics = Metrics(folder: nil, families: Self.families)
        for code in 0..<3000 { metrics.increment("tastemaker_http_requests_total", [("code", "\(code)")]) }
        metrics.increment("tastemaker_unknown_total")
        let page = Self.page(metrics)
        #expect(page.count { $0.hasPrefix("tastemaker_http_requests_total") } == MetricsFile.slotCount - 1)
        #expect(page.contains { $0.hasPrefix("tastemaker_metrics_dropped_total ") && !$0.hasSuffix(" 0") })
    }

    @Test func `an access log line is one line of JSON`() {
        let record = RequestObserver.Record(
            requestID: "id", method: "GET", route: "GET /a", status: 200, microseconds: 12, requestBytes: 0, responseBytes: 5,
            failure: "a\n\"b\"")
        #expect(
            String(decoding: AccessLog.line(record, time: "2026-05-04T03:02:01.000Z"), as: UTF8.self)
                == #"{"time":"2026-05-04T03:02:01.000Z","kind":"request","request":"id","method":"GET","route":"GET /a","status":200,"microseconds":12,"in":0,"out":5,"#
                + "\"failure\":\"a\\n\\\"b\\\"\"}\n")
    }
}
