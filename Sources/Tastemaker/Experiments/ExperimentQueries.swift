import Postgres

enum ExperimentQueries {
    private static let columns: SQL =
        """
        e.id, e.dataset_group_id, e.placement_id, p.name, p.title, e.name, e.hypothesis, e.state, e.seed, e.primary_metric, e.converting_event,
        e.window_days, e.coverage, e.started_at, e.planned_end_at, e.stopped_at, e.stop_reason, e.created_by, e.created_at
        """

    private static func decode(_ row: Row, arms: [Int32: [Experiment.Arm]]) throws -> Experiment {
        let id = try row.int32(0)
        return Experiment(
            id: id, datasetGroupID: try row.int32(1), placementID: try row.int32(2), placementName: try row.string(3),
            placementTitle: try row.string(4), name: try row.string(5), hypothesis: try row.string(6),
            state: Experiment.State(rawValue: try row.string(7)) ?? .stopped, seed: try row.string(8),
            primaryMetric: Experiment.PrimaryMetric(rawValue: try row.string(9)) ?? .conversion, convertingEvent: try row.string(10),
            windowDays: Int(try row.int16(11)), coverage: try row.double(12), startedAt: try row.optionalTimestamp(13),
            plannedEndAt: try row.timestamp(14), stoppedAt: try row.optionalTimestamp(15), stopReason: try row.optionalString(16),
            createdBy: try row.string(17), createdAt: try row.timestamp(18), arms: arms[id] ?? [])
    }

    private static func select(_ condition: SQL, _ connection: Connection) throws -> [Experiment] {
        let rows = try connection.query(
            """
            SELECT \(part: columns) FROM experiment e JOIN placement p ON p.id = e.placement_id
            WHERE \(part: condition) ORDER BY e.created_at DESC, e.id DESC
            """)
        let ids = try rows.map { try $0.int32(0) }
        let arms = try arms(of: ids, connection)
        return try rows.map { try decode($0, arms: arms) }
    }

    private static func arms(of experiments: [Int32], _ connection: Connection) throws -> [Int32: [Experiment.Arm]] {
        let rows = try connection.query(
            """
            SELECT a.experiment_id, a.id, a.name, a.weight, c.name, f.name, a.promotions, a.promotion_ids
            FROM arm a LEFT JOIN campaign c ON c.id = a.campaign_id LEFT JOIN filter f ON f.id = a.filter_id
            WHERE a.experiment_id = ANY (\(experiments)) ORDER BY a.experiment_id, a.ordinal
            """)
        var arms: [Int32: [Experiment.Arm]] = [:]
        for row in rows {
            let arm = Experiment.Arm(
                id: try row.int32(1), name: try row.string(2), weight: try row.double(3), campaignName: try row.optionalString(4),
                filterName: try row.optionalString(5), promotions: .init(kind: try row.string(6), ids: try row.int32s(7)))
            arms[try row.int32(0), default: []].append(arm)
        }
        return arms
    }

    static func find(_ id: Int32, _ connection: Connection) throws -> Experiment? { try select("e.id = \(id)", connection).first }

    static func list(datasetGroupID: Int32, _ connection: Connection) throws -> [Experiment] {
        try select("e.dataset_group_id = \(datasetGroupID)", connection)
    }

    static func list(placementID: Int32, _ connection: Connection) throws -> [Experiment] {
        try select("e.placement_id = \(placementID)", connection)
    }

    static func exists(name: String, datasetGroupID: Int32, _ connection: Connection) throws -> Bool {
        try !connection.query("SELECT 1 FROM experiment WHERE dataset_group_id = \(datasetGroupID) AND name = \(name)").isEmpty
    }

    static func insert(
        _ input: ExperimentInput, placementID: Int32, datasetGroupID: Int32, seed: String, author: String, at now: PGTimestamp,
        _ connection: Connection
    ) throws -> Int32 {
        let rows = try connection.query(
            """
            INSERT INTO experiment (
                dataset_group_id, placement_id, name, hypothesis, seed, primary_metric, converting_event, window_days, coverage,
                planned_end_at, created_by, created_at, updated_at)
            VALUES (\(datasetGroupID), \(placementID), \(input.name), \(input.hypothesis), \(seed), \(input.primaryMetric.rawValue),
                    \(input.convertingEvent), \(Int16(input.windowDays)), \(input.coverage), \(input.plannedEndAt), \(author), \(now), \(now))
            RETURNING id
            """)
        guard let row = rows.first else { throw OperationError.unavailable("The experiment was not stored.") }
        return try row.int32(0)
    }

