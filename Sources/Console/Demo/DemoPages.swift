import Tastemaker
import Web

/// The pages of the demo shop that show things.
enum DemoPages {
    private static let pageSize = 24

    static func absent(_ visit: Visit) throws -> Response {
        try visit.renderAlone("demo/absent", [:], SecurityHeaders(isSecure: visit.shared.isSecure), status: .notFound)
    }

    static func home(_ demo: DemoVisit) throws -> Response {
        let boxes = [
            DemoBox(placement: DemoShop.forYou, heading: "For you"), DemoBox(placement: DemoShop.popular, heading: "Popular"),
        ]
        let categories = DemoCategory.all.enumerated().map { index, category -> ViewModel in
            [
                "name": .text(category.name), "url": .url(.demoCategory(category.slug)),
                "image": .url(.demoImage(demo.catalogue.products[demo.catalogue.byCategory[index][0]].id)),
            ]
        }
        return try demo.render("demo/home", ["boxes": .list(boxes.map { $0.model(demo) }), "categories": .list(categories)])
    }

    static func department(_ demo: DemoVisit) throws -> Response {
        let slug = try demo.visit.pathText("slug")
        guard let department = DemoDepartment.all.first(where: { $0.name.lowercased() == slug }) else { throw missing }
        let categories = department.categories.map { index -> ViewModel in
            let category = DemoCategory.all[index]
            let newest = demo.catalogue.byCategory[index].prefix(6).map { card(demo.catalogue.products[$0], demo) }
            return ["name": .text(category.name), "url": .url(.demoCategory(category.slug)), "products": .list(newest)]
        }
        return try demo.render(
            "demo/department", ["name": .text(department.name), "categories": .list(categories)], department: department.name)
    }

    static func category(_ demo: DemoVisit) throws -> Response {
        let slug = try demo.visit.pathText("slug")
        guard let index = DemoCategory.all.firstIndex(where: { $0.slug == slug }) else { throw missing }
        let category = DemoCategory.all[index]
        let all = demo.catalogue.byCategory[index]
        let pages = max(1, (all.count + pageSize - 1) / pageSize)
        let page = min(pages, max(1, try demo.visit.request.query("page").flatMap { Int($0) } ?? 1))
        let shown = all.dropFirst((page - 1) * pageSize).prefix(pageSize).map { card(demo.catalogue.products[$0], demo) }
        return try demo.render(
            "demo/category",
            [
                "name": .text(category.name), "summary": .text("\(all.count) products, page \(page) of \(pages)"), "products": .list(shown),
                "previousURL": page > 1 ? .url(.demoCategory(slug, page: page - 1)) : false,
                "nextURL": page < pages ? .url(.demoCategory(slug, page: page + 1)) : false,
            ], department: category.department)
    }

    static func product(_ demo: DemoVisit) throws -> Response {
        guard let product = demo.catalogue[id: try demo.visit.pathText("id")] else { throw missing }
        let category = DemoCategory.all[product.category]
        let boxes = [
            DemoBox(placement: DemoShop.similar, heading: "Similar", itemID: product.id),
            DemoBox(placement: DemoShop.boughtTogether, heading: "Often bought together", itemID: product.id),
        ]
        return try demo.render(
            "demo/product",
            card(product, demo).merging([
                "category": .text(category.name), "categoryURL": .url(.demoCategory(category.slug)), "brand": .text(product.brand),
                "description": .text(product.description), "amount": .text(product.price),
                "pixel": demo.pixel("Product Viewed", [("product_id", product.id)]).map { .url($0) } ?? false,
                "boxes": .list(boxes.map { $0.model(demo) }),
            ]), department: category.department, viewing: product.id)
    }

    /// `p0001.svg`: drawn when it is asked for; the same for ever, so browsers keep it.
    static func image(_ visit: Visit) throws -> Response {
        let file = try visit.pathText("file")
        guard file.hasSuffix(".svg"), let product = DemoCatalogue.shipped[id: String(file.dropLast(4))] else { throw missing }
        var response = Response(.ok, contentType: "image/svg+xml", body: Array(DemoPicture(product).svg.text.utf8))
        response.setHeader("Cache-Control", "public, max-age=31536000, immutable")
        response.setHeader("Content-Security-Policy", "default-src 'none'; sandbox")
        SecurityHeaders.applyCommon(to: &response)
        return response
    }

    static func card(_ product: DemoProduct, _ demo: DemoVisit) -> ViewModel {
        [
            "id": .text(product.id), "url": .url(.demoProduct(product.id)), "image": .url(.demoImage(product.id)),
            "title": .text(product.title), "price": .text(demo.format.money(Double(product.cents) / 100)), "reason": false,
        ]
    }

    static var missing: OperationError { .notFound("The shop has nothing at this address.") }
}
