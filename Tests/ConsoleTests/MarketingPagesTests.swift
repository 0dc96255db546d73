import Foundation
import Postgres
import Support
import Testing
import Web

@testable import Console
@testable import Tastemaker

/// A shop with items, placements and a marketer in front of a browser.
struct MarketingSite {
    let site: ConsoleSite
    let group: DatasetGroup
    let marketer: Browser
    let caller = Caller(.account(login: "ada", role: .marketer))

    init() throws {
        site = try ConsoleSite()
        let made = try site.group()
        try site.environment.updateDatasetGroupDisplay(
            id: made.id, columns: DisplayColumns(title: "TITLE", category: "CATEGORY"), timeZone: "Europe/Berlin", currency: "EUR",
            by: .system)
        group = try site.environment.describeDatasetGroup(id: made.id, by: .system)
        marketer = try site.browser(.marketer)
        let ids = ["lamp", "chair", "table", "desk"]
        let attributes = ["Lamp <Aurora>", "Chair Nord", "Table Nord", "Desk"].map { #"{"TITLE": "\#($0)", "CATEGORY": "Living"}"# }
        let id = group.id
        try site.environment.change { connection in
            _ = try connection.execute(
                """
                INSERT INTO item_record (dataset_group_id, item_id, is_bulk, revision, attributes)
                SELECT \(id), i, true, 1, a::jsonb FROM unnest((SELECT intern_items(\(id), \(ids))), \(attributes)) AS r(i, a)
                """)
        }
        let arn = "arn:aws:personalize:us-east-1:123456789012:"
        _ = try site.environment.createSchema(CreateSchemaInput(name: "items", body: Self.items), by: .system)
        _ = try site.environment.createDataset(
            CreateDatasetInput(
                name: "items", schemaARN: arn + "schema/items", datasetGroupARN: arn + "dataset-group/shop", datasetType: "Items"),
            by: .system)
        try site.environment.createDefaultPlacements(datasetGroupID: group.id, by: caller)
    }

    private static let items = """
        {"type":"record","name":"Items","namespace":"com.amazonaws.personalize.schema","fields":[
        {"name":"ITEM_ID","type":"string"},{"name":"TITLE","type":"string"},
        {"name":"CATEGORY","type":["null","string"],"categorical":true}],"version":"1.0"}
        """

    func promotion() throws -> Promotion {
        try #require(try site.environment.listPromotions(datasetGroupID: group.id, by: caller).first)
    }
}

struct MarketingPagesTests {
    @Test func `the usual placements are made with one click and one is edited`() throws {
        let site = try ConsoleSite()
        _ = try site.group()
        let marketer = try site.browser(.marketer)
        try marketer.get("/console/groups/shop/placements")
        #expect(marketer.lastPage.contains("No placement yet"))
        try marketer.follow(try marketer.post("/console/groups/shop/default-placements"))
        #expect(marketer.lastPage.contains("Home: for you"))
        try marketer.get("/console/groups/shop/placements/cart/edit")
        let saved = try marketer.post(
            "/console/groups/shop/placements/cart/edit",
            [("name", "cart"), ("title", "Cart <now>"), ("purpose", "bought-together"), ("itemCount", "5"), ("fallback", "newest")])
        #expect(saved.status == .seeOther)
        #expect(try marketer.follow(saved).status == .ok)
        #expect(marketer.lastPage.contains("Cart &lt;now&gt;") && marketer.lastPage.contains("newest items"))
    }

    @Test func `a wrong placement comes back with the sentence beside its field`() throws {
        let shop = try MarketingSite()
        try shop.marketer.get("/console/groups/shop/new-placement")
        let answer = try shop.marketer.post(
            "/console/groups/shop/new-placement", [("name", "Not A Slug"), ("title", "T"), ("itemCount", "12"), ("purpose", "popular")])
        #expect(answer.status == .unprocessableContent)
        #expect(shop.marketer.lastPage.contains("is not a name for a placement"))
        #expect(shop.marketer.lastPage.contains("value=\"Not A Slug\""))
    }

