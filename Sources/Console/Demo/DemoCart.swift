import Tastemaker

/// What a visitor put into the cart, kept in a cookie: `p0001:2.p0040:1`.
struct DemoCart: Equatable {
    struct Line: Equatable {
        let product: DemoProduct
        var quantity: Int
    }

    static let cookie = "demo_cart"
    private static let lineLimit = 20
    private static let quantityLimit = 9

    private(set) var lines: [Line] = []

    /// Reads a cookie; whatever is wrong in it is left out.
    init(cookie: String?, _ catalogue: DemoCatalogue) {
        for part in (cookie ?? "").split(separator: ".").prefix(DemoCart.lineLimit) {
            let pair = part.split(separator: ":")
            guard pair.count == 2, let product = catalogue[id: String(pair[0])], let quantity = Int(pair[1]), quantity > 0 else { continue }
            add(product, quantity)
        }
    }

    mutating func add(_ product: DemoProduct, _ quantity: Int = 1) {
        if let index = lines.firstIndex(where: { $0.product.id == product.id }) {
            lines[index].quantity = min(DemoCart.quantityLimit, lines[index].quantity + quantity)
        } else if lines.count < DemoCart.lineLimit {
            lines.append(Line(product: product, quantity: min(DemoCart.quantityLimit, quantity)))
        }
    }

    mutating func remove(_ product: DemoProduct) {
        lines.removeAll { $0.product.id == product.id }
    }

    /// Pieces in all.
    var count: Int { lines.reduce(0) { $0 + $1.quantity } }

    /// In hundredths of the currency unit.
    var cents: Int { lines.reduce(0) { $0 + $1.product.cents * $1.quantity } }

    var text: String { lines.map { "\($0.product.id):\($0.quantity)" }.joined(separator: ".") }
}
