import Web

extension RequestObserver {
    /// Counts every answered request in the process's cells and writes it to the log.
    static func counting(_ metrics: Metrics) -> RequestObserver {
        let log = AccessLog()
        return RequestObserver { record in
            metrics.increment("tastemaker_http_requests_total", [("route", record.route), ("code", String(record.status))])
            metrics.observe(Double(record.microseconds) / 1e6, "tastemaker_request_duration_seconds", [("operation", record.route)])
            log.write(record)
        }
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
