import FilterLanguage
import Postgres
import Ranking

/// What a request asks for, with names resolved to what the snapshot holds.
struct RequestPlan: Sendable {
    var campaign: ServedCampaign?
    var placement: ServedPlacement?
    var filters: [(filter: ServedFilter, values: FilterValues)] = []
    var count: Int
    var experiment: ServedExperiment?
    var arm: ServedExperiment.Arm?
    var promotions = ServedExperiment.PromotionSet.placement
    /// The exposure could not be stored: the visitor stays outside and gets the fallback.
    var isForcedToFallBack = false
}

extension RequestPlan {
    static let defaultCount = 25
    static let countLimit = 500
    static let metadataCountLimit = 50
    static let placementCountLimit = 100

    /// The plan of a request on a campaign.
    init(_ request: RecommendationRequest, campaign: ServedCampaign, arn: String, _ group: GroupSnapshot) throws(OperationError) {
        guard campaign.serves else {
            throw .invalidInput(
                "The \(campaign.noun) \(arn) is in status \(campaign.status.rawValue) and cannot answer.", field: "\(campaign.noun)Arn")
        }
        guard !campaign.recipe.description.proposesActions else {
            throw .invalidInput(
                "The campaign's recipe \(campaign.recipe.rawValue) proposes actions. Use GetActionRecommendations.", field: "campaignArn")
        }
        let limit = request.metadataColumns.isEmpty ? RequestPlan.countLimit : RequestPlan.metadataCountLimit
        if let inputs = request.inputList {
            try RequestPlan.checkRanking(request, inputs, campaign, limit: limit)
        } else {
            try RequestPlan.checkRecommendations(request, campaign)
        }
        if let count = request.count { try Check.range(count, 0...limit, field: "numResults") }
        if !request.metadataColumns.isEmpty, !campaign.config.enablesMetadata, !campaign.isSecondVersion {
            throw .invalidInput("Metadata is not enabled on the \(campaign.noun) \(arn).", field: "metadataColumns")
        }
        self.campaign = campaign
        count = request.inputList?.count ?? (request.count.flatMap { $0 == 0 ? nil : $0 } ?? RequestPlan.defaultCount)
        if let use = request.filter { filters = [try RequestPlan.filter(use, group)] }
    }

    /// The plan of a request on a placement, before experiments.
    init(_ request: RecommendationRequest, placement: ServedPlacement, _ group: GroupSnapshot) throws(OperationError) {
        if let count = request.count { try Check.range(count, 0...RequestPlan.placementCountLimit, field: "count") }
        self.placement = placement
        count = request.count.flatMap { $0 == 0 ? nil : $0 } ?? placement.itemCount
        campaign = placement.campaignID.flatMap { group.campaigns[$0] }
        if let use = request.filter { filters = [try RequestPlan.filter(use, group)] }
        if let id = placement.filterID, let filter = group.filters[id] { filters.append((filter, .none)) }
    }

    /// Takes what the arm says instead of what the placement says.
    mutating func use(_ arm: ServedExperiment.Arm, of experiment: ServedExperiment, _ group: GroupSnapshot) {
        self.experiment = experiment
        self.arm = arm
        promotions = arm.promotions
        if let id = arm.campaignID { campaign = group.campaigns[id] }
        if let id = arm.filterID, let filter = group.filters[id] {
            filters.removeAll { $0.filter.id == placement?.filterID }
            filters.append((filter, .none))
        }
    }

    /// - Parameter target: what the request asks for; filters of something else are refused.
    static func filter(
        _ use: RecommendationRequest.FilterUse, _ group: GroupSnapshot, target: FilterTarget = .item
    ) throws(OperationError) -> (filter: ServedFilter, values: FilterValues) {
        guard let filter = group.filter(named: use.name) else {
            throw .notFound("The filter \(use.name) was not found in the dataset group of the campaign.")
        }
        guard filter.status == .active else {
            throw .invalidInput("The filter \(use.name) is in status \(filter.status.rawValue).", field: "filterArn")
        }
        if let found = filter.checked?.expression.target, found != target {
            throw .invalidInput("The filter \(use.name) selects \(found.rawValue), not \(target.rawValue).", field: "filterArn")
        }
        do throws(FilterError) { return (filter, try FilterValues(parsing: use.values)) } catch {
            throw .invalidInput("Invalid filterValues: \(error.message)", field: "filterValues")
        }
    }

    private static func checkRanking(
        _ request: RecommendationRequest, _ inputs: [String], _ campaign: ServedCampaign, limit: Int
    ) throws(OperationError) {
        guard campaign.isRanking else {
            throw .invalidInput(
                "The campaign's recipe \(campaign.recipe.rawValue) does not rank lists. Use GetRecommendations.", field: "campaignArn")
        }
        guard !inputs.isEmpty else { throw .invalidInput("The inputList must not be empty.", field: "inputList") }
        guard inputs.count <= limit else {
            throw .invalidInput("The inputList has \(inputs.count) items; at most \(limit) are allowed.", field: "inputList")
        }
        _ = try Check.required(request.userID, field: "userId")
    }

    private static func checkRecommendations(_ request: RecommendationRequest, _ campaign: ServedCampaign) throws(OperationError) {
        let description = campaign.recipe.description
        guard !campaign.isRanking else {
            throw .invalidInput(
                "The campaign's recipe \(campaign.recipe.rawValue) only ranks lists. Use GetPersonalizedRanking.", field: "campaignArn")
        }
        // Who tries a campaign out may ask for somebody new.
        if description.needs.contains(.userId), request.userID == nil, request.previewAt == nil {
            throw .invalidInput("A userId is required for the recipe \(campaign.recipe.rawValue).", field: "userId")
        }
        if description.needs.contains(.itemId), request.itemID == nil {
            throw .invalidInput("An itemId is required for the recipe \(campaign.recipe.rawValue).", field: "itemId")
        }
    }
}
