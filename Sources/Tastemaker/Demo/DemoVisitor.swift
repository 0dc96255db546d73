import Foundation

/// A simulated person: what he likes, what he spends, and when he comes.
struct DemoVisitor: Sendable {
    /// `v0001` and so on; known to the shop by this alone.
    let id: String
    /// A few categories, with their share of his interest.
    let tastes: [(category: Int, weight: Double)]
    let style: DemoStyle
    /// On the scale of log prices relative to a category's median.
    let priceLevel: Double
    /// Visits per day once he knows the shop.
    let visitsPerDay: Double
    /// Days before the end when he first came.
    let firstDay: Double
    /// `guest`, `member` or `club`.
    let membership: String

    init(_ index: Int, seed: UInt64, days: Double) {
        var random = DemoRandom(seed: seed, "visitor", index)
        let digits = String(index + 1)
        id = "v" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
        style = DemoStyle.allCases[random.index(DemoStyle.allCases.count)]
        tastes = DemoVisitor.tastes(&random)
        priceLevel = 0.35 * random.normal()
        visitsPerDay = min(1.2, 0.12 + random.exponential(0.18))
        // Half knew the shop before; the others turn up in its course.
        firstDay = random.chance(0.5) ? days : random.uniform() * days
        membership = random.pick(["guest", "guest", "guest", "member", "member", "club"])
    }

    /// Two to four categories; a pair of categories is often liked as a whole.
    private static func tastes(_ random: inout DemoRandom) -> [(category: Int, weight: Double)] {
        let appeals = DemoCategory.all.map(\.appeal)
        var chosen: [(category: Int, weight: Double)] = []
        let count = 2 + random.index(3)
        while chosen.count < count, let category = random.choose(appeals) {
            if chosen.contains(where: { $0.category == category }) { continue }
            chosen.append((category, 0.3 + random.exponential(1)))
        }
        return chosen
    }

    func interest(in category: Int) -> Double {
        tastes.first { $0.category == category }?.weight ?? 0
    }
}
