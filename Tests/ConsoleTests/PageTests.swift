import Foundation
import Postgres
import Support
import Testing
import Web

@testable import Console
@testable import Tastemaker

struct PageTests {
    static let pages = [
        "", "/data", "/items", "/items?q=lamp", "/solutions", "/new-solution", "/solutions/my-solution", "/solutions/my-solution/00000000",
        "/campaigns", "/new-campaign", "/campaigns/my-campaign",
        "/campaigns/my-campaign?try=1&user=visitor-1&item=Brass+lamp&filter=my-filter&p.CATEGORY=Lamps",
        "/campaigns/my-campaign?try=1&item=script", "/recommenders", "/filters", "/tracker", "/jobs", "/imports/my-import",
        "/schemas/my-schema",
        "/upload", "/visitors", "/visitors?user=visitor-1", "/visitors?user=%22%3E%3Cscript%3E",
    ]

    @Test func `every page of a full group is well-formed, escaped and under 50 KB`() throws {
        let site = try ConsoleSite()
        _ = try Shop(site: site)
        let browser = try site.browser(.admin)
        let own = [
            "/console/groups", "/console/new-group", "/console/schemas", "/console/keys", "/console/accounts", "/console/audit",
            "/console/help", "/console/password",
        ]
        for page in Self.pages.map({ "/console/groups/shop" + $0 }) + own {
            #expect(try browser.get(page).status == .ok, "\(page)")
            #expect(browser.lastPage.utf8.count < 50_000, "\(page)")
            for attack in ["<script>alert", "\"><script>", "<b>View", "<broke>", "<12,50", "\"\u{301} onload", "done <b>"] {
                #expect(!browser.lastPage.contains(attack), "\(page) shows \(attack)")
            }
        }
    }

    @Test(
        arguments: [
            ("count=0", "The number of items is 1 to 100, not “0”."), ("count=abc", "The number of items is 1 to 100, not “abc”."),
            ("filter=nosuch", "There is no filter named “nosuch”."),
            ("reranks=1&variety=7", "The variety is a number from 0 to 1, not “7”."),
            ("reranks=1&cap1=BRAND&most1=0", "The limit of BRAND is a number from 1 to 500, not “0”."),
        ])
    func `what cannot be tried is said on the campaign's page`(_ query: String, _ sentence: String) throws {
        let site = try ConsoleSite()
        _ = try Shop(site: site)
        let browser = try site.browser(.admin)
        let given = query.addingPercentEncoding(withAllowedCharacters: .urlQueryAllowed) ?? query
        #expect(try browser.get("/console/groups/shop/campaigns/my-campaign?try=1&user=visitor-1&" + given).status == .ok)
        #expect(browser.lastPage.contains(sentence) && browser.lastPage.contains("visitor-1"))
    }

    @Test func `every page of an empty group says the first step`() throws {
        let site = try ConsoleSite()
        _ = try site.group()
        let browser = try site.browser(.admin)
        for (page, step) in [
            ("", "Load a product feed"), ("/data", "Load a product feed"), ("/items", "Load a product feed"),
            ("/solutions", "Make a solution"),
            ("/campaigns", "Train a solution first"), ("/recommenders", "has no domain"), ("/filters", "New filter"),
            ("/tracker", "Make the tracker"),
            ("/jobs", "An import or a training"),
            ("/new-campaign", "Train a solution first"),
        ] {
            #expect(try browser.get("/console/groups/shop" + page).status == .ok)
            #expect(browser.lastPage.contains(step), "\(page)")
        }
    }

