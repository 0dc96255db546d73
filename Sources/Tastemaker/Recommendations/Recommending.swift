import FilterLanguage
import JSON
import Postgres
import Ranking

/// One request on its way: the snapshots that it sees, who asks, and what was said on the way.
struct Recommending {
    let request: RecommendationRequest
    let group: GroupSnapshot
    let catalogue: CatalogueSnapshot
    let popularity: PopularityCache
    let trends: TrendCache
    let newItems: NewItemCache
    let environment: Environment
    let scratches: ScratchPool
    /// Nil: the database did not answer in time.
    let reading: VisitorReading?
    let time: PGTimestamp
    /// Seeds every random choice; carried in the recommendation id.
    let random: UInt32
    var notes: [String] = []
    var isDegraded = false

    /// What was chosen, before it is dressed.
    struct Choice {
        var items: [ChosenItem]
        var rung: RecommendationAnswer.Rung
        var rules = LiveRules()
        /// Parallel to the items: how probable it was that each place shows what it shows; nil when nothing was left to chance.
        var propensities: [Float]?
    }

    struct ChosenItem {
        var candidate: Candidate
        var promotion: Int32?
        /// Placed by the promotion of the request itself.
        var isRequestPromoted = false
        /// Place, from 0, that it would have without the campaign's re-ranking; nil where that is the same.
        var movedFrom: Int?
    }

    var history: [RecentEvent] { reading?.history ?? [] }

    /// The user's record, read when something asks for it.
    func attributes() -> JSONValue? { reading?.attributes.flatMap { try? JSONValue(parsing: $0) } }

    func itemID() -> Int32? { request.itemID.flatMap { catalogue.keys.id($0) } }

    mutating func choose(_ plan: RequestPlan, _ rules: LiveRules) throws(OperationError) -> Choice {
        var allowed = try eligible(plan)
        if !rules.hides.isEmpty {
            var visible = allowed ?? RowBitmap(count: catalogue.rowCount, filled: true)
            rules.hide(from: &visible)
            allowed = visible
        }
        let (source, rung) = try source(plan)
        if request.explains { notes += trace(plan, rules, allowed, source) }
        guard let source else { return Choice(items: [], rung: .empty, rules: rules) }
        var choice = Choice(items: [], rung: rung, rules: rules)
        if let inputs = request.inputList {
            choice.items = rank(inputs, source, allowed, rules, options(plan))
            return choice
        }
        if plan.placement?.purpose.isAboutItem == true, let item = itemID(), var rows = allowed {
            if Int(item) < rows.count { rows[Int(item)] = false }
            allowed = rows
        }
        var promoted: [Candidate] = []
        if let share = request.promotion { promoted = try promotedItems(share, plan, rules, source) }
        let rest = plan.count - promoted.count
        choice.items = place(source, allowed, count: rest, rules, options(plan), promoted: promoted.map(\.item))
        if !promoted.isEmpty { choice.items = PromotedShare.weave(promoted, into: choice.items, seed: random) }
        explore(&choice, plan, source, allowed)
        if request.explains, case .model(let model, _) = source { notes += partNotes(choice, model) }
        if choice.items.isEmpty {
            choice.rung = .empty
            notes.append(allowed == nil ? "There are no items yet." : "No item passes the filters and rules.")
        }
        return choice
    }

    // MARK: Eligibility

    /// Rows that may be shown; nil for all.
    private func eligible(_ plan: RequestPlan) throws(OperationError) -> RowBitmap? {
        var allowed: RowBitmap?
        if plan.placement != nil {
            // What people see is in the catalogue and in stock.
            var rows = catalogue.inStock
            if catalogue.hasRecords { rows.and(catalogue.recorded) }
            allowed = rows
        }
        for (filter, values) in plan.filters {
            let rows = try rows(of: filter, values)
            allowed?.and(rows)
            allowed = allowed ?? rows
        }
        if let useCase = plan.campaign?.recipe.description.useCase, useCase.removedEventType != nil {
            var rows = allowed ?? RowBitmap(count: catalogue.rowCount, filled: true)
            remove(useCase, from: &rows)
            allowed = rows
        }
        return allowed
    }

    /// Takes away what the user purchased or watched already, as the use case of a domain says.
    private func remove(_ useCase: DomainUseCase, from rows: inout RowBitmap) {
        let removes = group.eventTypes.map(useCase.removes)
        for event in history where Int(event.eventType) < removes.count && removes[Int(event.eventType)] {
            if Int(event.item) < rows.count { rows[Int(event.item)] = false }
        }
    }

    func rows(of filter: ServedFilter, _ values: FilterValues) throws(OperationError) -> RowBitmap {
        guard let checked = filter.checked else {
            throw .invalidInput("The filter \(filter.name) no longer fits the dataset group: \(filter.failure ?? "")", field: "filterArn")
        }
        let expression = checked.expression
        do throws(FilterError) {
            return try catalogue.prepared(checked, id: filter.id).evaluate(
                values: values, user: expression.usesCurrentUser ? FilterUser(record: attributes()) : nil,
                currentItemRow: expression.usesCurrentItem ? itemID().map { Int($0) } : nil, interacted: interacted)
        } catch {
            throw .invalidInput("The filter \(filter.name) cannot be applied: \(error.message)", field: "filterValues")
        }
    }

