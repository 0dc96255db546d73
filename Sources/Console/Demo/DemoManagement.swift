import Tastemaker
import Web

/// The demo shop's page in the console: what it is, and how it goes away.
enum DemoManagement {
    static func show(_ visit: Visit) throws -> Response {
        var model: ViewModel = [
            "isLoaded": false, "canRemove": .bool(visit.may(.operators)), "name": "", "summary": "", "shopURL": .url(.demo),
            "groupURL": .url(.home),
            "removeURL": .url(URLValue(path: ["console", "demo", "remove"])),
        ]
        if let group = try visit.environment.demoGroup() {
            let days = Int(DemoShop.days)
            model["isLoaded"] = true
            model["name"] = .text(group.name)
            model["groupURL"] = .url(.today(group))
            model["summary"] = .text(
                "\(PageFormat.number(DemoCatalogue.shipped.products.count)) products, \(days) days of invented visitors, promotions and three experiments."
            )
        }
        return try visit.render("demo/manage", model)
    }

    static func remove(_ visit: Visit) throws -> Response {
        try visit.environment.removeDemo(by: visit.accountCaller)
        return visit.redirect(to: .home, .good("The demo shop is removed, with everything that was made for it."))
    }
}
