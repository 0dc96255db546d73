import Web

extension RequestObserver {
    /// Counts every answered request in the process's cells and writes it to the log.
    static func counting(_ metrics: Metrics, threads: Int) -> RequestObserver {
        let log = AccessLog(threads: threads)
        return RequestObserver(tick: log.flush) { thread in
            var series: [String: RouteSeries] = [:]
            return { record in
                let known = series[record.route] ?? RouteSeries(metrics, record.route)
                if series[record.route] == nil, series.count < 500 { series[record.route] = known }
                known.count(record, metrics)
                log.write(record, thread: thread)
            }
        }
    }
}

/// The cells of one route, looked up once by each thread.
private struct RouteSeries {
    private let route: String
    private let succeeded: Metrics.Counter
    private let duration: Metrics.Histogram?

    init(_ metrics: Metrics, _ route: String) {
        self.route = route
        succeeded = metrics.counter("tastemaker_http_requests_total", [("route", route), ("code", "200")])
        duration = metrics.histogram("tastemaker_request_duration_seconds", [("operation", route)])
    }

    func count(_ record: RequestObserver.Record, _ metrics: Metrics) {
        if record.status == 200 {
            succeeded.add()
        } else {
            metrics.increment("tastemaker_http_requests_total", [("route", route), ("code", String(record.status))])
        }
        duration?.observe(Double(record.microseconds) / 1e6)
    }
}

extension Metrics {
    /// The families of the product, in the run folder so that all workers' cells are summed.
    static func product(_ settings: LaunchSettings) -> Metrics {
        Metrics(
            folder: settings.runFolder + "/metrics",
            families: [
                MetricFamily("tastemaker_http_requests_total", .counter, help: "Requests answered, by route and status."),
                MetricFamily(
                    "tastemaker_request_duration_seconds", .histogram(bounds: MetricFamily.requestBounds),
                    help: "Time to answer, by operation."),
                MetricFamily("tastemaker_events_ingested_total", .counter, help: "Events stored, by source."),
                MetricFamily("tastemaker_events_rejected_total", .counter, help: "Events refused, by source and reason."),
                MetricFamily("tastemaker_recommendations_total", .counter, help: "Recommendations answered, by campaign and recipe."),
                MetricFamily("tastemaker_empty_recommendations_total", .counter, help: "Recommendations without an item, by campaign."),
                MetricFamily("tastemaker_shown_dropped_total", .counter, help: "Shown lists that were not recorded: the queue was full."),
            ])
    }
}
