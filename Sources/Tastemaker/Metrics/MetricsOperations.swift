import Postgres

extension Environment {
    /// Requests, events, click-through and revenue of a dataset group by day, placement and campaign.
    public func metrics(datasetGroupID: Int32, _ range: MetricsRange, by caller: Caller) throws(OperationError) -> MetricsReport {
        try caller.require(datasetGroup: datasetGroupID, resource: "dataset-group/\(datasetGroupID)")
        settleCountsIfIdle(datasetGroupID: datasetGroupID)
        return try readReport { connection in
            let group = try datasetGroup(id: datasetGroupID, connection)
            let bounds = try MetricsQueries.bounds(range, timeZone: group.timeZone, connection)
            let scope = MetricsQueries.Scope(group: group, from: bounds.from, to: bounds.to)
            var sheet = MetricsSheet(range)
            for row in try MetricsQueries.requests(scope, connection) { sheet.add(row) }
            for row in try MetricsQueries.counts(scope, connection) { sheet.add(row) }
            let placements = try placements(ofGroup: group.id, connection)
            return sheet.report(
                group, placements: Dictionary(placements.map { ($0.id, $0.name) }) { first, _ in first },
                campaigns: try MetricsQueries.campaignNames(group.id, connection))
        }
    }

    /// The day that it is in the group's zone.
    public func today(in group: DatasetGroup) -> String { LocalTime(zoneName: group.timeZone).machineDay(now()) }
}

/// Sums rows of many queries up by day, placement and campaign.
private struct MetricsSheet {
    private let range: MetricsRange
    private let dayNames: [String]
    private let positions: [String: Int]
    private var days: [MetricsReport.Day]
    private var events: [String: [Int]] = [:]
    private var operations: [String: MetricsReport.Operation] = [:]
    private var placements: [Int32?: MetricsReport.Activity] = [:]
    private var campaigns: [Int32?: MetricsReport.Activity] = [:]

    init(_ range: MetricsRange) {
        self.range = range
        dayNames = range.days
        positions = Dictionary(dayNames.enumerated().map { ($1, $0) }) { first, _ in first }
        days = dayNames.map { MetricsReport.Day(day: $0) }
    }

    mutating func add(_ row: MetricsQueries.Requests) {
        guard let position = positions[row.day] else { return }
        days[position].requests += row.figures
        var figures = operations[row.operation + " " + row.target]?.figures ?? RequestFigures()
        figures += row.figures
        operations[row.operation + " " + row.target] = MetricsReport.Operation(
            operation: row.operation, target: row.target, figures: figures)
    }

    mutating func add(_ counts: MetricsQueries.Counts) {
        guard let position = positions[counts.day] else { return }
        if let type = counts.eventType {
            days[position].events += counts.events
            events[type, default: [Int](repeating: 0, count: days.count)][position] += counts.events
        }
        days[position].revenue += counts.revenue
        days[position].foreignAmounts += counts.foreignAmounts
        guard counts.activity != .init() else { return }
        days[position].activity += counts.activity
        placements[counts.placementID, default: .init()] += counts.activity
        campaigns[counts.campaignID, default: .init()] += counts.activity
    }

    func report(_ group: DatasetGroup, placements names: [Int32: String], campaigns campaignNames: [Int32: String]) -> MetricsReport {
        func named(_ activities: [Int32?: MetricsReport.Activity], _ names: [Int32: String]) -> [MetricsReport.Named] {
            activities.map { id, activity in
                MetricsReport.Named(name: id.map { names[$0] ?? "deleted" }, activity: activity)
            }.sorted { ($1.activity.lists, $0.name ?? "") < ($0.activity.lists, $1.name ?? "") }
        }
        return MetricsReport(
            range: range, days: days,
            events: events.map { MetricsReport.EventCount(type: $0, counts: $1) }.sorted { ($1.total, $0.type) < ($0.total, $1.type) },
            placements: named(placements, names), campaigns: named(campaigns, campaignNames),
            operations: operations.values.sorted {
                ($1.figures.requests, $0.operation, $0.target) < ($0.figures.requests, $1.operation, $1.target)
            },
            currency: group.currency, timeZone: group.timeZone)
    }
}
