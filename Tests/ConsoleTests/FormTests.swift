import Postgres
import Ranking
import Support
import Testing
import Web

@testable import Console
@testable import Tastemaker

/// What forms of operators say when something is wrong, and what they ask before it is gone.
struct FormTests {
    @Test(arguments: [
        ("/console/groups", [("timeZone", "UTC"), ("currency", "EUR")]),
        ("/console/groups/shop/solutions", [("recipe", "aws-sims")]),
        ("/console/groups/shop/campaigns", [("version", "my-solution/00000000")]),
        ("/console/groups/shop/filters", [("filterExpression", "INCLUDE ItemID WHERE Items.PRICE > 1")]),
        ("/console/schemas", [("schema", "{}")]),
    ])
    func `a name that is not allowed is refused in words for people`(_ path: String, _ others: [(String, String)]) throws {
        let site = try ConsoleSite()
        _ = try Shop(site: site)
        let browser = try site.browser(.operator)
        try browser.get("/console/help")
        for (name, sentence) in [
            ("My shop!", FieldSentence.name), ("", "This cannot be empty."), (String(repeating: "a", count: 64), "at most 63 characters"),
        ] {
            #expect(try browser.post(path, others + [("name", name)]).status == .unprocessableContent)
            #expect(browser.lastPage.contains(sentence) && !browser.lastPage.contains("validation error"), "\(name)")
        }
    }

    @Test func `a recommender's name is refused in words for people`() throws {
        let site = try ConsoleSite()
        _ = try site.environment.createDatasetGroup(CreateDatasetGroupInput(name: "shop", domain: "ECOMMERCE"), by: .system)
        let browser = try site.browser(.operator)
        try browser.get("/console/groups/shop/recommenders")
        let form = [("name", "-picks"), ("recipe", "aws-ecomm-recommended-for-you")]
        #expect(try browser.post("/console/groups/shop/recommenders", form).status == .unprocessableContent)
        #expect(browser.lastPage.contains(FieldSentence.name) && !browser.lastPage.contains("validation error"))
    }

    @Test(arguments: [
        ("Member must have value greater than or equal to 1", "This is at least 1."),
        ("Member must have value less than or equal to 9", "This is at most 9."),
        ("Member must satisfy enum value set: [A, B]", "This is one of A, B."), ("Member must not be null", "This cannot be empty."),
        ("Member must satisfy regular expression pattern: a+", "This is not written as it has to be."),
    ])
    func `every constraint has words`(_ constraint: String, _ sentence: String) {
        #expect(Check.violation("failed to satisfy constraint: x", field: "f", constraint).sentence == sentence)
    }

    @Test(arguments: [
        ("aws-sims", "no Interactions dataset to train on"),
        ("aws-next-best-action", "no Actions dataset and no Interactions dataset to train on"),
        ("tastemaker-vectors", "imported with `tastemaker model import`, not trained"),
    ])
    func `a training that cannot begin leaves no solution behind`(_ recipe: String, _ reason: String) throws {
        let site = try ConsoleSite()
        _ = try site.group()
        let browser = try site.browser(.operator)
        try browser.get("/console/groups/shop/new-solution")
        let form = [("name", "mine"), ("recipe", recipe), ("train", "on")]
        #expect(try browser.post("/console/groups/shop/solutions", form).status == .unprocessableContent)
        let page = browser.lastPage.replacing("&#96;", with: "`").replacing("&#x60;", with: "`")
        #expect(page.contains(reason) && page.contains("Nothing was made") && page.contains("name=\"train\" checked"), "\(page)")
        #expect(try site.environment.listSolutions(datasetGroupARN: nil, PageRequest(), by: .system).items.isEmpty)
        #expect(try browser.post("/console/groups/shop/solutions", Array(form.dropLast())).status == .seeOther)
        try browser.follow(browser.post("/console/groups/shop/solutions/mine/train"))
        #expect(browser.lastPage.replacing("&#96;", with: "`").contains(reason))
    }