    @Test func `a domain's group makes, stops and starts recommenders of its use cases`() throws {
        let site = try ConsoleSite()
        _ = try site.environment.createDatasetGroup(CreateDatasetGroupInput(name: "shop", domain: "ECOMMERCE"), by: .system)
        let browser = try site.browser(.operator)
        let address = "/console/groups/shop/recommenders"
        #expect(try browser.get(address).status == .ok)
        #expect(browser.lastPage.contains("No recommender yet") && browser.lastPage.contains("aws-ecomm-recommended-for-you"))
        #expect(!browser.lastPage.contains("aws-vod-top-picks"))
        let form = [("name", "picks"), ("recipe", "aws-ecomm-recommended-for-you")]
        #expect(try browser.post(address, form).status == .unprocessableContent)
        #expect(browser.lastPage.contains("needs the INTERACTIONS dataset"))
        let arn = { site.environment.arn($0, $1, for: .system) }
        let body = """
            {"type":"record","name":"Interactions","namespace":"com.amazonaws.personalize.schema","version":"1.0","fields":[
            {"name":"USER_ID","type":"string"},{"name":"ITEM_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},
            {"name":"TIMESTAMP","type":"long"}]}
            """
        _ = try site.environment.createSchema(CreateSchemaInput(name: "events", body: body, domain: "ECOMMERCE"), by: .system)
        _ = try site.environment.createDataset(
            CreateDatasetInput(
                name: "events", schemaARN: arn(.schema, "events"), datasetGroupARN: arn(.datasetGroup, "shop"), datasetType: "Interactions"),
            by: .system)
        try browser.follow(browser.post(address, form))
        #expect(browser.lastPage.contains("answers when its training has ended"))
        // Not trained yet: it can be neither stopped nor deleted.
        try browser.follow(browser.post(address + "/picks/stop"))
        #expect(browser.lastPage.contains("The recommender is in status CREATE PENDING"))
        _ = try site.environment.change { connection in
            let version = try connection.query("UPDATE solution_version SET status = 'ACTIVE' RETURNING id")[0].int32(0)
            try site.environment.advanceRecommender(to: site.environment.solutionVersion(id: version, connection), connection)
        }
        try browser.follow(browser.post(address + "/picks/stop"))
        #expect(browser.lastPage.contains("inactive") && browser.lastPage.contains("Start picks"))
        try browser.follow(browser.post(address + "/picks/start"))
        #expect(browser.lastPage.contains("class=\"small quiet\" aria-label=\"Stop picks\""))
        try browser.follow(browser.post(address + "/picks/delete"))
        #expect(browser.lastPage.contains("No recommender yet"))
    }

    @Test func `the console without a group offers to make one`() throws {
        let site = try ConsoleSite()
        let browser = try site.browser(.operator)
        #expect(try browser.get("/console").status == .ok)
        #expect(browser.lastPage.contains("Make a dataset group"))
        let made = try browser.post(
            "/console/groups", [("name", "books"), ("domain", "VIDEO_ON_DEMAND"), ("timeZone", "Europe/Paris"), ("currency", "EUR")])
        try browser.follow(made)
        #expect(browser.lastPage.contains("The dataset group books is there."))
        let group = try site.environment.describeDatasetGroup(arn: "arn:aws:personalize:x:1:dataset-group/books", by: .system)
        #expect(group.timeZone == "Europe/Paris" && group.domain == "VIDEO_ON_DEMAND")
        try browser.get("/console/groups/books/recommenders")
        #expect(browser.lastPage.contains("aws-vod-top-picks"))
        #expect(try browser.get("/console").header("Location") == "/console/groups/books")
    }

    @Test func `a refused form comes back with its input and the sentence beside the field`() throws {
        let site = try ConsoleSite()
        let browser = try site.browser(.operator)
        try browser.get("/console/new-group")
        let answer = try browser.post("/console/groups", [("name", "books"), ("timeZone", "Mars/Olympus\""), ("currency", "EUR")])
        #expect(answer.status == .unprocessableContent)
        #expect(browser.lastPage.contains("value=\"Mars/Olympus&quot;\""))
        #expect(browser.lastPage.contains("is not a time zone"))
        #expect(try site.environment.listDatasetGroups(PageRequest(), by: .system).items.isEmpty)
    }

    @Test func `a filter is checked when it is sent`() throws {
        let site = try ConsoleSite()
        _ = try Shop(site: site)
        let browser = try site.browser(.operator)
        try browser.get("/console/groups/shop/filters")
        let wrong = try browser.post(
            "/console/groups/shop/filters", [("name", "bad"), ("filterExpression", "INCLUDE ItemID WHERE Items.NOPE IN (\"x\")")])
        #expect(wrong.status == .unprocessableContent)
        #expect(browser.lastPage.contains("NOPE"))
        let right = try browser.post(
            "/console/groups/shop/filters", [("name", "lamps"), ("filterExpression", "INCLUDE ItemID WHERE Items.CATEGORY IN (\"Lamps\")")])
        #expect(right.status == .seeOther)
    }