    private func interacted(_ selection: EventTypeSelection) -> [Int32] {
        let wanted = group.eventTypes.map(selection.contains)
        return history.compactMap { event in
            let type = Int(event.eventType)
            return selection.isAny || (type < wanted.count && wanted[type]) ? event.item : nil
        }
    }

    // MARK: The ladder

    /// The highest rung that can answer, with notes on what is missing; nil when the placement wants nothing below a model.
    private mutating func source(_ plan: RequestPlan) throws(OperationError) -> (CandidateSource?, RecommendationAnswer.Rung) {
        if let campaign = plan.campaign, !plan.isForcedToFallBack {
            if let failure = campaign.modelFailure {
                isDegraded = true
                notes.append(
                    campaign.model == nil
                        ? "The model of the campaign \(campaign.name) cannot be read (\(failure))."
                        : "The newest model of the campaign \(campaign.name) cannot be read (\(failure)): the last good one answers.")
            }
            if let model = campaign.model, campaign.serves || plan.placement == nil {
                let query = query(model, campaign, plan)
                return (trending(model, query) ?? .model(model, query), .model)
            }
        }
        let fallback = plan.placement?.fallback ?? .popular
        guard fallback != .none else {
            notes.append("The placement has no fallback.")
            return (nil, .empty)
        }
        let popular = try popularItems()
        if plan.campaign == nil, plan.placement?.purpose != .popular { noteMissing(plan, popular.interactions) }
        let newest = catalogue.newestRows
        if fallback == .newest || popular.items.isEmpty { return (.listed([:], order: newest, .newest), .newest) }
        let total = max(1, popular.items.reduce(0) { $0 + $1.users })
        let scores = Dictionary(popular.items.map { ($0.item, $0.users / total) }) { first, _ in first }
        return (.listed(scores, order: popular.items.map(\.item) + newest.filter { scores[$0] == nil }, .popular), .popular)
    }

    /// What rises now, for a model of trends; nil when the model itself has to say it.
    private mutating func trending(_ model: ServedModel, _ query: CandidateSource.ModelQuery) -> CandidateSource? {
        do {
            return try trends.items(model, group, environment, isReachable: reading != nil).map { .trending($0, model, query) }
        } catch {
            isDegraded = true
            notes.append("Trends could not be counted: the answer is what they were at the last training.")
            return nil
        }
    }

    private mutating func popularItems() throws(OperationError) -> PopularItems {
        do { return try popularity.items(group, environment) } catch {
            isDegraded = true
            notes.append("Popular items could not be counted: the database did not answer.")
            return .none
        }
    }

    private mutating func noteMissing(_ plan: RequestPlan, _ interactions: Int) {
        let minimum = DataSummary.minimumInteractions
        if interactions < minimum {
            notes.append("\(interactions) of 1,000 interactions: the first model is trained when they are there.")
        } else if plan.placement?.isAutomatic == true {
            notes.append("The first model is not ready yet.")
        } else {
            notes.append("The placement names no campaign.")
        }
    }

    private func query(_ model: ServedModel, _ campaign: ServedCampaign, _ plan: RequestPlan) -> CandidateSource.ModelQuery {
        let usesHistory = campaign.recipe.description.usesHistory && plan.placement?.purpose != .popular
        let events =
            usesHistory
            ? history.map { HistoryEvent(item: $0.item, eventType: model.eventType($0.eventType), timestamp: Int64($0.seconds)) } : []
        let purchase =
            plan.placement?.purpose == .boughtTogether
            ? model.model.eventTypeNames.firstIndex { $0.lowercased() == "purchase" } : nil
        var query = CandidateSource.ModelQuery(
            history: events, moment: Int64(time.seconds), user: usesHistory ? reading?.userID : nil, item: itemID(),
            relatedByEventType: purchase, explains: request.explains || plan.placement != nil)
        if usesHistory, model.model.usesSituation {
            query.attributes = attributes()?.attributeTexts ?? [:]
            query.context = request.context
        }
        if let influence = campaign.config.rankingInfluence {
            query.influence = influence
            query.createdAt = { [catalogue] item in
                item >= 0 && Int(item) < catalogue.rowCount ? catalogue.createdAt[Int(item)] : nil
            }
        }
        return query
    }

    // MARK: Lists

    private func promotedItems(
        _ share: RecommendationRequest.PromotedShare, _ plan: RequestPlan, _ rules: LiveRules, _ source: CandidateSource
    ) throws(OperationError) -> [Candidate] {
        guard let use = share.filter else { return [] }
        let (filter, values) = try RequestPlan.filter(use, group)
        var rows = try rows(of: filter, values)
        rules.hide(from: &rows)
        if let useCase = plan.campaign?.recipe.description.useCase { remove(useCase, from: &rows) }
        return source.candidates(rows, count: PromotedShare.count(of: plan.count, percent: share.percent), scratches)
    }

