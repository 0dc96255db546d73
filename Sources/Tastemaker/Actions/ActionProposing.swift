import FilterLanguage
import JSON
import Postgres
import Ranking

/// A model of actions that serves.
struct ServedActions: Sendable {
    let versionID: Int32
    let model: ActionModel
}

extension RecommendationService {
    /// Proposes actions from a campaign of aws-next-best-action. The point read brings the user's newest responses and interactions, so
    /// that what was stored before the request acts in it.
    public func proposeActions(_ request: ActionRequest, by caller: Caller) throws(OperationError) -> ActionAnswer {
        try counted {
            count(request, status: $0, microseconds: $1)
        } answer: {
            try answer(request, caller)
        }
    }

    private func count(_ request: ActionRequest, status: Int, microseconds: Int) {
        guard !request.isPreview else { return }
        let group = groups.knownGroup(ofCampaign: request.campaign)
        requests.count(
            datasetGroupID: group ?? 0, operation: "GetActionRecommendations", target: group == nil ? "" : request.campaign,
            status: status, microseconds: microseconds)
    }

    /// The campaign is looked for afresh once: its name may have moved to another group.
    private func answer(_ request: ActionRequest, _ caller: Caller) throws -> ActionAnswer {
        let arn = environment.arn(.campaign, request.campaign, for: caller)
        for afresh in [false, true] {
            guard let groupID = try groups.group(ofCampaign: request.campaign, afresh: afresh) else { continue }
            try caller.require(datasetGroup: groupID, resource: arn)
            guard let proposing = try begin(request, groupID), let campaign = proposing.group.campaign(named: request.campaign) else {
                continue
            }
            let proposals = try proposing.proposals(campaign, arn: arn)
            let id = RecommendationID(at: proposing.time, campaignID: campaign.id, random: proposing.random)
            return ActionAnswer(
                recommendationID: id.text(key: idKey),
                actions: proposals.compactMap { proposal in
                    proposing.catalogue.keys.text(proposal.action).map { .init(actionID: $0, score: proposal.score) }
                }, periodDays: campaign.actions?.model.properties["action_optimization_period"].flatMap { Int($0) } ?? 0,
                isDegraded: proposing.reading == nil)
        }
        throw OperationError.notFound("Resource \(arn) not found.")
    }

    /// The point read, and snapshots that are as new as it, or what is known while the database does not answer; nil for a group that is
    /// gone.
    private func begin(_ request: ActionRequest, _ groupID: Int32) throws -> ActionProposing? {
        let entry = groups.entry(groupID)
        var reading: VisitorReading?
        var state: GroupEntry.State?
        do {
            reading = try reader.read(groupID: groupID, userID: request.userID, anonymousID: nil, withActions: true)
            guard let reading else { return nil }
            state = try entry.state(atLeast: reading.revision, groups.loader)
        } catch {
            guard let known = entry.state else { throw error }
            state = known
        }
        guard let state else { return nil }
        let catalogue = try entry.actions.catalogue(
            groupID, schema: state.group.actionSchema, atLeast: reading?.revision.actions, environment)
        return ActionProposing(
            request: request, group: state.group, catalogue: catalogue, reading: reading, time: environment.now(),
            random: .random(in: 0..<1 << 21))
    }
}

/// One request for actions on its way.
private struct ActionProposing {
    let request: ActionRequest
    let group: GroupSnapshot
    let catalogue: ActionCatalogue
    /// Nil: the database did not answer in time.
    let reading: VisitorReading?
    let time: PGTimestamp
    /// Decides on exploration; carried in the recommendation id, 21 bits.
    let random: UInt32

    func proposals(_ campaign: ServedCampaign, arn: String) throws(OperationError) -> [ActionModel.Proposal] {
        guard campaign.serves else {
            throw .invalidInput("The campaign \(arn) is in status \(campaign.status.rawValue) and cannot answer.", field: "campaignArn")
        }
        guard campaign.recipe.description.proposesActions else {
            throw .invalidInput(
                "The campaign's recipe \(campaign.recipe.rawValue) proposes no actions. Use GetRecommendations.", field: "campaignArn")
        }
        if let count = request.count { try Check.range(count, 0...ActionRequest.countLimit, field: "numResults") }
        let allowed = try allowed()
        guard let served = campaign.actions else {
            throw .unavailable("The model of the campaign \(campaign.name) cannot be read (\(campaign.modelFailure ?? "no version")).")
        }
        let record = reading?.attributes.flatMap { try? JSONValue(parsing: $0) }
        let user = ActionUser(
            responses: (reading?.responses ?? []).compactMap { event in
                ActionData.Response(rawValue: event.eventType).map { (event.item, $0, Int64(event.seconds)) }
            }, visits: (reading?.history ?? []).map { Int64($0.seconds) },
            attributes: served.model.usesAttributes ? record?.attributeTexts ?? [:] : [:])
        return served.model.propose(
            for: user, from: catalogue.shelf(served), at: time.microseconds / 1_000_000,
            count: request.count.flatMap { $0 == 0 ? nil : $0 } ?? ActionRequest.defaultCount,
            explorationWeight: campaign.config.explorationWeight ?? Exploration.defaultWeight, draw: Double(random) / Double(1 << 21)
        ) { action in
            allowed.map { action >= 0 && Int(action) < $0.count && $0[Int(action)] } ?? true
        }
    }

    /// Rows that the filter lets pass; nil without one.
    private func allowed() throws(OperationError) -> RowBitmap? {
        guard let use = request.filter else { return nil }
        let (filter, values) = try RequestPlan.filter(use, group, target: .action)
        guard let checked = filter.checked else {
            throw .invalidInput("The filter \(filter.name) no longer fits the dataset group: \(filter.failure ?? "")", field: "filterArn")
        }
        let user =
            checked.expression.usesCurrentUser ? FilterUser(record: reading?.attributes.flatMap { try? JSONValue(parsing: $0) }) : nil
        do throws(FilterError) {
            return try catalogue.prepared(checked, id: filter.id).evaluate(values: values, user: user, interacted: responded)
        } catch {
            throw .invalidInput("The filter \(filter.name) cannot be applied: \(error.message)", field: "filterValues")
        }
    }

    private func responded(_ selection: EventTypeSelection) -> [Int32] {
        let wanted = ActionData.Response.allCases.map { selection.contains($0.name) }
        return (reading?.responses ?? []).compactMap { event in
            Int(event.eventType) < wanted.count && wanted[Int(event.eventType)] ? event.item : nil
        }
    }
}
