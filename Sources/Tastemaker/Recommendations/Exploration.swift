import Postgres
import Synchronization

/// How many new items a list carries: the weight times a tenth of the places for the first recipe version, one in a thousand for the
/// second, which has no such setting.
struct Exploration {
    private static let defaultWeight = 0.3
    private static let defaultAgeDays = 30.0

    let share: Double
    /// Seconds since 1970: older items are not new.
    let since: Int64

    init(_ campaign: ServedCampaign, now: PGTimestamp) {
        let weight = campaign.config.explorationWeight ?? Exploration.defaultWeight
        share = campaign.isSecondVersion ? 0.001 : weight * 0.1
        let days = campaign.config.explorationItemAgeCutOff ?? Exploration.defaultAgeDays
        since = Int64(now.seconds - days * 86_400)
    }

    /// Whole places, the fraction by chance.
    func count(of total: Int, seed: UInt32) -> Int {
        var generator = SeededGenerator(seed ^ 0x0065_7870)
        let places = share * Double(total)
        let whole = Int(places)
        return whole + (Double.random(in: 0..<1, using: &generator) < places - Double(whole) ? 1 : 0)
    }

    /// Puts random new items on random places of the list's second half; the last items make room.
    func mix(_ new: [Int32], into items: inout [Recommending.ChosenItem], count: Int, seed: UInt32) {
        guard !new.isEmpty else { return }
        var generator = SeededGenerator(seed ^ 0x006d_6978)
        let chosen = new.shuffled(using: &generator).prefix(min(count, items.count))
        let half = items.count / 2
        items.removeLast(chosen.count)
        for item in chosen {
            let place = Int.random(in: min(half, items.count)...items.count, using: &generator)
            items.insert(Recommending.ChosenItem(candidate: Candidate(item: item, score: nil, kind: .exploration)), at: place)
        }
    }
}

extension CatalogueSnapshot {
    /// Items made since a time that a model has no row for, newest first.
    func newItems(unknownTo model: ServedModel, since: Int64) -> [Int32] {
        newItems(unknownTo: model).filter { (createdAt[Int($0)] ?? .min) >= since }
    }
}
