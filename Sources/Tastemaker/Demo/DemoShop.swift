/// Names and lengths that the loader, the pages and the simulation agree on.
public enum DemoShop {
    public static let groupName = "demo-shop"
    public static let forYou = "home-for-you"
    public static let popular = "home-popular"
    public static let similar = "product-similar"
    public static let boughtTogether = "product-bought-together"
    /// Length of the simulated time, which ends when the shop is loaded.
    public static let days = 28.0
    static let timeZone = "Europe/Berlin"
    static let currency = "EUR"
}

/// How much of a demo shop is made. Tests load small ones.
public struct DemoSize: Sendable {
    public var products: Int
    public var visitors: Int
    /// Days at the end that go through the product's own doors; what was before is imported.
    public var liveDays: Double
    /// People who come in the live days only, so that experiments have enough units.
    public var newcomers: Int

    public init(products: Int, visitors: Int, liveDays: Double, newcomers: Int) {
        self.products = products
        self.visitors = visitors
        self.liveDays = liveDays
        self.newcomers = newcomers
    }

    public static let shipped = DemoSize(products: 2000, visitors: 1500, liveDays: 10, newcomers: 1000)
}