    @Test func `a promotion is made by titles, published, edited and taken back, without an id typed`() throws {
        let shop = try MarketingSite()
        let browser = shop.marketer
        try browser.get("/console/groups/shop/new-promotion")
        let form = "/console/groups/shop/new-promotion"
        // Two titles hold the word: the person chooses.
        try browser.post(form, [("do", "add"), ("name", "Weekend"), ("kind", "pin"), ("mode", "items"), ("find", "nord")])
        #expect(
            browser.lastPage.contains("Which of these?") && browser.lastPage.contains("Chair Nord")
                && browser.lastPage.contains("Table Nord"))
        // One title holds it: it is taken.
        try browser.post(form, [("do", "add"), ("name", "Weekend"), ("kind", "pin"), ("mode", "items"), ("find", "aurora")])
        #expect(browser.lastPage.contains("<input type=\"checkbox\" name=\"item\" value=\"lamp\" checked> Lamp &lt;Aurora&gt;"))
        let fields = [
            ("name", "Weekend"), ("kind", "pin"), ("mode", "items"), ("item", "lamp"), ("position", "2"), ("priority", "100"),
            ("holdOut", "10"),
            ("place", "home-for-you"), ("endsAt", "2030-01-01T00:00"),
        ]
        try browser.follow(try browser.post(form, fields + [("do", "publish")]))
        #expect(browser.lastPage.contains("Weekend is published") && browser.lastPage.contains(">live<"))
        #expect(browser.lastPage.contains("Lamp &lt;Aurora&gt;") && browser.lastPage.contains("pin from position 2"))
        let id = try shop.promotion().id
        let edit = "/console/groups/shop/promotions/\(id)/edit"
        try browser.get(edit)
        #expect(browser.lastPage.contains("name=\"basedOn\" value=\"1\""))
        try browser.follow(
            try browser.post(edit, fields.map { $0.0 == "position" ? ("position", "1") : $0 } + [("do", "publish"), ("basedOn", "1")]))
        #expect(browser.lastPage.contains("<del>pin from position 2</del> <ins>pin from position 1</ins>"))
        try browser.follow(try browser.post("/console/groups/shop/promotions/\(id)/undo"))
        #expect(try shop.promotion().published?.definition.position == 2)
        #expect(browser.lastPage.contains("Back to version 1"))
    }

    @Test func `a preview shows the list with and without the promotion and stores nothing`() throws {
        let shop = try MarketingSite()
        try shop.marketer.get("/console/groups/shop/new-promotion")
        let answer = try shop.marketer.post(
            "/console/groups/shop/new-promotion",
            [
                ("do", "preview"), ("name", "N"), ("kind", "hide"), ("mode", "items"), ("item", "lamp"), ("holdOut", "50"),
                ("previewPlacement", "home-for-you"), ("previewVisitor", "somebody"), ("startsAt", "2027-01-01T00:00"),
            ])
        #expect(answer.status == .ok)
        #expect(shop.marketer.lastPage.contains("As of <time datetime=\"2026-12-31T23:00:00Z\">1 Jan 2027, 00:00</time>"))
        let lists = shop.marketer.lastPage.components(separatedBy: "<h3>Without it</h3>")
        #expect(lists.count == 2 && !lists[0].contains("<strong>Lamp") && lists[1].contains("<strong>Lamp &lt;Aurora&gt;"))
        #expect(try shop.site.environment.listPromotions(datasetGroupID: shop.group.id, by: shop.caller).isEmpty)
    }

    @Test func `saving with a title that several items have asks first`() throws {
        let shop = try MarketingSite()
        try shop.marketer.get("/console/groups/shop/new-promotion")
        let answer = try shop.marketer.post(
            "/console/groups/shop/new-promotion", [("do", "publish"), ("name", "N"), ("kind", "hide"), ("mode", "items"), ("find", "nord")])
        #expect(answer.status == .ok && shop.marketer.lastPage.contains("Which of these?"))
        #expect(try shop.site.environment.listPromotions(datasetGroupID: shop.group.id, by: shop.caller).isEmpty)
    }

    @Test func `a promotion of a category names no item`() throws {
        let shop = try MarketingSite()
        try shop.marketer.get("/console/groups/shop/new-promotion")
        #expect(shop.marketer.lastPage.contains("Living (4)"))
        try shop.marketer.follow(
            try shop.marketer.post(
                "/console/groups/shop/new-promotion",
                [("do", "save"), ("name", "Living"), ("kind", "boost"), ("mode", "category"), ("category", "Living"), ("holdOut", "0")]))
        #expect(shop.marketer.lastPage.contains("category: Living") && shop.marketer.lastPage.contains(">draft<"))
    }

    @Test(arguments: [
        ("holdOut", "90", "hold-out"), ("startsAt", "soon", "soon"), ("position", "x", "position"), ("name", "", "name"),
    ])
    func `what cannot be saved is said and the form keeps the input`(field: String, value: String, sentence: String) throws {
        let shop = try MarketingSite()
        try shop.marketer.get("/console/groups/shop/new-promotion")
        let fields = [
            ("name", "Kept"), ("kind", "pin"), ("mode", "items"), ("item", "lamp"), ("holdOut", "10"), ("do", "save"),
            ("note", "Kept note"),
        ]
        let answer = try shop.marketer.post("/console/groups/shop/new-promotion", fields.filter { $0.0 != field } + [(field, value)])
        #expect(answer.status == .unprocessableContent)
        #expect(shop.marketer.lastPage.contains("role=\"alert\"") && shop.marketer.lastPage.contains(sentence))
        #expect(shop.marketer.lastPage.contains("value=\"Kept note\""))
    }

