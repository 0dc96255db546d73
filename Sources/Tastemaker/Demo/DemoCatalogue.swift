import Foundation

/// The products of the demo shop, the same for a seed wherever it runs: pages, imports and the simulation read it alike.
public struct DemoCatalogue: Sendable {
    public let seed: UInt64
    public let products: [DemoProduct]
    /// Positions of the products of each category.
    public let byCategory: [[Int]]
    private let positions: [String: Int]

    /// The catalogue that ships.
    public static let shipped = DemoCatalogue(seed: 25, count: 2000)

    /// `count`: products in all, at least one per category.
    public init(seed: UInt64, count: Int) {
        self.seed = seed
        var products: [DemoProduct] = []
        products.reserveCapacity(count)
        var titles = Set<String>()
        let categories = DemoCategory.all.count
        for index in 0..<max(count, categories) {
            products.append(DemoCatalogue.product(index, category: index % categories, seed: seed, taken: &titles))
        }
        var byCategory = [[Int]](repeating: [], count: categories)
        for (index, product) in products.enumerated() { byCategory[product.category].append(index) }
        for index in products.indices {
            products[index].companions = DemoCatalogue.companions(of: index, products, byCategory, seed: seed)
        }
        self.products = products
        self.byCategory = byCategory
        positions = Dictionary(uniqueKeysWithValues: products.enumerated().map { ($1.id, $0) })
    }

    /// The product with an id, or nil.
    public subscript(id id: String) -> DemoProduct? { position(of: id).map { products[$0] } }

    func position(of id: String) -> Int? { positions[id] }

    private static func product(_ index: Int, category: Int, seed: UInt64, taken: inout Set<String>) -> DemoProduct {
        var random = DemoRandom(seed: seed, "product", index)
        let about = DemoCategory.all[category]
        let style = DemoStyle.allCases[random.index(DemoStyle.allCases.count)]
        let brand = random.pick(style.brands)
        let kind = random.chance(0.4) ? random.pick(about.kinds) : nil
        var title = ""
        repeat {
            let base = "\(random.pick(series)) \(random.pick(about.materials)) \(about.noun)"
            title = kind.map { "\(base), \($0)" } ?? base
        } while !taken.insert(title).inserted
        return DemoProduct(
            id: id(index), category: category, style: style, brand: brand, title: title, kind: kind,
            description: description(title, about, style, brand, &random), cents: cents(about.price, &random),
            age: age(&random), look: random.next(), quality: exp(1.15 * random.normal()), phase: random.uniform())
    }

    /// `p0001`: four digits and more.
    static func id(_ index: Int) -> String {
        let digits = String(index + 1)
        return "p" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }

    /// Log-normal around the median, rounded to a price that shops like.
    private static func cents(_ median: Double, _ random: inout DemoRandom) -> Int {
        let price = median * exp(0.45 * random.normal())
        if price < 20 { return max(1, Int(price)) * 100 + 90 }
        if price < 100 { return Int(price) * 100 }
        return Int(price / 5) * 500 + 400
    }

    /// Most products are older than the simulated time, some came during it, a few in the last days: these are cold.
    private static func age(_ random: inout DemoRandom) -> Double {
        switch random.uniform() {
        case ..<0.85: 40 + random.exponential(200)
        case ..<0.96: 3 + random.uniform() * 24
        default: random.uniform() * 2.5
        }
    }

    private static func description(
        _ title: String, _ category: DemoCategory, _ style: DemoStyle, _ brand: String, _ random: inout DemoRandom
    ) -> String {
        let use = random.pick(["every day", "long evenings", "small flats", "people who keep things", "gifts that stay"])
        return "\(title) by \(brand): \(style.adjective). Made for \(use). An invented product of a shop that does not exist."
    }

    /// Three pieces of the companion category, of the same style where there are enough.
    private static func companions(of index: Int, _ products: [DemoProduct], _ byCategory: [[Int]], seed: UInt64) -> [Int] {
        var random = DemoRandom(seed: seed, "companions", index)
        let product = products[index]
        let pool = byCategory[DemoCategory.companion(of: product.category)].filter { products[$0].age > 20 }
        let alike = pool.filter { products[$0].style == product.style }
        var rest = alike.count >= 3 ? alike : pool
        var chosen: [Int] = []
        while chosen.count < 3, !rest.isEmpty { chosen.append(rest.remove(at: random.index(rest.count))) }
        return chosen
    }

    private static let series = [
        "Acorn", "Alder", "Amber", "Anchor", "Arbour", "Aster", "Basalt", "Beacon", "Birch", "Bramble", "Brook", "Cedar", "Cinder",
        "Clover",
        "Cobble", "Coral", "Cove", "Crescent", "Delta", "Drift", "Dune", "Echo", "Elm", "Ember", "Fable", "Fern", "Field", "Fjord", "Flint",
        "Frost", "Gable", "Glade", "Granite", "Grove", "Harbour", "Haven", "Hazel", "Heath", "Hollow", "Indigo", "Island", "Ivy", "Juniper",
        "Kelp", "Lantern", "Larch", "Linen", "Lunar", "Maple", "Marsh", "Meadow", "Mill", "Mist", "Moor", "Moss", "Nettle", "North", "Oak",
        "Orchard", "Osier", "Pebble", "Pine", "Plume", "Prairie", "Quarry", "Quill", "Rain", "Reed", "Ridge", "River", "Rowan", "Sable",
        "Saffron", "Sage", "Sand", "Shale", "Shore", "Slate", "Sorrel", "Spruce", "Summit", "Thistle", "Tide", "Timber", "Umber", "Vale",
        "Violet", "Willow", "Winter", "Wren", "Yarrow",
    ]
}
