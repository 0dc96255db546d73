import FilterLanguage
import Ranking

/// How much a campaign explores.
struct Exploration: Sendable {
    static let defaultWeight = 0.3
    private static let defaultAgeDays = 30.0
    /// More new items than this do not compete for the places of one list.
    static let candidateLimit = 100

    /// Probability that a place in the lower half of a list proposes an item of which nothing is known: a third of the weight for the
    /// first version. The second has no such setting: about one result in a thousand.
    let rate: Double
    /// Days before the newest interaction: items made earlier are not new.
    let ageDays: Double

    init(_ campaign: ServedCampaign) {
        if campaign.isSecondVersion {
            rate = 0.002
            ageDays = Exploration.defaultAgeDays
        } else {
            rate = (campaign.config.explorationWeight ?? Exploration.defaultWeight) / 3
            ageDays = campaign.config.explorationItemAgeCutOff ?? Exploration.defaultAgeDays
        }
    }
}

extension Recommending {
    /// Lets new items have places by chance, and notes how probable every place was. The upper half of the list and what promotions
    /// placed stay. A new item competes with its bonus (how little is known of it) plus its rank by content among the new ones, where
    /// the model can tell. A preview leaves nothing to chance, so that it can be compared with another one.
    func explore(_ choice: inout Choice, _ plan: RequestPlan, _ source: CandidateSource, _ allowed: RowBitmap?) {
        guard let campaign = plan.campaign, campaign.recipe.description.explores, plan.placement?.purpose ?? .forYou == .forYou,
            case .model = source
        else { return }
        let exploration = Exploration(campaign)
        guard exploration.rate > 0, request.previewAt == nil, let pool = newItems.pool(exploration.ageDays, group, catalogue, environment)
        else { return }
        let open = choice.items.indices.map { place in
            place >= (choice.items.count + 1) / 2 && choice.items[place].promotion == nil && !choice.items[place].isRequestPromoted
        }
        guard open.contains(true) else { return }
        let candidates = newItems(of: pool, for: choice, plan, allowed)
        guard let most = candidates.map(\.bonus).max() else { return }
        let content = contentRanks(candidates.map(\.item), source)
        let policy = ExplorationPolicy(
            rate: exploration.rate * most, candidates: candidates.map { ($0.item, $0.bonus + content[$0.item, default: 0.5]) })
        var generator = SeededGenerator(random ^ 0x0065_7870)
        let places = policy.draw(open: open, using: &generator)
        for (index, place) in places.enumerated() {
            guard let item = place.newItem else { continue }
            choice.items[index] = ChosenItem(candidate: Candidate(item: item, score: nil, kind: .exploration))
        }
        choice.propensities = places.map { Float($0.propensity) }
    }

    /// Those that may be shown, are in neither the list nor the history, and could all enter without breaking a cap; least known first.
    private func newItems(
        of pool: NewItemPool, for choice: Choice, _ plan: RequestPlan, _ allowed: RowBitmap?
    ) -> [(item: Int32, bonus: Double)] {
        let taken = Set(choice.items.map(\.candidate.item)).union(history.map(\.item))
        var room = CapRoom(options(plan).caps, catalogue, taken: choice.items.map(\.candidate.item))
        var found: [(item: Int32, bonus: Double)] = []
        for (item, bonus) in zip(pool.items, pool.bonuses) where found.count < Exploration.candidateLimit {
            guard !taken.contains(item), allowed.map({ Int(item) < $0.count && $0[Int(item)] }) ?? true, room.take(item) else { continue }
            found.append((item, bonus))
        }
        return found
    }

    /// Rank of each item among those that the model scores, from 1 for the best down to 0; items without a row are missing.
    private func contentRanks(_ items: [Int32], _ source: CandidateSource) -> [Int32: Double] {
        guard case .model(let model, _) = source else { return [:] }
        let known = items.filter { model.model.rowOfItem($0) != nil }
        guard !known.isEmpty else { return [:] }
        let ranked = source.withoutReasons.candidates(nil, count: known.count, inputs: known, scratches).map(\.item)
        return Dictionary(
            ranked.enumerated().map { ($0.element, 1 - Double($0.offset) / Double(max(1, ranked.count - 1))) }
        ) { first, _ in first }
    }
}

/// How many more items of each value the caps of a campaign leave room for.
private struct CapRoom {
    private let caps: [CampaignOptions.Cap]
    private let catalogue: CatalogueSnapshot
    private var counts: [[String: Int]]

    init(_ caps: [CampaignOptions.Cap], _ catalogue: CatalogueSnapshot, taken: [Int32]) {
        self.caps = caps
        self.catalogue = catalogue
        counts = caps.map { _ in [:] }
        for item in taken { count(item) }
    }

    /// False when one of the item's values is used up.
    mutating func take(_ item: Int32) -> Bool {
        for (index, cap) in caps.enumerated() {
            for value in catalogue.values(item, cap.column) where counts[index][value, default: 0] >= cap.most { return false }
        }
        count(item)
        return true
    }

    private mutating func count(_ item: Int32) {
        for (index, cap) in caps.enumerated() {
            for value in catalogue.values(item, cap.column) { counts[index][value, default: 0] += 1 }
        }
    }
}