    @Test func `an experiment is forecast, made, started and stopped`() throws {
        let shop = try MarketingSite()
        let browser = shop.marketer
        let form = "/console/groups/shop/new-experiment"
        let fields = [
            ("name", "Layout"), ("placement", "home-for-you"), ("primaryMetric", "revenue"), ("plannedEnd", "2026-10-20"),
            ("convertingEvent", "Purchase"), ("windowDays", "7"), ("coverage", "100"), ("arm0", "As now"), ("weight0", "1"),
            ("arm1", "New"),
            ("weight1", "1"), ("promotions1", "none"),
        ]
        try browser.get(form)
        #expect(try browser.post(form, fields + [("do", "forecast")]).status == .ok)
        #expect(browser.lastPage.contains("had no visitors") && browser.lastPage.contains("value=\"Layout\""))
        #expect(try browser.post(form, fields.filter { $0.0 != "plannedEnd" } + [("do", "create")]).status == .unprocessableContent)
        #expect(browser.lastPage.contains("Choose the day on which the result is read."))
        try browser.follow(try browser.post(form, fields + [("do", "create")]))
        #expect(browser.lastPage.contains("A draft: nobody takes part yet."))
        let id = try #require(try shop.site.environment.listExperiments(datasetGroupID: shop.group.id, by: shop.caller).first).id
        try browser.follow(try browser.post("/console/groups/shop/experiments/\(id)/start"))
        #expect(browser.lastPage.contains("Differences are hidden until the planned end on 20 Oct 2026, 23:59"))
        try browser.follow(try browser.post("/console/groups/shop/experiments/\(id)/stop", [("reason", "enough")]))
        #expect(browser.lastPage.contains("there is no verdict"))
        #expect(try browser.get("/console/groups/shop/experiments/\(id)/report.csv").status == .ok)
        try browser.get("/console/groups/shop/experiments")
        #expect(browser.lastPage.contains("stopped early"))
    }

    @Test func `an arm takes promotions by their names`() throws {
        let shop = try MarketingSite()
        let browser = shop.marketer
        let promotion = try shop.site.environment.createPromotion(
            name: "Spring & sale", PromotionDefinition(kind: .hide, selection: .items(["i1"])), datasetGroupID: shop.group.id,
            by: shop.caller)
        let form = "/console/groups/shop/new-experiment"
        try browser.get(form)
        #expect(browser.lastPage.contains("Spring &amp; sale <small>draft"))
        let fields = [
            ("name", "Sets"), ("placement", "home-for-you"), ("primaryMetric", "revenue"), ("plannedEnd", "2026-10-20"),
            ("convertingEvent", "Purchase"), ("windowDays", "7"), ("coverage", "100"), ("arm0", "As now"), ("weight0", "1"),
            ("arm1", "New"), ("weight1", "1"), ("do", "create"),
        ]
        #expect(try browser.post(form, fields + [("promotions1", "listed")]).status == .unprocessableContent)
        #expect(browser.lastPage.contains("Tick the promotions of &#39;New&#39;"))
        #expect(try browser.post(form, fields + [("promotion1", "\(promotion.id)")]).status == .unprocessableContent)
        #expect(browser.lastPage.contains("value=\"\(promotion.id)\" checked"))
        try browser.follow(try browser.post(form, fields + [("promotions1", "listed"), ("promotion1", "\(promotion.id)")]))
        #expect(browser.lastPage.contains("only &#39;Spring &amp; sale&#39;"))
        let experiment = try #require(try shop.site.environment.listExperiments(datasetGroupID: shop.group.id, by: shop.caller).first)
        #expect(experiment.arms.map(\.promotions) == [.placement, .listed([promotion.id])])
    }