    /// The list after pins, boosts and buries, and after the campaign's re-ranking.
    private mutating func place(
        _ source: CandidateSource, _ allowed: RowBitmap?, count: Int, _ rules: LiveRules, _ options: CampaignOptions, promoted: [Int32]
    ) -> [ChosenItem] {
        guard count > 0 else { return [] }
        let taken = Set(promoted)
        let acts = !rules.pins.isEmpty || !rules.factors.isEmpty
        // As many may be buried as are shown, and their places are filled from below.
        let wanted = max(acts ? 3 * count + 20 : count, options.isNone ? 0 : Recommending.rerankingPool(count)) + taken.count
        let lister = options.isNone ? source : source.withoutReasons
        var candidates = lister.candidates(allowed, count: wanted, scratches)
        if !taken.isEmpty { candidates.removeAll { taken.contains($0.item) } }
        var items: [ChosenItem]
        var plan: RulePlan?
        if acts {
            if !rules.factors.isEmpty { addBoosted(&candidates, lister, allowed, count: count, rules, without: taken) }
            let rulePlan = rules.plan(candidates: candidates.map(\.item))
            items = ruled(candidates, rulePlan, allowed, count: count, without: taken)
            plan = rulePlan
        } else {
            items = candidates.prefix(count).map { ChosenItem(candidate: $0) }
        }
        guard !options.isNone else { return items }
        items = reranked(items, candidates, options, rules: plan, promoted: promoted, source)
        return source.explains ? explained(items, source) : items
    }

    private func ruled(
        _ candidates: [Candidate], _ plan: RulePlan, _ allowed: RowBitmap?, count: Int, without taken: Set<Int32>
    ) -> [ChosenItem] {
        let scored = Recommending.scores(candidates)
        let placed = plan.place(scored, count: count) { item in
            guard item >= 0, Int(item) < catalogue.rowCount, !taken.contains(item) else { return false }
            return allowed.map { $0[Int(item)] } ?? catalogue.keys.contains(item)
        }
        let byItem = Dictionary(candidates.map { ($0.item, $0) }) { first, _ in first }
        return placed.map { item in
            ChosenItem(candidate: byItem[item.item] ?? Candidate(item: item.item, score: nil, kind: .fill), promotion: item.promotion)
        }
    }

    /// Boosted items from below the list, on the list's scale of scores; items that the source cannot score start from the list's end.
    private func addBoosted(
        _ candidates: inout [Candidate], _ source: CandidateSource, _ allowed: RowBitmap?, count: Int, _ rules: LiveRules,
        without taken: Set<Int32>
    ) {
        var rows = RowBitmap(count: catalogue.rowCount)
        for rule in rules.factors where rule.promotion.definition.factor > 1 { rows.or(rule.rows) }
        if let allowed { rows.and(allowed) }
        for candidate in candidates where Int(candidate.item) < rows.count { rows[Int(candidate.item)] = false }
        for item in taken where Int(item) < rows.count { rows[Int(item)] = false }
        guard rows.popCount > 0 else { return }
        let last = candidates.prefix(count).last?.score ?? 0
        let found = source.candidates(rows, count: count, scratches)
        var scale: Double?
        if case .model = source, let anchor = candidates.first, let anchored = anchor.score {
            let again = source.candidates(nil, count: found.count + 1, inputs: [anchor.item] + found.map(\.item), scratches)
            let shares = Dictionary(again.map { ($0.item, $0.score) }) { first, _ in first }
            if let share = shares[anchor.item] ?? nil, share > 0 { scale = anchored / share }
            for candidate in found {
                let score = (shares[candidate.item] ?? nil).flatMap { share in scale.map { share * $0 } }
                candidates.append(
                    Candidate(
                        item: candidate.item, score: score ?? last, kind: candidate.kind, contributions: candidate.contributions))
            }
        } else {
            candidates += found.map { Candidate(item: $0.item, score: $0.score ?? last, kind: $0.kind) }
        }
        var known = Set(candidates.map(\.item))
        var unknown: [Candidate] = []
        rows.forEach { row in
            if unknown.count < count, known.insert(Int32(row)).inserted {
                unknown.append(Candidate(item: Int32(row), score: last, kind: .fill))
            }
        }
        candidates += unknown
    }

    /// Positive scores in falling order for the plan: what was not scored follows the last that was.
    static func scores(_ candidates: [Candidate]) -> [(item: Int32, score: Double)] {
        var last = candidates.compactMap(\.score).filter { $0 > 0 }.min() ?? 1
        return candidates.map { candidate in
            if let score = candidate.score, score > 0 { return (candidate.item, score) }
            last *= 0.999
            return (candidate.item, last)
        }.enumerated().sorted { ($1.element.1, $0.offset) < ($0.element.1, $1.offset) }.map(\.element)
    }
}
