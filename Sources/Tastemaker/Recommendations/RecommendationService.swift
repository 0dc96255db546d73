import Logging
import Postgres
import Ranking
import Locks

/// Answers recommendations from snapshots of resources, catalogue and models, and one point read of the visitor's history.
///
/// The history read also returns the group's revisions; whoever is behind catches up before the answer. So what was stored before the
/// request, in whatever process, acts in it.
public final class RecommendationService: Sendable {
    /// Requests by operation and target, flushed to the database every few seconds.
    public let requests: RequestCounters
    let environment: Environment
    let groups: GroupCache
    let reader: VisitorReader
    private let shown: ShownWriter
    private let exposures: ExposureWriter
    private let listener: ChangeListener
    private let scratches = ScratchPool()
    let idKey: [UInt8]
    private let isStarted = Lock(false)

    /// - Parameter historyMilliseconds: the time box of the history read; beyond it the answer is made without history and says so.
    public init(environment: Environment, historyMilliseconds: Int = 250) {
        self.environment = environment
        groups = GroupCache(environment)
        reader = VisitorReader(environment, milliseconds: historyMilliseconds)
        shown = ShownWriter(environment: environment)
        exposures = ExposureWriter(environment: environment)
        listener = ChangeListener(environment, groups)
        requests = RequestCounters(environment: environment)
        idKey = environment.sealer.derivedKey("recommendation-id")
    }

    deinit {
        listener.close()
        requests.close()
        shown.close(within: 0)
    }

    /// Stores what waits; for an orderly end of the process.
    public func close() {
        listener.close()
        exposures.close()
        shown.close()
        requests.close()
        requests.flush()
    }

    /// Lists that were answered but could not be logged.
    public var droppedListCount: Int { shown.droppedCount }

    public func recommend(_ request: RecommendationRequest, by caller: Caller) throws(OperationError) -> RecommendationAnswer {
        try counted {
            count(request, status: $0, microseconds: $1)
        } answer: {
            try make(request, caller)
        }
    }

    /// Answers, and tells `count` the status and how many microseconds it took.
    func counted<Answer>(_ count: (Int, Int) -> Void, answer: () throws -> Answer) throws(OperationError) -> Answer {
        startListening()
        let started = ContinuousClock.now
        func spent() -> Int { Int((ContinuousClock.now - started) / .microseconds(1)) }
        do {
            let answer = try answer()
            count(200, spent())
            return answer
        } catch {
            let error = OperationError(error)
            count(error.metricStatus, spent())
            throw error
        }
    }

    /// Whether this process can answer: the database, or snapshots from before.
    public func isReady() -> Bool {
        if !groups.loaded.isEmpty { return true }
        return (try? environment.read { try $0.query("SELECT 1").count }) == 1
    }

    private func count(_ request: RecommendationRequest, status: Int, microseconds: Int) {
        guard request.previewAt == nil else { return }
        switch request.target {
        case .placement(let name, let groupID):
            // An unknown name is not kept: anybody could make up a million.
            let known = groups.entry(groupID).state?.group.placement(named: name) != nil
            requests.count(
                datasetGroupID: groupID, operation: "PlacementRecommendations", target: known ? name : "", status: status,
                microseconds: microseconds)
        case .campaign, .recommender:
            let name = request.target.servedName ?? ""
            let group = groups.knownGroup(ofCampaign: name)
            requests.count(
                datasetGroupID: group ?? 0, operation: request.inputList == nil ? "GetRecommendations" : "GetPersonalizedRanking",
                target: group == nil ? "" : name, status: status, microseconds: microseconds)
        }
    }

    func startListening() {
        let isFirst = isStarted.withLock { started in
            defer { started = true }
            return !started
        }
        if isFirst { listener.start() }
    }

    private func make(_ request: RecommendationRequest, _ caller: Caller) throws -> RecommendationAnswer {
        switch request.target {
        case .placement(let name, let groupID):
            try caller.require(datasetGroup: groupID, resource: "placement/\(name)")
            guard var call = try begin(request, groupID) else { throw OperationError.notFound("The dataset group was not found.") }
            guard let placement = call.group.placement(named: name) else {
                throw OperationError.notFound("There is no placement '\(name)'.")
            }
            var plan = try RequestPlan(request, placement: placement, call.group)
            assign(&plan, &call)
            return try finish(&call, plan)
        case .campaign(let name), .recommender(let name):
            let isRecommender = request.target == .recommender(name: name)
            let arn = environment.arn(isRecommender ? .recommender : .campaign, name, for: caller)
            let (found, campaign) = try self.campaign(request, arn, caller)
            var call = found
            return try finish(&call, RequestPlan(request, campaign: campaign, arn: arn, call.group))
        }
    }

