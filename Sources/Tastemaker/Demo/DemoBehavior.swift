import Foundation

/// What a visitor does with a product.
struct DemoAction: Sendable, Equatable {
    enum Kind: String, Sendable { case view = "View", cart = "AddToCart", purchase = "Purchase" }
    let kind: Kind
    /// Position in the catalogue.
    let product: Int
    /// Seconds since the visit began.
    let seconds: Int
}

/// How visitors of the demo shop choose. There is structure to learn: tastes, styles, prices, what goes with what, fashions that pass.
struct DemoBehavior: Sendable {
    let catalogue: DemoCatalogue
    /// Share of interest in a product of the visitor's style against one of another.
    private static let styleFactor = 9.0

    /// How much a visitor is drawn to a product; 0 when it is not in the shop yet. `daysLeft`: until the end of the simulated time.
    func appeal(of product: DemoProduct, to visitor: DemoVisitor, daysLeft: Double) -> Double {
        guard product.age > daysLeft else { return 0 }
        let fashion = 1 + 0.7 * sin(2 * .pi * (daysLeft / 35 + product.phase))
        let novelty = product.age - daysLeft < 5 ? 0.25 : 1
        let price = log(Double(product.cents) / 100 / DemoCategory.all[product.category].price) - visitor.priceLevel
        let style = product.style == visitor.style ? DemoBehavior.styleFactor : 1
        return product.quality * fashion * novelty * style * exp(-2 * price * price)
    }

    /// One visit: where it starts, how it goes on, what comes of it. Never ends in a purchase when `mayBuy` is false.
    func visit(of visitor: DemoVisitor, daysLeft: Double, start: Int? = nil, mayBuy: Bool, _ random: inout DemoRandom) -> [DemoAction] {
        var actions: [DemoAction] = []
        var cart: [Int] = []
        var clock = 0
        guard var current = start ?? first(for: visitor, daysLeft: daysLeft, &random) else { return [] }
        let length = 1 + min(14, Int(random.exponential(4)))
        for step in 0..<length {
            if step > 0 {
                guard let following = next(after: current, for: visitor, daysLeft: daysLeft, &random) else { break }
                current = following
            }
            clock += 8 + Int(random.exponential(40))
            actions.append(DemoAction(kind: .view, product: current, seconds: clock))
            guard random.chance(cartChance(catalogue.products[current])) else { continue }
            clock += 5 + Int(random.exponential(15))
            actions.append(DemoAction(kind: .cart, product: current, seconds: clock))
            cart.append(current)
            // What goes with it is put in beside it.
            if random.chance(DemoCategory.isLead(catalogue.products[current].category) ? 0.7 : 0.15),
                let companion = companion(of: current, daysLeft: daysLeft, &random)
            {
                clock += 20 + Int(random.exponential(30))
                actions.append(DemoAction(kind: .view, product: companion, seconds: clock))
                actions.append(DemoAction(kind: .cart, product: companion, seconds: clock + 6))
                clock += 6
                cart.append(companion)
            }
        }
        if mayBuy, !cart.isEmpty, random.chance(0.62) { actions += purchases(cart, at: clock + 40) }
        return actions
    }

    func purchases(_ cart: [Int], at seconds: Int) -> [DemoAction] {
        var bought: [Int] = []
        for product in cart where !bought.contains(product) { bought.append(product) }
        return bought.map { DemoAction(kind: .purchase, product: $0, seconds: seconds) }
    }

    private func first(for visitor: DemoVisitor, daysLeft: Double, _ random: inout DemoRandom) -> Int? {
        if random.chance(0.06) { return inCategory(random.index(DemoCategory.all.count), visitor, daysLeft, &random) }
        guard let taste = random.choose(visitor.tastes.map(\.weight)) else { return nil }
        return inCategory(visitor.tastes[taste].category, visitor, daysLeft, &random)
    }

    private func next(after current: Int, for visitor: DemoVisitor, daysLeft: Double, _ random: inout DemoRandom) -> Int? {
        let product = catalogue.products[current]
        switch random.uniform() {
        case ..<0.62: return inCategory(product.category, visitor, daysLeft, &random)
        case ..<(DemoCategory.isLead(product.category) ? 0.84 : 0.7): return companion(of: current, daysLeft: daysLeft, &random)
        default: return first(for: visitor, daysLeft: daysLeft, &random)
        }
    }

    private func companion(of current: Int, daysLeft: Double, _ random: inout DemoRandom) -> Int? {
        let there = catalogue.products[current].companions.filter { catalogue.products[$0].age > daysLeft }
        // One of the three is the obvious one.
        return random.choose(zip(there, [12.0, 3, 1]).map(\.1)).map { there[$0] }
    }

    /// Few products make most of the sales.
    private func cartChance(_ product: DemoProduct) -> Double { product.quality > 3 ? 0.16 : 0.012 }

    private func inCategory(_ category: Int, _ visitor: DemoVisitor, _ daysLeft: Double, _ random: inout DemoRandom) -> Int? {
        let pool = catalogue.byCategory[category]
        let weights = pool.map { appeal(of: catalogue.products[$0], to: visitor, daysLeft: daysLeft) }
        return random.choose(weights).map { pool[$0] }
    }
}
