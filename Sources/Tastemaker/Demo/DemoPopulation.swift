import Foundation

/// A visit to be made: who, and when.
struct DemoVisit: Sendable {
    /// Position in the population.
    let visitor: Int
    /// Days before the end of the simulated time.
    let daysLeft: Double
    /// Distinguishes the visits of one visitor.
    let ordinal: Int
}

/// The simulated people of the demo shop and the times at which they come.
struct DemoPopulation: Sendable {
    let seed: UInt64
    let behavior: DemoBehavior
    let visitors: [DemoVisitor]
    /// In order of time.
    let visits: [DemoVisit]

    /// `days`: length of the simulated time, which ends now. `newcomers` come once or twice, within the first days of the last `liveDays`.
    init(catalogue: DemoCatalogue, visitorCount: Int, days: Double, newcomers: Int = 0, liveDays: Double = 0) {
        seed = catalogue.seed
        behavior = DemoBehavior(catalogue: catalogue)
        let seed = catalogue.seed
        let visitors = (0..<(visitorCount + newcomers)).map { DemoVisitor($0, seed: seed, days: days) }
        self.visitors = visitors
        let visits = visitors.indices.flatMap { index in
            index < visitorCount
                ? DemoPopulation.visits(of: index, visitors[index], seed: seed)
                : DemoPopulation.newcomerVisits(of: index, liveDays: liveDays, seed: seed)
        }
        self.visits = visits.sorted { ($1.daysLeft, $0.visitor, $0.ordinal) < ($0.daysLeft, $1.visitor, $1.ordinal) }
    }

    private static func newcomerVisits(of index: Int, liveDays: Double, seed: UInt64) -> [DemoVisit] {
        var random = DemoRandom(seed: seed, "newcomer", index)
        let first = liveDays * (0.3 + 0.7 * random.uniform())
        let again = first - random.exponential(2)
        let visits = [DemoVisit(visitor: index, daysLeft: first, ordinal: 0)]
        return again > 0 && random.chance(0.4) ? visits + [DemoVisit(visitor: index, daysLeft: again, ordinal: 1)] : visits
    }

    /// Visits at random gaps.
    private static func visits(of index: Int, _ visitor: DemoVisitor, seed: UInt64) -> [DemoVisit] {
        var random = DemoRandom(seed: seed, "visits", index)
        var visits: [DemoVisit] = []
        var left = visitor.firstDay
        while true {
            left -= random.exponential(1 / visitor.visitsPerDay)
            guard left > 0 else { break }
            // Each day has its quiet hours: nobody comes in the 40 per cent that lie farthest back.
            let day = left.rounded(.down)
            visits.append(DemoVisit(visitor: index, daysLeft: day + (left - day) * 0.6, ordinal: visits.count))
        }
        return visits
    }

    /// What happens in a visit that no recommendation steers.
    func actions(_ visit: DemoVisit, mayBuy: Bool = true) -> [DemoAction] {
        var random = DemoRandom(seed: seed, "visit", visit.visitor &* 10_000 &+ visit.ordinal)
        return behavior.visit(of: visitors[visit.visitor], daysLeft: visit.daysLeft, mayBuy: mayBuy, &random)
    }
}