    @Test func `a solution that can be trained begins at once`() throws {
        let site = try ConsoleSite()
        _ = try Shop(site: site)
        let browser = try site.browser(.operator)
        try browser.get("/console/groups/shop/new-solution")
        let form = [("name", "mine"), ("recipe", "aws-sims"), ("train", "on")]
        try browser.follow(browser.post("/console/groups/shop/solutions", form))
        #expect(browser.lastPage.contains("Its training waits for a worker."))
        let arn = site.environment.arn(.solution, "mine", for: .system)
        #expect(
            try site.environment.listSolutionVersions(solutionARN: arn, PageRequest(), by: .system).items.map(\.status) == [.createPending])
    }

    @Test(arguments: [
        ("campaigns/my-campaign", "campaigns/my-campaign", "DeleteCampaign"), ("filters", "filters/my-filter", "DeleteFilter"),
        ("placements/home", "placements/home", "DeletePlacement"),
    ])
    func `what is deleted for good is asked about first and noted`(_ page: String, _ path: String, _ action: String) throws {
        let site = try ConsoleSite()
        _ = try Shop(site: site)
        let browser = try site.browser(.admin)
        let address = "/console/groups/shop/\(path)/delete"
        try browser.get("/console/groups/shop/" + page)
        #expect(browser.lastPage.contains("href=\"\(address)\"") && !browser.lastPage.contains("action=\"\(address)\""))
        #expect(try browser.get(address).status == .ok)
        #expect(browser.lastPage.contains("This cannot be undone") && browser.lastPage.contains("action=\"\(address)\""))
        func entries() throws -> Int64 {
            try site.environment.read { connection in
                try connection.query("SELECT count(*) FROM audit WHERE action = \(action)").first?.int64(0) ?? 0
            }
        }
        #expect(try entries() == 0)
        #expect(try browser.post(address).status == .seeOther)
        #expect(try browser.get(address).status == .notFound)
        #expect(try entries() == 1)
    }

    @Test func `what only an import brought is the last event too`() throws {
        let site = try ConsoleSite()
        let group = try site.group()
        let browser = try site.browser(.operator)
        try browser.get("/console/groups/shop")
        #expect(browser.lastPage.contains("none yet"))
        try site.environment.change { connection in
            for hours: Int64 in [-48, -24, 24] {
                try connection.execute(
                    """
                    INSERT INTO metric_bucket (dataset_group_id, bucket, event_type, events)
                    VALUES (\(group.id), \(site.environment.now().adding(seconds: hours * 3600)), 1, 7)
                    """)
            }
        }
        try browser.get("/console/groups/shop")
        let day = PageFormat(group).time.text(site.environment.now().adding(seconds: -24 * 3600))
        #expect(browser.lastPage.contains(day) && browser.lastPage.contains("from an import"))
    }

    @Test func `two versions are compared with what chance can do`() throws {
        let site = try ConsoleSite()
        _ = try Shop(site: site)
        let report = """
            {"samplingErrors": {"precision_at_5": {"standardError": 0.01, "users": 400}}}
            """
        try site.environment.change { connection in
            try connection.execute("UPDATE solution_version SET report = \(report)::jsonb")
            for (suffix, value, report, count) in [
                ("00000001", 0.12, report, 10), ("00000002", 0.5, report, 10), ("00000003", 0.5, "{}", 10), ("00000004", 0.5, report, 11),
            ] as [(String, Double, String, Int64)] {
                try connection.execute(
                    """
                    INSERT INTO solution_version (solution_id, suffix, name, status, metrics, report, interaction_count)
                    SELECT solution_id, \(suffix), \(suffix), 'ACTIVE', jsonb_build_object('precision_at_5', \(value)::float8), \(report)::jsonb,
                        \(count)
                    FROM solution_version WHERE suffix = '00000000'
                    """)
            }
        }
        let browser = try site.browser(.operator)
        for (other, verdict) in [
            ("00000001", "within chance"), ("00000002", "worse"), ("00000003", "chance not known"), ("00000004", "beyond chance"),
        ] {
            #expect(try browser.get("/console/groups/shop/solutions/my-solution/00000000?with=\(other)").status == .ok)
            #expect(browser.lastPage.contains("<small>\(verdict)</small>"), "\(other)")
            #expect(browser.lastPage.contains("need not be the same people"))
            #expect(browser.lastPage.contains("The data have changed") == (other == "00000004"))
            #expect(browser.lastPage.contains("400 here and 400 there") == (other != "00000003"))
        }
    }
}
