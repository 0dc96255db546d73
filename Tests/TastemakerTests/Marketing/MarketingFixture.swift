import Foundation
import JSON
import Postgres
import Statistics
import Support

@testable import Tastemaker

/// A shop in Berlin that sells in euros, with placements, items and short ways to what visitors do.
struct MarketingFixture {
    let database: TestDatabase
    let clock: TestClock
    let environment: Environment
    let caller = Caller(.account(login: "ada", role: .marketer))
    let group: DatasetGroup

    init(at time: PGTimestamp = PGTimestamp(seconds: 1_790_000_000)) throws {
        database = try TestDatabase.make()
        clock = TestClock(time)
        environment = try Environment.test(database, clock: clock)
        let made = try environment.createDatasetGroup(CreateDatasetGroupInput(name: "shop"), by: .system)
        try environment.updateDatasetGroupDisplay(
            id: made.id, columns: DisplayColumns(title: "TITLE", category: "CATEGORY", brand: "BRAND"), timeZone: "Europe/Berlin",
            currency: "EUR", by: .system)
        group = try environment.describeDatasetGroup(id: made.id, by: .system)
        _ = try environment.createSchema(CreateSchemaInput(name: "interactions", body: ControlFixture.interactions), by: .system)
        _ = try environment.createDataset(
            CreateDatasetInput(
                name: "events", schemaARN: arn("schema/interactions"), datasetGroupARN: arn("dataset-group/shop"),
                datasetType: "Interactions"),
            by: .system)
        try environment.prepareInteractionPart(datasetGroupID: group.id)
        try environment.createDefaultPlacements(datasetGroupID: group.id, by: caller)
        try addItems()
    }

    func arn(_ resource: String) -> String { "arn:aws:personalize:us-east-1:123456789012:\(resource)" }

    /// Items `i0` to `i19`: even ones are shoes, odd ones hats.
    private func addItems() throws {
        let ids = (0..<20).map { "i\($0)" }
        let attributes = ids.indices.map { #"{"TITLE": "Item \#($0)", "CATEGORY": "\#($0.isMultiple(of: 2) ? "Shoes" : "Hats")"}"# }
        try environment.change { connection in
            _ = try connection.execute(
                """
                INSERT INTO item_record (dataset_group_id, item_id, is_bulk, revision, attributes)
                SELECT \(group.id), i, true, 1, a::jsonb
                FROM unnest((SELECT intern_items(\(group.id), \(ids))), \(attributes)) AS r(i, a)
                """)
        }
    }

    func time(days: Double) -> PGTimestamp { PGTimestamp(microseconds: clock.now.microseconds + Int64(days * 86_400e6)) }

    // MARK: What visitors do

    func event(
        _ visitor: String, _ type: String, at time: PGTimestamp, item: String? = "i1", order: String? = nil, amount: String? = nil,
        currency: String? = nil, recommendation: String? = nil
    ) -> NewEvent {
        var event = NewEvent(
            datasetGroupID: group.id, source: .tracker, userID: visitor, visitorID: visitor, eventType: type, occurredAt: time)
        event.clientID = UUID().uuidString
        event.itemID = item
        event.orderID = order
        event.amount = amount
        event.currency = currency
        event.recommendationID = recommendation
        return event
    }

    func store(_ events: [NewEvent]) throws {
        for start in stride(from: 0, to: events.count, by: 500) {
            let outcomes = try environment.change { try environment.storeEvents(Array(events[start..<min(start + 500, events.count)]), $0) }
            precondition(outcomes.allSatisfy { $0 == .accepted })
        }
    }

    struct Shown {
        var visitor: String
        var at: PGTimestamp
        var placement = "home-for-you"
        var arm: Int32 = 0
        var live: [Int32] = []
        var held: [Int32] = []
    }

    /// Records lists as serving does; answers their recommendation ids.
    func show(_ lists: [Shown]) throws -> [String] {
        let placements = try environment.listPlacements(datasetGroupID: group.id, by: caller)
        var texts: [String] = []
        try environment.change { connection in
            for (index, list) in lists.enumerated() {
                let placement = placements.first { $0.name == list.placement }?.id ?? 0
                let id = RecommendationID(at: list.at, placementID: placement, armID: list.arm, random: UInt32(index))
                try connection.execute(
                    """
                    INSERT INTO shown (key, dataset_group_id, shown_at, placement_id, arm_id, visitor_id, rung, items, live_promotions, held_promotions)
                    SELECT \(id.key), \(group.id), \(list.at), \(placement), nullif(\(list.arm), 0), u, 'model', ARRAY[1, 2], \(list.live), \(list.held)
                    FROM unnest(intern_users(\(group.id), \([list.visitor]))) AS u
                    """)
                try ActivityMarks.add(group.id, since: list.at, connection)
                texts.append(id.text(key: environment.sealer.derivedKey("recommendation-id")))
            }
        }
        return texts
    }

    /// Exposures as serving stores them.
    func expose(_ experiment: Experiment, _ units: [(unit: String, arm: Int, at: PGTimestamp)]) throws {
        let arms = units.map { experiment.arms[$0.arm].id }
        _ = try environment.change { connection in
            try ActivityMarks.addAll(group.id, connection)
            return try connection.execute(
                """
                INSERT INTO exposure (experiment_id, unit_id, arm_id, exposed_at)
                SELECT \(experiment.id), u, a, t
                FROM unnest((SELECT intern_users(\(group.id), \(units.map(\.unit)))), \(arms), \(units.map(\.at))) AS x(u, a, t)
                """)
        }
    }

    // MARK: Short ways

    func promotion(_ definition: PromotionDefinition, name: String = "Sale") throws -> Promotion {
        try environment.createPromotion(name: name, definition, datasetGroupID: group.id, by: caller)
    }

    func experimentInput(
        _ metric: Experiment.PrimaryMetric = .revenue, days: Double = 14, name: String = "Test", arms: [ExperimentInput.Arm]? = nil
    ) -> ExperimentInput {
        ExperimentInput(
            name: name, placement: "home-for-you", primaryMetric: metric, plannedEndAt: time(days: days),
            arms: arms ?? [.init(name: "Control"), .init(name: "New")])
    }

    func runningExperiment(_ metric: Experiment.PrimaryMetric = .revenue, days: Double = 14) throws -> Experiment {
        let draft = try environment.createExperiment(experimentInput(metric, days: days), datasetGroupID: group.id, by: caller)
        return try environment.startExperiment(draft.id, by: caller)
    }

    func count(_ sql: SQL) throws -> Int64 { try environment.read { try $0.query(sql).first?.int64(0) ?? -1 } }
}

/// SplitMix64: the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
