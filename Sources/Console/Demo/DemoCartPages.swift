import Crypto
import JSON
import Tastemaker
import Web

/// Cart and order. An order is kept just long enough to be told to the tracker.
enum DemoCartPages {
    /// Order id and lines, for the page after the purchase.
    private static let orderCookie = "demo_order"

    static func show(_ demo: DemoVisit) throws -> Response {
        try demo.render("demo/cart", lines(demo.cart, demo).merging(["boxes": .list(forYou(demo))]))
    }

    static func add(_ demo: DemoVisit) throws -> Response {
        var cart = demo.cart
        cart.add(try product(demo))
        return demo.redirect(to: .demoCart, setting: (DemoCart.cookie, cart.text, 86_400))
    }

    static func remove(_ demo: DemoVisit) throws -> Response {
        var cart = demo.cart
        cart.remove(try product(demo))
        return demo.redirect(to: .demoCart, setting: (DemoCart.cookie, cart.text, 86_400))
    }

    /// Buys the one product that a form names, else the whole cart.
    static func order(_ demo: DemoVisit) throws -> Response {
        let id = SecureRandom.token(.base32, length: 10)
        if try demo.visit.form()["item"] != nil {
            var single = DemoCart(cookie: nil, demo.catalogue)
            single.add(try product(demo))
            return demo.redirect(to: .demoThanks, setting: (orderCookie, "\(id).\(single.text)", 600))
        }
        guard demo.cart.count > 0 else { return demo.redirect(to: .demoCart) }
        return demo.redirect(to: .demoThanks, setting: (orderCookie, "\(id).\(demo.cart.text)", 600), (DemoCart.cookie, "", 0))
    }

    /// Told once: the cookie goes with the page.
    static func thanks(_ demo: DemoVisit) throws -> Response {
        let parts = demo.visit.request.cookie(orderCookie)?.split(separator: ".", maxSplits: 1).map(String.init) ?? []
        guard parts.count == 2, parts[0].utf8.count == 10,
            parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) })
        else { return demo.redirect(to: .demoCart) }
        let bought = DemoCart(cookie: parts[1], demo.catalogue)
        let pixels = bought.lines.compactMap { line in
            demo.pixel(
                "Purchase",
                [
                    ("product_id", line.product.id), ("price", line.product.price), ("quantity", String(line.quantity)),
                    ("currency", demo.group.currency), ("order_id", parts[0]),
                ])
        }
        var response = try demo.render(
            "demo/thanks",
            [
                "orderID": .text(parts[0]), "total": .text(demo.format.money(Double(bought.cents) / 100)),
                "order": .dataIsland(island(parts[0], bought, demo)), "pixels": .list(pixels.map { ["url": .url($0)] as ViewModel }),
                "boxes": .list(forYou(demo)),
            ])
        demo.set(orderCookie, "", maxAge: 0, &response)
        return response
    }

    /// What demo.js hands to `tm.purchase`.
    private static func island(_ id: String, _ bought: DemoCart, _ demo: DemoVisit) -> JSONValue {
        [
            "orderId": .string(id), "total": .double(Double(bought.cents) / 100), "currency": .string(demo.group.currency),
            "items": .array(
                bought.lines.map {
                    [
                        "id": .string($0.product.id), "price": .double(Double($0.product.cents) / 100), "qty": .integer(Int64($0.quantity)),
                    ]
                }),
        ]
    }

    private static func forYou(_ demo: DemoVisit) -> [ViewModel] {
        [DemoBox(placement: DemoShop.forYou, heading: "For you").model(demo)]
    }

    private static func lines(_ cart: DemoCart, _ demo: DemoVisit) -> ViewModel {
        let rows = cart.lines.map { line -> ViewModel in
            DemoPages.card(line.product, demo).merging([
                "quantity": .number(line.quantity), "price": .text(demo.format.money(Double(line.product.cents * line.quantity) / 100)),
            ])
        }
        return [
            "isEmpty": .bool(rows.isEmpty), "lines": .list(rows), "total": .text(demo.format.money(Double(cart.cents) / 100)),
            "removeURL": .url(URLValue(path: ["demo", "cart", "remove"])),
        ]
    }

    private static func product(_ demo: DemoVisit) throws -> DemoProduct {
        guard let product = demo.catalogue[id: try demo.visit.form()["item"] ?? ""] else { throw DemoPages.missing }
        return product
    }
}
