import Tastemaker
import Web

extension ConsoleRoutes {
    static let metrics: [ConsoleRoute] = [
        .group(.get, "/metrics", .viewMetrics, MetricsPages.show),
        .group(.get, "/metrics/{table}", .viewMetrics, MetricsPages.table),
    ]
}

enum MetricsPages {
    private static func report(_ visit: Visit, _ group: DatasetGroup) throws -> (MetricsReport, days: Int) {
        let days = try visit.request.query("days").flatMap { Int($0) } ?? 14
        let range = MetricsRange(lastDays: days, today: visit.environment.today(in: group))
        return (try visit.environment.metrics(datasetGroupID: group.id, range, by: visit.caller), range.days.count)
    }

    /// `days.csv`, `events.csv`, `placements.csv`, `campaigns.csv`, `requests.csv`
    static func table(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let name = try visit.pathText("table")
        guard name.hasSuffix(".csv") else { throw OperationError.notFound("There is nothing at this address.") }
        let (report, _) = try report(visit, group)
        guard let table = report.table(String(name.dropLast(4))) else { throw OperationError.notFound("There is nothing at this address.") }
        return visit.file(
            table.bytes, contentType: "text/csv; charset=utf-8", name: "\(group.name)-\(report.range.first)-\(report.range.last)-\(name)")
    }

    static func show(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let (report, days) = try report(visit, group)
        let format = PageFormat(group)
        func csv(_ name: String) -> ViewValue { .url(.page(group, "metrics", name + ".csv", query: [("days", String(days))])) }
        let model: ViewModel = [
            "actionURL": .url(.metrics(group)),
            "choices": FormState().options(
                "days", [("7", "7 days"), ("14", "14 days"), ("28", "28 days")], default: String(days)),
            "period": .text("\(report.range.first) to \(report.range.last), days of \(report.timeZone)"),
            "isEmpty": .bool(report.requests.requests == 0 && report.days.allSatisfy { $0.events == 0 } && report.activity.lists == 0),
            "trackerURL": .url(.tracker(group)), "canSeeTracker": .bool(visit.may(.viewOperation)),
            "tiles": .list(tiles(report, format)), "days": .list(report.days.map { row($0, format) }),
            "placements": .list(report.placements.map { named($0, "asked for by campaign", format) }),
            "campaigns": .list(report.campaigns.map { named($0, "no campaign", format) }),
            "operations": .list(report.operations.prefix(40).map(operation)),
            "events": .list(
                report.events.prefix(30).map { ["event": .text($0.type), "count": .text(PageFormat.number($0.total))] as ViewModel }),
            "daysURL": csv("days"), "eventsURL": csv("events"), "placementsURL": csv("placements"), "campaignsURL": csv("campaigns"),
            "requestsURL": csv("requests"),
            "foreign": report.foreignAmounts == 0
                ? false
                : .text(
                    "\(PageFormat.count(report.foreignAmounts, "amount", "amounts")) in another currency than \(report.currency): in no sum."
                ),
        ]
        return try visit.render("metrics/show", model.merging(charts(report, format)))
    }

    private static func tiles(_ report: MetricsReport, _ format: PageFormat) -> [ViewModel] {
        let activity = report.activity
        let requests = report.requests
        let share =
            report.revenue > 0
            ? "\(PageFormat.percent(activity.revenue / report.revenue)) of \(format.money(report.revenue))" : "no revenue yet"
        return [
            [
                "label": "Revenue through recommendations", "value": .text(format.money(activity.revenue)),
                "note": .text("\(share). Purchases of an item within 7 days after a click on it in a recommendation."),
            ],
            [
                "label": "Clicks per list", "value": .text(activity.clickThrough.map { PageFormat.percent($0) } ?? "–"),
                "note": .text("\(PageFormat.number(activity.clicks)) clicks on \(PageFormat.number(activity.lists)) lists shown."),
            ],
            [
                "label": "Requests", "value": .text(PageFormat.number(requests.requests)),
                "note": .text(
                    "\(PageFormat.number(requests.clientErrors)) refused (4xx), \(PageFormat.number(requests.serverErrors)) failed (5xx)."),
            ],
            [
                "label": "Latency, 95 of 100 under", "value": .text(milliseconds(requests.latency(percentile: 0.95))),
                "note": .text(
                    "Half under \(milliseconds(requests.latency(percentile: 0.5))), 99 of 100 under \(milliseconds(requests.latency(percentile: 0.99)))."
                ),
            ],
        ]
    }