    /// The campaign in the group that has it now: the name may have moved since it was first heard.
    private func campaign(
        _ request: RecommendationRequest, _ arn: String, _ caller: Caller
    ) throws -> (Recommending, ServedCampaign) {
        guard let name = request.target.servedName else { throw OperationError.notFound("Resource \(arn) not found.") }
        for afresh in [false, true] {
            guard let groupID = try groups.group(ofCampaign: name, afresh: afresh) else { continue }
            try caller.require(datasetGroup: groupID, resource: arn)
            if let call = try begin(request, groupID), let campaign = call.group.campaign(named: name) { return (call, campaign) }
        }
        guard case .recommender = request.target else { throw OperationError.notFound("Resource \(arn) not found.") }
        // One that is not trained yet has nothing that serves, but a status to name.
        let status = try environment.describeRecommender(arn: arn, by: caller).status
        throw OperationError.invalidInput(
            "The recommender \(arn) is in status \(status.rawValue) and cannot answer.", field: "recommenderArn")
    }

    /// The point read, and snapshots that are as new as it; nil for a group that is gone.
    private func begin(_ request: RecommendationRequest, _ groupID: Int32) throws -> Recommending? {
        let entry = groups.entry(groupID)
        var notes: [String] = []
        var reading: VisitorReading?
        do {
            reading = try reader.read(groupID: groupID, userID: request.userID, anonymousID: request.anonymousID)
            guard reading != nil else { return nil }
        } catch {
            notes.append("The database did not answer in time: this answer knows no history.")
        }
        var state: GroupEntry.State?
        do {
            state = try catchUp(entry, request, reading)
        } catch {
            guard let known = entry.state else { throw error }
            state = known
            notes.append("The newest changes could not be loaded: this answer may not know them.")
        }
        guard let state else { return nil }
        return Recommending(
            request: request, group: state.group, catalogue: state.catalogue, popularity: entry.popularity, trends: entry.trends,
            newItems: entry.newItems, environment: environment, scratches: scratches, reading: reading,
            time: request.previewAt ?? environment.now(), random: .random(in: 0..<1 << 21),
            notes: notes, isDegraded: !notes.isEmpty)
    }

    private func catchUp(_ entry: GroupEntry, _ request: RecommendationRequest, _ reading: VisitorReading?) throws -> GroupEntry.State? {
        let loader = groups.loader
        guard var state = try entry.state(atLeast: reading?.revision, loader), let reading else { return entry.state }
        // Ids and event types are made by events, which bump no revision.
        let names = (request.itemID.map { [$0] } ?? []) + (request.inputList ?? [])
        // A trend may be of an item that nobody knew a minute ago.
        let isTrend = request.target.servedName.flatMap { state.group.campaign(named: $0)?.model?.trend } != nil
        if reading.itemCount > Int32(state.catalogue.rowCount),
            isTrend || names.contains(where: { state.catalogue.keys.id($0) == nil })
        {
            state = try entry.state(atLeast: reading.revision, itemCount: reading.itemCount, loader) ?? state
        }
        if reading.history.contains(where: { Int($0.eventType) >= state.group.eventTypes.count }) {
            state = try entry.state(atLeast: reading.revision, reloads: true, loader) ?? state
        }
        return state
    }

    /// Puts the visitor into an arm of the placement's experiment. The exposure is stored before anything of the arm is shown.
    private func assign(_ plan: inout RequestPlan, _ call: inout Recommending) {
        guard call.request.previewAt == nil, let placement = plan.placement, let experiment = call.group.experiment(on: placement.id),
            let unit = call.request.anonymousID ?? call.request.userID, let arm = experiment.arm(of: unit)
        else { return }
        let exposure = NewExposure(
            experimentID: experiment.id, armID: arm.id, datasetGroupID: call.group.id, unit: unit, at: call.time)
        let unitID = call.request.anonymousID == nil ? call.reading?.userID : call.reading?.anonymousID
        guard exposures.store(exposure, unitID: unitID, reading: call.reading != nil) else {
            plan.isForcedToFallBack = true
            call.isDegraded = true
            call.notes.append("The experiment '\(experiment.name)' could not note this visitor, who stays outside.")
            return
        }
        plan.use(arm, of: experiment, call.group)
    }

