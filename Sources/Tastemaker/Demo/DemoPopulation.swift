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

    /// `days`: length of the simulated time, which ends now.
    init(catalogue: DemoCatalogue, visitorCount: Int, days: Double) {
        seed = catalogue.seed
        behavior = DemoBehavior(catalogue: catalogue)
        let seed = catalogue.seed
        let visitors = (0..<visitorCount).map { DemoVisitor($0, seed: seed, days: days) }
        self.visitors = visitors
        visits = visitors.indices.flatMap { DemoPopulation.visits(of: $0, visitors[$0], seed: seed) }.sorted {
            ($1.daysLeft, $0.visitor, $0.ordinal) < ($0.daysLeft, $1.visitor, $1.ordinal)
        }
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