    private static func charts(_ report: MetricsReport, _ format: PageFormat) -> ViewModel {
        let labels = report.days.map { String($0.day.dropFirst(5)) }
        let period = "By day from \(report.range.first) to \(report.range.last)."
        func chart(_ id: StaticString, _ title: String, _ series: [LineChart.Series], _ format: @escaping (Double) -> String) -> ViewValue {
            .html(LineChart(id: id, title: title, description: period, labels: labels, series: series, format: format).html)
        }
        func latency(_ name: String, _ share: Double) -> LineChart.Series {
            LineChart.Series(name: name, values: report.days.map { $0.requests.latency(percentile: share).map { min($0, 1000) } })
        }
        return [
            "moneyChart": chart(
                "money", "Revenue",
                [
                    .init(name: "through recommendations", values: report.days.map(\.activity.revenue)),
                    .init(name: "all", values: report.days.map(\.revenue)),
                ], axis),
            "clickChart": chart(
                "clicks", "Clicks per list", [.init(name: "clicks per list", values: report.days.map(\.activity.clickThrough))],
                { PageFormat.percent($0) }),
            "requestChart": chart(
                "requests", "Requests",
                [
                    .init(name: "requests", values: report.days.map { Double($0.requests.requests) }),
                    .init(
                        name: "refused or failed", values: report.days.map { Double($0.requests.clientErrors + $0.requests.serverErrors) }),
                ], axis),
            "latencyChart": chart(
                "latency", "Latency in milliseconds",
                [latency("half", 0.5), latency("95 of 100", 0.95), latency("99 of 100", 0.99)],
                axis),
            "eventChart": chart(
                "events", "Events",
                report.events.prefix(4).map { event in .init(name: event.type, values: event.counts.map { Double($0) }) },
                axis),
        ]
    }

    /// A round number as short as it can be.
    private static func axis(_ value: Double) -> String {
        PageFormat.decimal(value, places: value == value.rounded() ? 0 : value * 10 == (value * 10).rounded() ? 1 : 2)
    }

    private static func row(_ day: MetricsReport.Day, _ format: PageFormat) -> ViewModel {
        let model: ViewModel = [
            "day": .text(day.day), "requests": .text(PageFormat.number(day.requests.requests)),
            "errors": .text(PageFormat.number(day.requests.clientErrors + day.requests.serverErrors)),
            "p95": .text(milliseconds(day.requests.latency(percentile: 0.95))), "count": .text(PageFormat.number(day.events)),
            "revenue": .text(format.money(day.revenue)),
        ]
        return model.merging(activity(day.activity, format))
    }

    private static func named(_ entry: MetricsReport.Named, _ none: String, _ format: PageFormat) -> ViewModel {
        let model: ViewModel = ["name": .text(entry.name ?? none)]
        return model.merging(activity(entry.activity, format))
    }

    private static func activity(_ activity: MetricsReport.Activity, _ format: PageFormat) -> ViewModel {
        [
            "lists": .text(PageFormat.number(activity.lists)), "clicks": .text(PageFormat.number(activity.clicks)),
            "clickThrough": .text(activity.clickThrough.map { PageFormat.percent($0) } ?? "–"),
            "purchases": .text(PageFormat.number(activity.purchases)), "through": .text(format.money(activity.revenue)),
        ]
    }

    private static func operation(_ entry: MetricsReport.Operation) -> ViewModel {
        [
            "operation": .text(entry.operation), "target": .text(entry.target.isEmpty ? "–" : entry.target),
            "requests": .text(PageFormat.number(entry.figures.requests)), "refused": .text(PageFormat.number(entry.figures.clientErrors)),
            "failed": .text(PageFormat.number(entry.figures.serverErrors)),
            "p50": .text(milliseconds(entry.figures.latency(percentile: 0.5))),
            "p95": .text(milliseconds(entry.figures.latency(percentile: 0.95))),
            "p99": .text(milliseconds(entry.figures.latency(percentile: 0.99))),
        ]
    }

    /// Beyond the last bucket only that it took longer is known.
    private static func milliseconds(_ value: Double?) -> String {
        guard let value else { return "–" }
        return value.isFinite ? PageFormat.decimal(value, places: value < 10 ? 1 : 0) + " ms" : "over 1 s"
    }
}
