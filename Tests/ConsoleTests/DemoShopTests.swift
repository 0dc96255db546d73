import Foundation
import Support
import Testing
import Web

@testable import Console
@testable import Tastemaker

@Suite(.serialized) struct DemoShopTests {
    /// A site with a small demo shop; its first 240 products are those of the shipped catalogue.
    static let site = Result {
        let site = try ConsoleSite()
        try site.environment.loadDemo(DemoSize(products: 240, visitors: 120, liveDays: 4, newcomers: 10), runsJobs: true) { _ in }
        return site
    }

    private func browser() throws -> Browser { Browser(site: try Self.site.get()) }

    @Test func `without a demo shop the page says how to load it`() throws {
        let browser = Browser(site: try ConsoleSite())
        #expect(try browser.get("/demo").status == .notFound)
        #expect(browser.lastPage.contains("tastemaker demo load"))
    }

    @Test(arguments: [
        "/demo", "/demo/departments/kitchen", "/demo/categories/rugs", "/demo/categories/rugs?page=2", "/demo/products/p0007", "/demo/cart",
    ])
    func `a page is whole, small and holds the snippet`(path: String) throws {
        let browser = try browser()
        let response = try browser.get(path)
        #expect(response.status == .ok)
        #expect(response.body.count < 50_000)
        let key = try #require(try Self.site.get().environment.eventTracker(ofGroup: group().id, by: .system)?.trackingID)
        #expect(browser.lastPage.contains("tm.load(\"\(key)\""))
        #expect(browser.lastPage.contains("simulated"))
    }

    @Test func `scripts run by the page's nonce alone`() throws {
        let browser = try browser()
        let policy = try #require(try browser.get("/demo").header("Content-Security-Policy"))
        let nonce = try #require(policy.firstMatch(of: /'nonce-([A-Za-z0-9_-]{24})'/)).1
        #expect(!policy.contains("unsafe-inline"))
        #expect(
            browser.lastPage.matches(of: /<script/).count
                == browser.lastPage.matches(of: /<script[^>]*nonce="([^"]+)"/).count { $0.1 == nonce })
    }

    @Test(arguments: [
        "/demo/products/p9999", "/demo/categories/cars", "/demo/departments/x", "/demo/images/p0001.png", "/demo/images/p9999.svg",
    ])
    func `what the shop lacks is not found`(path: String) throws {
        #expect(try browser().get(path).status == .notFound)
    }

    @Test func `boxes are filled without scripts, with reasons`() throws {
        let browser = try browser()
        try browser.get("/demo")
        #expect(browser.lastPage.matches(of: /data-tm-item="p\d{4}"/).count == 16)
        #expect(browser.lastPage.contains("<span class=\"reason\">"))
    }

    @Test func `a cart is bought and told to the tracker once`() throws {
        let browser = try browser()
        try browser.get("/demo/products/p0007")
        let added = try browser.post("/demo/cart", [("item", "p0007")])
        try browser.follow(added)
        #expect(browser.lastPage.contains(try #require(DemoCatalogue.shipped[id: "p0007"]).title))
        try browser.follow(try browser.post("/demo/order"))
        let order = try #require(browser.lastPage.firstMatch(of: /id="order">(.+)<\/script>/)).1
        #expect(order.contains("\"p0007\"") && order.contains("\"EUR\""))
        #expect(browser.cookies["demo_cart"] == nil)
        try browser.follow(try browser.get("/demo/thanks"))
        #expect(!browser.lastPage.contains("id=\"order\""))
    }

    @Test func `nobody is recognised before he agrees, and who agrees may leave`() throws {
        let browser = try browser()
        try browser.get("/demo")
        #expect(browser.cookies["tm_id"] == nil && browser.lastPage.contains("id=\"consent\""))
        #expect(browser.lastPage.contains("consent:\"pending\""))
        try browser.follow(try browser.post("/demo/consent", [("choice", "granted")]))
        let first = try #require(browser.cookies["tm_id"])
        #expect(!browser.lastPage.contains("id=\"consent\"") && browser.lastPage.contains("consent:\"granted\""))
        try browser.follow(try browser.post("/demo/visitor", [("choice", "another")]))
        #expect(browser.cookies["tm_id"] != first)
    }

    @Test func `no is remembered`() throws {
        let browser = try browser()
        try browser.get("/demo")
        try browser.follow(try browser.post("/demo/consent", [("choice", "denied")]))
        #expect(browser.cookies["tm_id"] == nil && !browser.lastPage.contains("id=\"consent\""))
    }

    @Test func `forget me erases what was stored of the visitor`() throws {
        let site = try Self.site.get()
        let browser = try browser()
        try browser.get("/demo")
        try browser.follow(try browser.post("/demo/consent", [("choice", "granted")]))
        let visitor = try AnonymousID.externalID(try #require(browser.cookies["tm_id"]))
        var event = NewEvent(
            datasetGroupID: try group().id, source: .tracker, userID: visitor, visitorID: visitor, eventType: "View",
            occurredAt: site.clock.now)
        event.itemID = "p0007"
        _ = try site.services.events.append([event])
        let name = DemoShop.groupName
        #expect(try site.environment.describeUser(visitor, datasetGroupName: name, by: .system) != nil)
        try browser.post("/demo/visitor", [("choice", "forget")])
        #expect(try site.environment.describeUser(visitor, datasetGroupName: name, by: .system) == nil)
    }

    @Test func `a form without its token changes nothing`() throws {
        let browser = try browser()
        try browser.get("/demo/products/p0007")
        #expect(try browser.post("/demo/cart", [("item", "p0007")], token: "forged").status == .forbidden)
        #expect(browser.cookies["demo_cart"] == nil)
    }

    @Test func `a cookie full of nonsense is an empty cart`() {
        #expect(DemoCart(cookie: "p9999:1.p0001:-4.:.x.p0002:zwei", .shipped).lines.isEmpty)
        #expect(DemoCart(cookie: "p0001:99", .shipped).count == 9)
    }

    @Test(arguments: 0..<24)
    func `a picture is small and well-formed`(index: Int) throws {
        let response = try browser().get("/demo/images/\(DemoCatalogue.shipped.products[index].id).svg")
        #expect(response.header("Content-Type") == "image/svg+xml" && response.body.count < 2048)
        #expect(PageCheck.fault(in: "<!doctype html>" + String(decoding: response.body, as: UTF8.self)) == nil)
    }

    @Test func `the console removes the shop for those who may`() throws {
        let site = try ConsoleSite()
        try site.environment.loadDemo(DemoSize(products: 240, visitors: 60, liveDays: 2, newcomers: 5), runsJobs: true) { _ in }
        let analyst = try site.browser(.analyst)
        #expect(try analyst.post("/console/demo/remove").status == .forbidden)
        let admin = try site.browser(.admin)
        try admin.get("/console/demo")
        #expect(admin.lastPage.contains("Remove the demo shop"))
        #expect(try admin.post("/console/demo/remove").status == .seeOther)
        #expect(try site.environment.demoGroup() == nil)
    }

    private func group() throws -> DatasetGroup {
        try #require(try Self.site.get().environment.demoGroup())
    }
}
