import Tastemaker
import Web

extension ConsoleRoutes {
    /// The demo shop, for everyone, and its page in the console.
    static let demo: [ConsoleRoute] = [
        .page(.get, "/demo", .everyone) { try DemoVisit($0).map(DemoPages.home) ?? DemoPages.absent($0) },
        .page(.get, "/demo/departments/{slug}", .everyone) { try DemoVisit($0).map(DemoPages.department) ?? DemoPages.absent($0) },
        .page(.get, "/demo/categories/{slug}", .everyone) { try DemoVisit($0).map(DemoPages.category) ?? DemoPages.absent($0) },
        .page(.get, "/demo/products/{id}", .everyone) { try DemoVisit($0).map(DemoPages.product) ?? DemoPages.absent($0) },
        .page(.get, "/demo/images/{file}", .everyone, DemoPages.image),
        .page(.get, "/demo/cart", .everyone) { try DemoVisit($0).map(DemoCartPages.show) ?? DemoPages.absent($0) },
        .page(.post, "/demo/cart", .everyone) { try DemoVisit($0).map(DemoCartPages.add) ?? DemoPages.absent($0) },
        .page(.post, "/demo/cart/remove", .everyone) { try DemoVisit($0).map(DemoCartPages.remove) ?? DemoPages.absent($0) },
        .page(.post, "/demo/order", .everyone) { try DemoVisit($0).map(DemoCartPages.order) ?? DemoPages.absent($0) },
        .page(.get, "/demo/thanks", .everyone) { try DemoVisit($0).map(DemoCartPages.thanks) ?? DemoPages.absent($0) },
        .page(.post, "/demo/consent", .everyone) { try DemoVisit($0).map(DemoVisitorPages.consent) ?? DemoPages.absent($0) },
        .page(.post, "/demo/visitor", .everyone) { try DemoVisit($0).map(DemoVisitorPages.leave) ?? DemoPages.absent($0) },
        .page(.get, "/console/demo", .viewOperation, DemoManagement.show),
        .page(.post, "/console/demo/remove", .operators, DemoManagement.remove),
    ]
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