    struct NewArm {
        let ordinal: Int16
        let input: ExperimentInput.Arm
        let campaignID: Int32?
        let filterID: Int32?
    }

    static func insertArm(_ arm: NewArm, experimentID: Int32, _ connection: Connection) throws {
        let promotions = arm.input.promotions.columns
        try connection.execute(
            """
            INSERT INTO arm (experiment_id, ordinal, name, weight, campaign_id, filter_id, promotions, promotion_ids)
            VALUES (\(experimentID), \(arm.ordinal), \(arm.input.name), \(arm.input.weight), \(arm.campaignID), \(arm.filterID),
                    \(promotions.kind), \(promotions.ids))
            """)
    }

    static func start(_ id: Int32, at now: PGTimestamp, _ connection: Connection) throws -> Bool {
        try connection.execute(
            "UPDATE experiment SET state = 'running', started_at = \(now), updated_at = \(now) WHERE id = \(id) AND state = 'draft'") == 1
    }

    static func stop(_ id: Int32, reason: String, at now: PGTimestamp, _ connection: Connection) throws -> Bool {
        try KeptOutcomeQueries.forget(.experiment, id, connection)
        return try connection.execute(
            """
            UPDATE experiment SET state = 'stopped', stopped_at = \(now), stop_reason = \(reason), updated_at = \(now)
            WHERE id = \(id) AND state = 'running'
            """) == 1
    }

    /// Running beyond their planned end.
    static func overdue(at now: PGTimestamp, _ connection: Connection) throws -> [Int32] {
        try connection.query("SELECT id FROM experiment WHERE state = 'running' AND planned_end_at <= \(now) ORDER BY id").map {
            try $0.int32(0)
        }
    }

    static func delete(_ id: Int32, _ connection: Connection) throws {
        try connection.execute("DELETE FROM exposure WHERE experiment_id = \(id)")
        try KeptOutcomeQueries.forget(.experiment, id, connection)
        try connection.execute("DELETE FROM experiment WHERE id = \(id)")
    }

    // MARK: Reports

    /// Units with the ordinal of their arm and their first exposure, as `OutcomeCount` takes them.
    static func units(of experiment: Experiment, until: PGTimestamp) -> SQL {
        """
        SELECT x.unit_id, a.ordinal::int AS side, x.exposed_at AS since
        FROM exposure x JOIN arm a ON a.id = x.arm_id
        WHERE x.experiment_id = \(experiment.id) AND x.exposed_at < \(experiment.countsUntil) AND x.exposed_at <= \(until)
        """
    }

    /// Lists shown by an arm of the experiment.
    static func lists(of experiment: Experiment) -> SQL {
        """
        SELECT visitor_id AS unit_id, key, shown_at FROM shown
        WHERE dataset_group_id = \(experiment.datasetGroupID) AND arm_id = ANY (\(experiment.arms.map(\.id)))
          AND shown_at >= \(experiment.startedAt)
        """
    }

    /// First exposures by day of the zone and ordinal of the arm.
    static func exposuresByDay(
        of experiment: Experiment, timeZone: String, until: PGTimestamp, _ connection: Connection
    ) throws -> [(day: String, arm: Int, units: Int)] {
        try connection.query(
            """
            SELECT to_char(since AT TIME ZONE \(timeZone), 'YYYY-MM-DD') AS day, side, count(*)
            FROM (\(part: units(of: experiment, until: until))) AS u GROUP BY 1, 2 ORDER BY 1, 2
            """
        ).map { (try $0.string(0), Int(try $0.int32(1)), Int(try $0.int64(2))) }
    }

    /// Visitors of a placement in a time, each with its first list there.
    static func traffic(placementID: Int32, datasetGroupID: Int32, from: PGTimestamp, to: PGTimestamp) -> SQL {
        """
        SELECT visitor_id AS unit_id, 0 AS side, min(shown_at) AS since FROM shown
        WHERE dataset_group_id = \(datasetGroupID) AND placement_id = \(placementID) AND visitor_id >= 0
          AND shown_at >= \(from) AND shown_at < \(to)
        GROUP BY visitor_id
        """
    }

    static func trafficLists(placementID: Int32, datasetGroupID: Int32, from: PGTimestamp) -> SQL {
        """
        SELECT visitor_id AS unit_id, key, shown_at FROM shown
        WHERE dataset_group_id = \(datasetGroupID) AND placement_id = \(placementID) AND visitor_id >= 0
          AND shown_at >= \(from)
        """
    }
}