    @Test func `items are found by a piece of the title, exact ones first`() throws {
        let site = try ConsoleSite()
        let shop = try Shop(site: site)
        let titles = try site.environment.searchItems(in: shop.group, text: "LAMP", by: .system).map(\.title)
        #expect(titles == ["Lamp", "Brass lamp"])
        let browser = try site.browser(.marketer)
        let json = try browser.get("/console/groups/shop/items?q=oak", headers: [("Accept", "application/json")])
        #expect(
            String(decoding: json.body, as: UTF8.self)
                == #"{"items":[{"itemId":"i4","title":"Oak table","image":"https://img.example/x.png","price":"€19.90"}]}"#)
    }

    @Test(arguments: ["%", "_", "\\", "'"]) func `a search text is no pattern`(text: String) throws {
        let site = try ConsoleSite()
        let shop = try Shop(site: site)
        let found = try site.environment.searchItems(in: shop.group, text: text, by: .system)
        #expect(found.allSatisfy { $0.title.contains(text) })
    }

    @Test func `an origin of a refused event is allowed by one button`() throws {
        let site = try ConsoleSite()
        let shop = try Shop(site: site)
        let browser = try site.browser(.operator)
        try browser.get("/console/groups/shop/tracker")
        #expect(browser.lastPage.contains("Allow this origin"))
        #expect(try browser.post("/console/groups/shop/tracker/allow", [("origin", "https://evil.example")]).status == .seeOther)
        let tracker = try #require(try site.environment.eventTracker(ofGroup: shop.group.id, by: .system))
        #expect(tracker.origins == ["https://shop.example", "https://evil.example"])
    }

    @Test func `a secret is shown on the answer to its form and nowhere after`() throws {
        let site = try ConsoleSite()
        let browser = try site.browser(.operator)
        try browser.get("/console/keys")
        #expect(try browser.post("/console/keys/api", [("name", "ci"), ("scope", "recommend")]).status == .ok)
        #expect(browser.lastPage.contains("tmk_"))
        try browser.get("/console/keys")
        #expect(!browser.lastPage.contains("tmk_"))
    }

    @Test func `an account is made with a link that its owner uses once`() throws {
        let site = try ConsoleSite()
        let admin = try site.browser(.admin)
        try admin.get("/console/accounts")
        try admin.post("/console/accounts", [("login", "ada"), ("role", "marketer")])
        let link = try #require(admin.lastPage.firstMatch(of: /one-time\?secret=([a-z0-9]+)/))
        let ada = Browser(site: site)
        #expect(try ada.get("/console/one-time?secret=\(link.1)").status == .ok)
    }

    @Test func `a disabled account is enabled again by Undo`() throws {
        let site = try ConsoleSite()
        let admin = try site.browser(.admin)
        _ = try site.browser(.marketer)
        let account = try site.environment.describeAccount(login: "marketer", by: .system)
        try admin.get("/console/accounts")
        try admin.follow(try admin.post("/console/accounts/\(account.id)/disable"))
        #expect(admin.lastPage.contains("/console/accounts/\(account.id)/enable\"><input"))
        try admin.post("/console/accounts/\(account.id)/enable")
        #expect(try site.environment.describeAccount(login: "marketer", by: .system).isActive)
    }

    @Test func `a message is shown once and cannot be forged`() throws {
        let site = try ConsoleSite()
        let browser = try site.browser(.operator)
        browser.cookies[Flash.cookie] = Flash.good("Send money").sealed(key: Array(repeating: 0, count: 32))
        try browser.get("/console/groups")
        #expect(!browser.lastPage.contains("Send money"))
    }

    @Test func `the snippet carries the stub as it is shipped`() throws {
        let stub = try String(
            contentsOf: URL(filePath: ConsoleSite.templates).appending(path: "../Public/tracker.stub.js"), encoding: .utf8)
        #expect(stub.trimmingCharacters(in: .whitespacesAndNewlines) == TrackerStub.text)
    }

    @Test func `a page keeps scripts out by its policy`() throws {
        let site = try ConsoleSite()
        let browser = try site.browser(.admin)
        let policy = try #require(try browser.get("/console/groups").header("Content-Security-Policy"))
        #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe-inline"))
    }

    @Test func `numbers are grouped, rounded and carry their unit`() {
        #expect(PageFormat.number(1_204_331) == "1,204,331")
        #expect(PageFormat.number(-12) == "−12")
        #expect(PageFormat.decimal(1204.5, places: 2) == "1,204.50")
        #expect(PageFormat.decimal(0.0312, places: 4) == "0.0312")
        #expect(PageFormat.percent(0.034) == "3.4 %")
        #expect(PageFormat(nil).money(-3) == "−$3.00")
    }
}
