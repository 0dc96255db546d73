import Tastemaker
import Web

extension ConsoleRoutes {
    /// The demo shop, for everyone, and its page in the console.
    static let demo: [ConsoleRoute] = [
        shop(.get, "/demo", DemoPages.home),
        shop(.get, "/demo/departments/{slug}", DemoPages.department),
        shop(.get, "/demo/categories/{slug}", DemoPages.category),
        shop(.get, "/demo/products/{id}", DemoPages.product),
        .page(.get, "/demo/images/{file}", .everyone, DemoPages.image),
        shop(.get, "/demo/cart", DemoCartPages.show),
        shop(.post, "/demo/cart", DemoCartPages.add),
        shop(.post, "/demo/cart/remove", DemoCartPages.remove),
        shop(.post, "/demo/order", DemoCartPages.order),
        shop(.get, "/demo/thanks", DemoCartPages.thanks),
        shop(.post, "/demo/consent", DemoVisitorPages.consent),
        shop(.post, "/demo/visitor", DemoVisitorPages.leave),
        .page(.get, "/console/demo", .signedIn, DemoManagement.show),
        .page(.post, "/console/demo/remove", .operators, DemoManagement.remove),
    ]
}

private func shop(_ method: Method, _ pattern: String, _ handler: @escaping @Sendable (DemoVisit) throws -> Response) -> ConsoleRoute {
    .page(method, pattern, .everyone) { visit in try DemoVisit.answer(visit, handler) }
}

extension URLValue {
    static var demoCart: URLValue { URLValue(path: ["demo", "cart"]) }
    static var demoOrder: URLValue { URLValue(path: ["demo", "order"]) }
    static var demoThanks: URLValue { URLValue(path: ["demo", "thanks"]) }
    static var demoConsent: URLValue { URLValue(path: ["demo", "consent"]) }
    static var demoVisitor: URLValue { URLValue(path: ["demo", "visitor"]) }
    static var demoManagement: URLValue { URLValue(path: ["console", "demo"]) }
    static func demoProduct(_ id: String) -> URLValue { URLValue(path: ["demo", "products", id]) }
    static func demoImage(_ id: String) -> URLValue { URLValue(path: ["demo", "images", id + ".svg"]) }
    static func demoCategory(_ slug: String, page: Int = 1) -> URLValue {
        URLValue(path: ["demo", "categories", slug], query: page > 1 ? [("page", String(page))] : [])
    }
    static func demoDepartment(_ name: String) -> URLValue { URLValue(path: ["demo", "departments", name.lowercased()]) }
}