    @Test func `a report at its end shows the verdict and an interval for each metric`() throws {
        let shop = try MarketingSite()
        var input = ExperimentInput(
            name: "Lift", placement: "home-for-you", primaryMetric: .conversion,
            plannedEndAt: PGTimestamp(microseconds: shop.site.clock.now.microseconds + 86_400_000_000),
            arms: [.init(name: "Control"), .init(name: "New")])
        input.windowDays = 1
        let draft = try shop.site.environment.createExperiment(input, datasetGroupID: shop.group.id, by: shop.caller)
        let running = try shop.site.environment.startExperiment(draft.id, by: shop.caller)
        let units = (0..<1000).map { "u\($0)" }
        let arms = units.indices.map { running.arms[$0 % 2].id }
        let group = shop.group.id
        let at = shop.site.clock.now
        _ = try shop.site.environment.change { connection in
            try connection.execute(
                """
                INSERT INTO exposure (experiment_id, unit_id, arm_id, exposed_at)
                SELECT \(running.id), u, a, \(at) FROM unnest((SELECT intern_users(\(group), \(units))), \(arms)) AS x(u, a)
                """)
        }
        shop.site.clock.advance(seconds: 3 * 86_400)
        let analyst = try shop.site.browser(.analyst)
        try analyst.get("/console/groups/shop/experiments/\(running.id)")
        #expect(analyst.lastPage.contains("Too few visitors or orders") && analyst.lastPage.contains("the figures are final"))
        #expect(analyst.lastPage.contains("Split 50.0 % : 50.0 %, planned 50.0 % : 50.0 % (p = 1.000, as it should be)."))
        #expect(!analyst.lastPage.contains("<button>Start</button>"))
    }

    @Test func `metrics show charts with a table of the same days, and CSV`() throws {
        let shop = try MarketingSite()
        let group = shop.group.id
        let at = shop.site.clock.now
        _ = try shop.site.environment.change { connection in
            try connection.execute(
                """
                INSERT INTO request_metric (bucket, dataset_group_id, operation, target, code, requests, latency)
                VALUES (\(at), \(group), 'GetRecommendations', '=camp', 200, 90, ARRAY[0, 0, 90, 0, 0, 0, 0, 0, 0, 0])
                """)
        }
        let page = try shop.marketer.get("/console/groups/shop/metrics?days=28")
        #expect(page.body.count < 50_000)
        #expect(shop.marketer.lastPage.contains("<title id=\"money-title\">Revenue</title>"))
        #expect(shop.marketer.lastPage.components(separatedBy: "<th scope=\"row\"><time datetime=\"2026-").count == 29)
        let csv = try shop.marketer.get("/console/groups/shop/metrics/requests.csv?days=7")
        #expect(String(decoding: csv.body, as: UTF8.self).contains("GetRecommendations,\"'=camp\",90,0,0,"))
        #expect(try shop.marketer.get("/console/groups/shop/metrics/other.csv").status == .notFound)
    }

    @Test func `who only looks is offered no change and may make none`() throws {
        let shop = try MarketingSite()
        let reader = try shop.site.browser(.readOnly)
        for path in ["placements", "placements/home-for-you", "promotions", "experiments", "metrics"] {
            #expect(try reader.get("/console/groups/shop/\(path)").status == .ok)
            #expect(!reader.lastPage.contains("method=\"post\" action=\"/console/groups/"))
        }
        #expect(try reader.post("/console/groups/shop/default-placements").status == .forbidden)
        #expect(try reader.get("/console/groups/shop/new-promotion").status == .forbidden)
    }

    @Test func `another group's promotion is not found`() throws {
        let shop = try MarketingSite()
        let made = try shop.site.environment.createPromotion(
            name: "P", PromotionDefinition(kind: .hide, selection: .items(["lamp"])), datasetGroupID: shop.group.id, by: shop.caller)
        _ = try shop.site.group("other")
        #expect(try shop.marketer.get("/console/groups/other/promotions/\(made.id)").status == .notFound)
        try shop.marketer.get("/console/groups/other/promotions")
        #expect(try shop.marketer.post("/console/groups/other/promotions/\(made.id)/publish").status == .notFound)
    }
}

struct ChartTests {
    @Test(arguments: [(0.0, 1.0, 1.0), (0.034, 0.04, 0.01), (7.0, 8.0, 2.0), (100.0, 100.0, 25.0), (1234.0, 1500.0, 500.0)])
    func `an axis has round steps and holds the maximum`(maximum: Double, top: Double, step: Double) {
        let scale = ChartScale(maximum: maximum)
        #expect(abs(scale.top - top) < 1e-9 && abs(scale.step - step) < 1e-9)
        #expect(scale.ticks.count <= 6)
    }

    @Test func `a gap in a series breaks the line and no foreign text becomes markup`() {
        let chart = LineChart(
            id: "x", title: "A <b>", description: "\"d\"", labels: ["1", "2", "3"],
            series: [.init(name: "s", values: [1, nil, 2])], format: { "\($0)" })
        let text = chart.html.text
        #expect(text.contains("A &lt;b&gt;") && text.contains("&quot;d&quot;"))
        #expect(text.components(separatedBy: "h0.1").count == 3)
    }
}
