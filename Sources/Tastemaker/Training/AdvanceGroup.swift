import JSON
import Postgres
import Ranking

/// Brings a group's automatic placements up the ladder: a solution when the data suffices, its first training, a campaign that follows
/// the newest version, and the campaign on the placement. Retraining is then the solution's own daily schedule.
enum AdvanceGroup {
    static let rule = JobRule(timeout: 600) { environment, context in
        guard let id = context.payload["datasetGroupID"]?.intValue else { throw JobFailure("The job names no dataset group.") }
        let group: DatasetGroup
        let placements: [LadderQueries.Waiting]
        do {
            (group, placements) = try environment.read { connection in
                guard let group = try DatasetGroupQueries.find(id: Int32(id), connection) else {
                    throw ResourceARN.notFound("dataset-group/\(id)")
                }
                return (group, try LadderQueries.waiting(group.id, connection))
            }
        } catch OperationError.notFound { return }
        let purposes = Set(placements.map(\.purpose)).sorted()
        for purpose in purposes {
            try context.checkInterruption()
            guard let goal = LadderGoal(purpose: purpose, in: group) else { continue }
            try environment.advance(group, to: goal)
        }
    }
}

/// What fills placements of one purpose.
struct LadderGoal {
    let purpose: String
    let recipe: RecipeName
    let eventType: String?
    /// Of the solution and of the campaign.
    let name: String

    init?(purpose: String, in group: DatasetGroup) {
        switch purpose {
        case "for-you": (recipe, eventType) = (.userPersonalization, nil)
        case "similar": (recipe, eventType) = (.sims, nil)
        case "bought-together": (recipe, eventType) = (.sims, "Purchase")
        case "popular": (recipe, eventType) = (.popularityCount, nil)
        default: return nil
        }
        self.purpose = purpose
        // The id keeps two groups apart whose names begin alike.
        name = "\(String(decoding: group.name.utf8.prefix(30), as: UTF8.self))-\(group.id)-\(purpose)"
    }
}

/// How far a group is from its first model.
public struct LadderProgress: Sendable, Equatable {
    public let interactions: Int64
    public let usersWithTwo: Int64
    public static let interactionsNeeded: Int64 = 1000
    public static let usersNeeded: Int64 = 25

    public var isEnough: Bool { interactions >= Self.interactionsNeeded && usersWithTwo >= Self.usersNeeded }

    /// What is missing, as people read it; nil when nothing is.
    public var missing: String? {
        if interactions < Self.interactionsNeeded { return "\(interactions) of \(Self.interactionsNeeded) interactions" }
        if usersWithTwo < Self.usersNeeded { return "\(usersWithTwo) of \(Self.usersNeeded) users with two interactions" }
        return nil
    }
}

extension Environment {
    /// How far the group is from a model, of one event type or of all.
    public func ladderProgress(datasetGroupID: Int32, eventType: String? = nil, by caller: Caller) throws(OperationError) -> LadderProgress
    {
        try read { connection in
            try caller.require(datasetGroup: datasetGroupID, resource: "dataset-group/\(datasetGroupID)")
            return try LadderQueries.progress(datasetGroupID, eventType: eventType, connection)
        }
    }

    /// One step: the next job that ends, or the next hour, brings the following one.
    func advance(_ group: DatasetGroup, to goal: LadderGoal) throws {
        let solution: Solution
        if let existing = try read({ try SolutionQueries.find(name: goal.name, $0) }) {
            solution = existing
        } else {
            guard try read({ try LadderQueries.progress(group.id, eventType: goal.eventType, $0) }).isEnough else { return }
            solution = try createLadderSolution(goal, group)
        }
        if let version = try read({ try latestActiveVersion(of: solution, $0) }) {
            try deploy(goal, solution, version, group)
        } else {
            try transact { connection in
                // A first training that failed is tried again on the solution's schedule, not at once.
                guard try SolutionVersionQueries.latest(of: solution.id, onlyActive: false, connection) == nil else { return }
                _ = try startTraining(of: solution, mode: "AUTOTRAIN", type: .automatic, connection)
            }
        }
    }

    private func createLadderSolution(_ goal: LadderGoal, _ group: DatasetGroup) throws -> Solution {
        var input = CreateSolutionInput(
            name: goal.name, datasetGroupARN: arn(.datasetGroup, group.name, for: .system),
            recipeARN: arn(.recipe, goal.recipe.rawValue, for: .system),
            config: ["autoTrainingConfig": ["schedulingExpression": "rate(1 day)"]])
        input.eventType = goal.eventType
        return try createSolution(input, by: .system)
    }

    private func deploy(_ goal: LadderGoal, _ solution: Solution, _ version: SolutionVersion, _ group: DatasetGroup) throws {
        let campaign: Campaign
        if let existing = try read({ try CampaignQueries.find(name: goal.name, $0) }) {
            campaign = existing
        } else {
            campaign = try createCampaign(
                CreateCampaignInput(
                    name: goal.name, solutionVersionARN: arn(.solution, "\(solution.name)/$LATEST", for: .system),
                    config: ["syncWithLatestSolutionVersion": true]),
                by: .system)
        }
        try transact { connection in
            for placement in try LadderQueries.waiting(group.id, connection) where placement.purpose == goal.purpose {
                guard try LadderQueries.deploy(campaign.id, on: placement.id, at: now(), connection) else { continue }
                try audit(
                    connection, .system, "DeployOnPlacement", resource: "placement/\(placement.name)", datasetGroupID: group.id,
                    parameters: ["campaign": .string(campaign.name), "solutionVersion": .string(version.path)])
            }
            try bumpResources(connection, datasetGroupID: group.id)
        }
    }
}

enum LadderQueries {
    /// An automatic placement without a campaign.
    struct Waiting {
        let id: Int32
        let name: String
        let purpose: String
    }

    static func waiting(_ groupID: Int32, _ connection: Connection) throws -> [Waiting] {
        try connection.query(
            """
            SELECT id, name, purpose FROM placement WHERE dataset_group_id = \(groupID) AND is_automatic AND campaign_id IS NULL ORDER BY id
            """
        ).map { Waiting(id: try $0.int32(0), name: try $0.string(1), purpose: try $0.string(2)) }
    }

    static func deploy(_ campaignID: Int32, on placementID: Int32, at now: PGTimestamp, _ connection: Connection) throws -> Bool {
        try connection.execute(
            """
            UPDATE placement SET campaign_id = \(campaignID), updated_at = \(now)
            WHERE id = \(placementID) AND is_automatic AND campaign_id IS NULL
            """) == 1
    }

    static func progress(_ groupID: Int32, eventType: String?, _ connection: Connection) throws -> LadderProgress {
        let rows = try connection.query(
            """
            SELECT coalesce(sum(n), 0)::bigint, count(*) FILTER (WHERE n >= 2) FROM (
                SELECT i.user_id, count(DISTINCT (i.item_id, i.event_type, i.occurred_at)) AS n
                FROM interaction i
                WHERE i.dataset_id = (SELECT id FROM dataset WHERE dataset_group_id = \(groupID) AND type = 'INTERACTIONS')
                  AND i.item_id IS NOT NULL
                  AND (\(eventType)::text IS NULL OR i.event_type IN (
                      SELECT id FROM event_type WHERE dataset_group_id = \(groupID) AND lower(name) = lower(\(eventType))))
                GROUP BY i.user_id) AS users
            """)
        guard let row = rows.first else { return LadderProgress(interactions: 0, usersWithTwo: 0) }
        return LadderProgress(interactions: try row.int64(0), usersWithTwo: try row.int64(1))
    }
}
