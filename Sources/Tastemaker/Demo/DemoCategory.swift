/// A kind of product in the demo shop. Categories come in pairs: who buys from the first often takes something of the second along.
public struct DemoCategory: Sendable {
    public let slug: String
    public let name: String
    public let department: String
    /// What one piece is called.
    let noun: String
    let materials: [String]
    /// Sub-types, held by some of the products only.
    let kinds: [String]
    /// Median price in whole currency units; prices are log-normal around it.
    let price: Double
    /// How often it is looked for, relative to the others.
    let appeal: Double

    private init(
        _ name: String, _ noun: String, in department: String, _ price: Double, appeal: Double, materials: [String], kinds: [String]
    ) {
        self.name = name
        slug = name.lowercased().split(separator: " ").joined(separator: "-").filter { $0 != "'" }
        self.department = department
        self.noun = noun
        self.materials = materials
        self.kinds = kinds
        self.price = price
        self.appeal = appeal
    }

    /// Position of the category that goes with the one at `index`: pairs stand side by side.
    static func companion(of index: Int) -> Int { index ^ 1 }

    /// The first of a pair leads to the second far more often than the other way round.
    static func isLead(_ index: Int) -> Bool { index.isMultiple(of: 2) }

    public static let all: [DemoCategory] = [
        .init(
            "Teapots", "teapot", in: "Kitchen", 38, appeal: 1.1, materials: ["glazed", "cast-iron", "porcelain", "stoneware", "glass"],
            kinds: ["with strainer", "for two", "for six", "with bamboo handle"]),
        .init(
            "Mugs", "mug", in: "Kitchen", 14, appeal: 1.3, materials: ["speckled", "enamel", "stoneware", "porcelain", "double-walled"],
            kinds: ["large", "espresso", "with saucer", "set of four"]),
        .init(
            "Pans", "pan", in: "Kitchen", 64, appeal: 1, materials: ["carbon steel", "cast-iron", "copper", "hammered", "ceramic"],
            kinds: ["24 cm", "28 cm", "with lid", "for induction"]),
        .init(
            "Kitchen knives", "knife", in: "Kitchen", 52, appeal: 0.8,
            materials: ["forged", "walnut-handled", "damask", "carbon steel", "ash-handled"],
            kinds: ["chef's", "paring", "bread", "set of three"]),
        .init(
            "Armchairs", "armchair", in: "Living", 320, appeal: 0.7, materials: ["bouclé", "linen", "leather", "velvet", "rattan"],
            kinds: ["swivelling", "with footstool", "low", "wing-backed"]),
        .init(
            "Cushions", "cushion", in: "Living", 29, appeal: 1.2, materials: ["linen", "velvet", "wool", "quilted", "corduroy"],
            kinds: ["round", "50 × 50", "bolster", "for outdoors"]),
        .init(
            "Rugs", "rug", in: "Living", 180, appeal: 0.8, materials: ["hand-woven", "jute", "wool", "tufted", "flat-woven"],
            kinds: ["runner", "round", "160 × 230", "washable"]),
        .init(
            "Floor lamps", "floor lamp", in: "Living", 140, appeal: 0.8, materials: ["brass", "oak", "paper", "marble", "steel"],
            kinds: ["arched", "dimmable", "reading", "tripod"]),
        .init(
            "House plants", "plant", in: "Living", 24, appeal: 1.2,
            materials: ["trailing", "broad-leaved", "variegated", "upright", "feathery"],
            kinds: ["for shade", "for sun", "hardy", "for bathrooms"]),
        .init(
            "Plant pots", "pot", in: "Living", 19, appeal: 1, materials: ["terracotta", "glazed", "concrete", "fluted", "woven"],
            kinds: ["hanging", "with saucer", "self-watering", "tall"]),
        .init(
            "Desk lamps", "desk lamp", in: "Study", 78, appeal: 1, materials: ["brass", "aluminium", "oak", "opal", "steel"],
            kinds: ["clamp-on", "dimmable", "rechargeable", "jointed"]),
        .init(
            "Wall clocks", "wall clock", in: "Study", 46, appeal: 0.7, materials: ["walnut", "enamel", "brass", "cork", "silent"],
            kinds: ["large", "pendulum", "numberless", "radio-set"]),
        .init(
            "Notebooks", "notebook", in: "Study", 16, appeal: 1.2, materials: ["cloth-bound", "leather", "recycled", "stitched", "kraft"],
            kinds: ["dotted", "lined", "pocket", "undated planner"]),
        .init(
            "Fountain pens", "fountain pen", in: "Study", 58, appeal: 0.8, materials: ["resin", "brass", "steel", "marbled", "lacquered"],
            kinds: ["fine nib", "broad nib", "with converter", "retractable"]),
        .init(
            "Headphones", "headphones", in: "Study", 129, appeal: 1.1,
            materials: ["open-backed", "wireless", "folding", "studio", "padded"],
            kinds: ["noise-cancelling", "on-ear", "over-ear", "in-ear"]),
        .init(
            "Speakers", "speaker", in: "Study", 165, appeal: 0.9, materials: ["walnut", "wireless", "compact", "mesh", "bamboo"],
            kinds: ["for shelves", "portable", "waterproof", "pair"]),
        .init(
            "Backpacks", "backpack", in: "Outdoors", 89, appeal: 1.1,
            materials: ["waxed canvas", "ripstop", "roll-top", "recycled", "leather-trimmed"],
            kinds: ["18 l", "26 l", "40 l", "for laptops"]),
        .init(
            "Water bottles", "bottle", in: "Outdoors", 26, appeal: 1.1,
            materials: ["steel", "insulated", "glass", "titanium", "powder-coated"],
            kinds: ["0.5 l", "0.75 l", "1 l", "with straw"]),
        .init(
            "Tents", "tent", in: "Outdoors", 260, appeal: 0.6, materials: ["tunnel", "dome", "cotton", "ultralight", "geodesic"],
            kinds: ["for one", "for two", "for four", "with porch"]),
        .init(
            "Head torches", "head torch", in: "Outdoors", 42, appeal: 0.7,
            materials: ["rechargeable", "compact", "wide-beam", "red-light", "waterproof"],
            kinds: ["for running", "for caving", "300 lm", "600 lm"]),
        .init(
            "Sneakers", "sneakers", in: "Wardrobe", 94, appeal: 1.3, materials: ["canvas", "suede", "knitted", "leather", "recycled"],
            kinds: ["high-top", "low-top", "wide", "for running"]),
        .init(
            "Socks", "socks", in: "Wardrobe", 11, appeal: 1.1, materials: ["merino", "ribbed", "striped", "cotton", "bamboo"],
            kinds: ["ankle", "knee-high", "pack of three", "padded"]),
        .init(
            "Raincoats", "raincoat", in: "Wardrobe", 119, appeal: 0.9, materials: ["waxed", "matte", "packable", "lined", "rubberised"],
            kinds: ["long", "short", "for cycling", "hooded"]),
        .init(
            "Umbrellas", "umbrella", in: "Wardrobe", 34, appeal: 0.9,
            materials: ["wooden-handled", "folding", "storm-proof", "clear", "bamboo"],
            kinds: ["automatic", "compact", "for two", "golf"]),
    ]
}
