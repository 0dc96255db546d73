import JSON
import Postgres

/// What a group's snapshot is made of, one statement each.
enum GroupSnapshotQueries {
    struct Group {
        let timeZone: String
        let currency: String
        let display: DisplayColumns
        let interactionsDataset: Int32?
    }

    static func group(_ id: Int32, _ connection: Connection) throws -> Group? {
        try connection.query(
            """
            SELECT g.time_zone, g.currency, g.display_columns, d.id
            FROM dataset_group g LEFT JOIN dataset d ON d.dataset_group_id = g.id AND d.type = 'INTERACTIONS'
            WHERE g.id = \(id)
            """
        ).first.map { row in
            Group(
                timeZone: try row.string(0), currency: try row.string(1),
                display: DisplayColumns(json: (try? JSONValue(parsing: row.json(2))) ?? .null),
                interactionsDataset: try row.optionalInt32(3))
        }
    }

    static func groupOfCampaign(_ name: String, _ connection: Connection) throws -> Int32? {
        try connection.query("SELECT dataset_group_id FROM campaign WHERE name = \(name)").first?.int32(0)
    }

    static func eventTypes(_ groupID: Int32, _ connection: Connection) throws -> [String] {
        try connection.query("SELECT name FROM event_type WHERE dataset_group_id = \(groupID) ORDER BY id").map { try $0.string(0) }
    }

    struct Campaign {
        let id: Int32
        let name: String
        let status: ResourceStatus
        let recipe: String
        let config: JSONValue?
        let options: JSONValue?
        let solutionID: Int32
        let version: Version
    }

    /// A solution version's registered model file.
    struct Version {
        let id: Int32
        let modelKey: String?
        let sha256: [UInt8]?
    }

    static func campaigns(_ groupID: Int32, _ connection: Connection) throws -> [Campaign] {
        try connection.query(
            """
            SELECT c.id, c.name, c.status, coalesce(s.auto_ml_recipe, s.recipe), c.config, v.solution_id, v.id, v.model_key, v.model_sha256, c.options
            FROM campaign c JOIN solution_version v ON v.id = c.solution_version_id JOIN solution s ON s.id = v.solution_id
            WHERE c.dataset_group_id = \(groupID) ORDER BY c.id
            """
        ).map { row in
            Campaign(
                id: try row.int32(0), name: try row.string(1), status: ResourceStatus(rawValue: try row.string(2)) ?? .createFailed,
                recipe: try row.string(3), config: try row.optionalJSON(4).flatMap { try? JSONValue(parsing: $0) },
                options: try row.optionalJSON(9).flatMap { try? JSONValue(parsing: $0) }, solutionID: try row.int32(5),
                version: Version(id: try row.int32(6), modelKey: try row.optionalString(7), sha256: try row.optionalBytes(8)))
        }
    }

    /// Other versions of a solution that have a model, newest first.
    static func otherVersions(solutionID: Int32, than versionID: Int32, _ connection: Connection) throws -> [Version] {
        try connection.query(
            """
            SELECT id, model_key, model_sha256 FROM solution_version
            WHERE solution_id = \(solutionID) AND id <> \(versionID) AND status = 'ACTIVE' AND model_key IS NOT NULL
            ORDER BY created_at DESC, id DESC LIMIT 3
            """
        ).map { Version(id: try $0.int32(0), modelKey: try $0.optionalString(1), sha256: try $0.optionalBytes(2)) }
    }

    struct Filter {
        let id: Int32
        let name: String
        let status: ResourceStatus
        let expression: String
    }

    static func filters(_ groupID: Int32, _ connection: Connection) throws -> [Filter] {
        try connection.query("SELECT id, name, status, expression FROM filter WHERE dataset_group_id = \(groupID)").map { row in
            Filter(
                id: try row.int32(0), name: try row.string(1), status: ResourceStatus(rawValue: try row.string(2)) ?? .createFailed,
                expression: try row.string(3))
        }
    }

    static func placements(_ groupID: Int32, _ connection: Connection) throws -> [ServedPlacement] {
        try connection.query(
            """
            SELECT id, name, purpose, campaign_id, filter_id, item_count, fallback, is_automatic
            FROM placement WHERE dataset_group_id = \(groupID)
            """
        ).map { row in
            ServedPlacement(
                id: try row.int32(0), name: try row.string(1), purpose: .init(rawValue: try row.string(2)) ?? .forYou,
                campaignID: try row.optionalInt32(3), filterID: try row.optionalInt32(4), itemCount: try row.int(5),
                fallback: .init(rawValue: try row.string(6)) ?? .popular, isAutomatic: try row.bool(7))
        }
    }

    struct Promotion {
        let id: Int32
        let name: String
        let holdOutSeed: String
        let definition: JSONValue
        let publishedAt: PGTimestamp?
        /// The version in force is the published one; nil for a draft that a preview includes.
        let version: Int32?
    }

    /// Published promotions; drafts too, so that a preview can name them.
    static func promotions(_ groupID: Int32, _ connection: Connection) throws -> [Promotion] {
        try connection.query(
            """
            SELECT p.id, p.name, p.hold_out_seed, v.definition, v.published_at, p.published_version
            FROM promotion p JOIN promotion_version v ON v.promotion_id = p.id AND v.version = p.published_version
            WHERE p.dataset_group_id = \(groupID) AND p.archived_at IS NULL ORDER BY p.id
            """
        ).map { row in
            Promotion(
                id: try row.int32(0), name: try row.string(1), holdOutSeed: try row.string(2),
                definition: (try? JSONValue(parsing: row.json(3))) ?? .null, publishedAt: try row.optionalTimestamp(4),
                version: try row.optionalInt32(5))
        }
    }

    struct Experiment {
        let id: Int32
        let name: String
        let placementID: Int32
        let seed: String
        let coverage: Double
        var arms: [(weight: Double, arm: ServedExperiment.Arm)]
    }

    static func runningExperiments(_ groupID: Int32, _ connection: Connection) throws -> [Experiment] {
        var experiments: [Experiment] = []
        for row in try connection.query(
            """
            SELECT e.id, e.name, e.placement_id, e.seed, e.coverage, a.id, a.name, a.weight, a.campaign_id, a.filter_id, a.promotions,
                a.promotion_ids
            FROM experiment e JOIN arm a ON a.experiment_id = e.id
            WHERE e.dataset_group_id = \(groupID) AND e.state = 'running' ORDER BY e.id, a.ordinal
            """)
        {
            let id = try row.int32(0)
            if experiments.last?.id != id {
                experiments.append(
                    Experiment(
                        id: id, name: try row.string(1), placementID: try row.int32(2), seed: try row.string(3),
                        coverage: try row.double(4),
                        arms: []))
            }
            let promotions: ServedExperiment.PromotionSet =
                switch try row.string(10) {
                case "none": .none
                case "listed": .listed(Set(try row.int32s(11)))
                default: .placement
                }
            let arm = ServedExperiment.Arm(
                id: try row.int32(5), name: try row.string(6), campaignID: try row.optionalInt32(8), filterID: try row.optionalInt32(9),
                promotions: promotions)
            experiments[experiments.count - 1].arms.append((try row.double(7), arm))
        }
        return experiments
    }
}
