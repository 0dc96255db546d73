/// One article of the demo shop, real in nothing but its data.
public struct DemoProduct: Sendable, Equatable {
    /// `p0001` and so on.
    public let id: String
    /// Position in `DemoCategory.all`.
    public let category: Int
    public let style: DemoStyle
    public let brand: String
    public let title: String
    /// Sub-type; only some products have one.
    public let kind: String?
    public let description: String
    /// In hundredths of the currency unit.
    public let cents: Int
    /// Days before the end of the simulated time when it came into the shop.
    public let age: Double
    /// Chooses colours and ornament of the picture.
    public let look: UInt64
    /// How often it is looked at among its like, before drift.
    let quality: Double
    /// Where in its cycle of fashion it stands, 0 to 1.
    let phase: Double
    /// Positions of the products that are bought together with it.
    public internal(set) var companions: [Int] = []

    public var categoryName: String { DemoCategory.all[category].name }

    /// `49.00`
    public var price: String {
        let rest = cents % 100
        return "\(cents / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