    private func finish(_ call: inout Recommending, _ plan: RequestPlan) throws -> RecommendationAnswer {
        let rules = call.liveRules(plan)
        let choice = try call.choose(plan, rules)
        let isModel = choice.rung == .model
        let hasScores = isModel && (plan.campaign?.recipe.description.returnsScores ?? false)
        let id = RecommendationID(
            at: call.time, placementID: plan.placement?.id ?? 0, armID: plan.arm?.id ?? 0, campaignID: plan.campaign?.id ?? 0,
            random: call.random)
        let answer = RecommendationAnswer(
            recommendationID: id.text(key: idKey), items: call.dress(choice, plan, hasScores: hasScores), rung: choice.rung,
            isDegraded: call.isDegraded, notes: call.notes,
            assignment: plan.arm.flatMap { arm in plan.experiment.map { .init(experiment: $0.name, arm: arm.name) } },
            hasScores: hasScores, givesReasonList: plan.campaign?.isSecondVersion ?? false, currency: call.group.currency)
        if call.request.previewAt == nil { shown.add(call.record(choice, plan, key: id.key)) }
        return answer
    }
}

extension Recommending {
    /// The promotions that are live for this request.
    func liveRules(_ plan: RequestPlan) -> LiveRules {
        guard !(group.promotions.isEmpty && request.previewPromotions.isEmpty) else { return LiveRules() }
        let context = RuleContext(
            placement: plan.placement?.name, time: time, visitor: request.anonymousID ?? request.userID, attributes: attributes,
            set: plan.promotions, ignoresHoldOut: request.previewAt != nil)
        return LiveRules(promotions(), context, catalogue, group.display)
    }

    /// Published promotions, and those that a preview adds or replaces.
    private func promotions() -> [ServedPromotion] {
        guard !request.previewPromotions.isEmpty else { return group.promotions }
        var promotions = group.promotions.filter { request.previewPromotions[$0.id] == nil }
        for (id, preview) in request.previewPromotions.sorted(by: { $0.key < $1.key }) {
            let definition = preview.definition
            guard
                let schedule = try? PromotionSchedule(
                    startsAt: definition.startsAt, endsAt: definition.endsAt, timeZone: group.timeZone)
            else { continue }
            let known = group.promotions.first { $0.id == id }
            promotions.append(
                ServedPromotion(
                    id: id, name: preview.name, definition: definition, schedule: schedule,
                    holdOutSeed: known?.holdOutSeed ?? "", publishedOrder: .max))
        }
        return promotions
    }

    private var visitor: ShownList.Visitor {
        guard let name = request.anonymousID ?? request.userID else { return .nobody }
        let known = request.anonymousID == nil ? reading?.userID : reading?.anonymousID
        return known.map { .known($0) } ?? .new(name)
    }

    /// What the log keeps of the answer.
    func record(_ choice: Choice, _ plan: RequestPlan, key: Int64) -> ShownList {
        ShownList(
            key: key, datasetGroupID: group.id, at: time, placementID: plan.placement?.id, campaignID: plan.campaign?.id,
            armID: plan.arm?.id, visitor: visitor, rung: choice.rung, isDegraded: isDegraded,
            items: choice.items.map(\.candidate.item), promotions: choice.items.map { $0.promotion ?? 0 }, live: choice.rules.live,
            held: choice.rules.held, propensities: choice.propensities)
    }
}

extension RecommendationRequest.Target {
    /// The name under which a campaign is served; nil for placements, and for names that no campaign of people can have.
    var servedName: String? {
        switch self {
        case .campaign(let name): name.utf8.contains(UInt8(ascii: "/")) ? nil : name
        case .recommender(let name): ServedCampaign.name(ofRecommender: name)
        case .placement: nil
        }
    }
}

extension OperationError {
    /// The HTTP status under which a refused recommendation is counted.
    var metricStatus: Int {
        switch self {
        case .notFound: 404
        case .accessDenied: 403
        case .unavailable: 503
        default: 400
        }
    }
}
