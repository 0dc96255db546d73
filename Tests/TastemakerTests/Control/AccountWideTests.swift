import Dispatch
import Postgres
import Support
import Synchronization
import Tastemaker
import Testing

/// Rules that hold for every kind of resource: paging, tags, names, and keys bound to one group.
struct AccountWideTests {
    let fixture: ControlFixture

    init() throws { fixture = try ControlFixture() }

    @Test func `paging neither skips nor repeats while resources are added and share a creation time`() throws {
        for index in 1...7 {
            _ = try fixture.makeGroup("before-\(index)")
            if index % 3 == 0 { fixture.clock.advance(seconds: 1) }
        }
        var seen: [String] = []
        var token: String?
        repeat {
            let page = try fixture.environment.listDatasetGroups(PageRequest(maxResults: 2, nextToken: token), by: fixture.caller)
            seen += page.items.map(\.name)
            token = page.nextToken
            _ = try fixture.makeGroup("during-\(seen.count)")
        } while token != nil
        #expect(seen == (1...7).reversed().map { "before-\($0)" })
    }

    @Test(arguments: ["x", "", String(repeating: "a", count: 1501)])
    func `a token that was not issued is refused`(token: String) {
        #expect(Refusal { try fixture.environment.listSchemas(PageRequest(nextToken: token), by: fixture.caller) } == .invalidNextToken)
    }

    @Test func `a token of another operation or argument is refused`() throws {
        try fixture.makeShop()
        _ = try fixture.makeGroup("other")
        let page = try fixture.environment.listDatasets(
            datasetGroupARN: fixture.arn("dataset-group/shop"), PageRequest(maxResults: 1), by: fixture.caller)
        #expect(page.nextToken != nil)
        let request = try PageRequest(maxResults: 1, nextToken: page.nextToken)
        #expect(Refusal { try fixture.environment.listSchemas(request, by: fixture.caller) } == .invalidNextToken)
        let other = fixture.arn("dataset-group/other")
        #expect(Refusal { try fixture.environment.listDatasets(datasetGroupARN: other, request, by: fixture.caller) } == .invalidNextToken)
    }

    @Test(arguments: [0, 101, -1])
    func `the size of a page is bounded`(size: Int) {
        #expect(Refusal { try PageRequest(maxResults: size) } == .invalidInput)
    }

    @Test(arguments: ["", "-a", "a b", "é", "a.b", String(repeating: "a", count: 64)])
    func `a name that breaks the pattern is refused`(name: String) {
        #expect(Refusal { try fixture.makeGroup(name) } == .invalidInput)
    }

    @Test func `a replayed create says that the resource exists`() throws {
        _ = try fixture.makeGroup()
        #expect(Refusal { try fixture.makeGroup() } == .alreadyExists)
        try fixture.makeSchema("s")
        #expect(Refusal { try fixture.makeSchema("s") } == .alreadyExists)
    }

    @Test func `every taggable kind takes tags and a schema does not`() throws {
        try fixture.makeShop()
        _ = try fixture.makeSolution()
        let version = try fixture.makeActiveVersion()
        _ = try fixture.makeCampaign(version: version.path)
        _ = try fixture.makeFilter("f", "INCLUDE ItemID WHERE Items.PRICE > 1")
        _ = try fixture.makeImport("job")
        let tracker = try fixture.environment.createEventTracker(
            CreateEventTrackerInput(name: "web", datasetGroupARN: fixture.arn("dataset-group/shop")), by: fixture.caller)
        let resources = [
            "dataset-group/shop", "dataset/shop/ITEMS", "dataset-import-job/job", "event-tracker/\(tracker.suffix)", "filter/f",
            "solution/sol",
            "solution/\(version.path)", "campaign/camp",
        ]
        for resource in resources {
            let arn = fixture.arn(resource)
            try fixture.environment.tagResource(arn: arn, tags: [Tag(key: "b", value: "2"), Tag(key: "B", value: "")], by: fixture.caller)
            try fixture.environment.untagResource(arn: arn, keys: ["b", "absent"], by: fixture.caller)
            #expect(try fixture.environment.listTags(arn: arn, by: fixture.caller) == [Tag(key: "B", value: "")], "\(resource)")
        }
        #expect(
            Refusal { try fixture.environment.tagResource(arn: fixture.arn("schema/items"), tags: [], by: fixture.caller) } == .invalidInput
        )
        #expect(Refusal { try fixture.environment.listTags(arn: fixture.arn("campaign/nope"), by: fixture.caller) } == .notFound)
    }

    @Test(arguments: [("aws:mine", "x"), ("a*b", "x"), ("", "x"), ("a", "ünï|"), (String(repeating: "a", count: 129), "x")])
    func `a tag out of its limits is refused`(key: String, value: String) throws {
        _ = try fixture.makeGroup()
        let arn = fixture.arn("dataset-group/shop")
        #expect(
            Refusal { try fixture.environment.tagResource(arn: arn, tags: [Tag(key: key, value: value)], by: fixture.caller) }
                == .invalidInput)
    }

    @Test func `a resource has at most fifty tags`() throws {
        _ = try fixture.makeGroup()
        let arn = fixture.arn("dataset-group/shop")
        try fixture.environment.tagResource(arn: arn, tags: (1...50).map { Tag(key: "k\($0)", value: "v") }, by: fixture.caller)
        #expect(
            Refusal { try fixture.environment.tagResource(arn: arn, tags: [Tag(key: "more", value: "")], by: fixture.caller) }
                == .tooManyTags)
        #expect(
            Refusal { try fixture.environment.tagResource(arn: arn, tags: [Tag(key: "k1", value: "new")], by: fixture.caller) } == .none)
    }

    @Test func `tags of a deleted resource are gone when its name is used again`() throws {
        let input = CreateDatasetGroupInput(name: "shop", tags: [Tag(key: "a", value: "1")])
        _ = try fixture.environment.createDatasetGroup(input, by: fixture.caller)
        try fixture.environment.deleteDatasetGroup(arn: fixture.arn("dataset-group/shop"), by: fixture.caller)
        _ = try fixture.makeGroup()
        #expect(try fixture.environment.listTags(arn: fixture.arn("dataset-group/shop"), by: fixture.caller).isEmpty)
    }

    @Test func `a key bound to a group sees nothing of another`() throws {
        try fixture.makeShop()
        _ = try fixture.makeFilter("f", "INCLUDE ItemID WHERE Items.PRICE > 1")
        let other = try fixture.makeGroup("other")
        let bound = Caller(.accessKey(id: "TMAKBOUND"), datasetGroupID: other.id)
        #expect(try fixture.environment.listDatasetGroups(PageRequest(), by: bound).items.map(\.name) == ["other"])
        #expect(try fixture.environment.listDatasets(datasetGroupARN: nil, PageRequest(), by: bound).items.isEmpty)
        #expect(try fixture.environment.listSchemas(PageRequest(), by: bound).items.isEmpty)
        #expect(Refusal { try fixture.environment.describeFilter(arn: fixture.arn("filter/f"), by: bound) } == .notFound)
        #expect(Refusal { try fixture.environment.deleteDatasetGroup(arn: fixture.arn("dataset-group/shop"), by: bound) } == .notFound)
        #expect(Refusal { try fixture.environment.listTags(arn: fixture.arn("dataset/shop/ITEMS"), by: bound) } == .notFound)
        #expect(Refusal { try fixture.environment.createDatasetGroup(CreateDatasetGroupInput(name: "mine"), by: bound) } == .accessDenied)
        #expect(
            Refusal { try fixture.environment.createSchema(CreateSchemaInput(name: "own", body: ControlFixture.items), by: bound) } == .none
        )
        #expect(try fixture.environment.listSchemas(PageRequest(), by: bound).items.map(\.name) == ["own"])
    }

    @Test(arguments: ["arn:aws:personalize:us-east-1:1:campaign/x", "arn:aws:personalize:mars:999:dataset-group/shop"])
    func `look-ups ignore region and account of an ARN`(arn: String) throws {
        _ = try fixture.makeGroup()
        let expected: Refusal = arn.hasSuffix("shop") ? .none : .notFound
        #expect(Refusal { try fixture.environment.describeDatasetGroup(arn: arn, by: fixture.caller) } == expected)
    }

    @Test(arguments: ["shop", "arn:aws:s3:::bucket", "arn:aws:personalize:us-east-1", String(repeating: "a", count: 257)])
    func `what is no ARN of the service is invalid`(arn: String) {
        #expect(Refusal { try fixture.environment.describeDatasetGroup(arn: arn, by: fixture.caller) } == .invalidInput)
    }

    @Test func `each change is in the audit with its actor`() throws {
        _ = try fixture.makeGroup()
        let entries = try fixture.environment.listAudit(datasetGroupID: nil)
        #expect(entries.map(\.action) == ["CreateDatasetGroup"])
        #expect(entries.first?.actor == "TMAKTEST")
    }

    @Test func `recipes are listed by name in pages`() throws {
        let first = try fixture.environment.listRecipes(PageRequest(maxResults: 4), by: fixture.caller)
        let token: String? = first.nextToken
        let rest = try fixture.environment.listRecipes(PageRequest(nextToken: token), by: fixture.caller)
        #expect(rest.nextToken == nil)
        let names = (first.items + rest.items).map(\.name)
        #expect(names == names.sorted() && names.contains("aws-sims") && Set(names).count == names.count)
        let ofDomain = try fixture.environment.listRecipes(domain: "ECOMMERCE", PageRequest(), by: fixture.caller).items
        #expect(ofDomain.count == 5 && ofDomain.allSatisfy { $0.name.hasPrefix("aws-ecomm-") })
    }

    @Test func `of creates that race for a name exactly one wins and the others learn that it exists`() throws {
        let fixture = fixture
        let outcomes = race(8) { _ in Refusal { try fixture.makeGroup() } }
        #expect(outcomes.count { $0 == .none } == 1)
        #expect(outcomes.count { $0 == .alreadyExists } == 7)
    }

    @Test func `a quota holds when creates race for its last place`() throws {
        try fixture.makeShop()
        let fixture = fixture
        let outcomes = race(8) { index in Refusal { try fixture.makeImport("job-\(index)") } }
        #expect(outcomes.count { $0 == .none } == 5)
        #expect(outcomes.count { $0 == .limitExceeded } == 3)
    }

    /// Runs `body` on threads of their own and collects what each made.
    private func race(_ count: Int, _ body: @escaping @Sendable (Int) -> Refusal) -> [Refusal] {
        let outcomes = Mutex<[Refusal]>([])
        DispatchQueue.concurrentPerform(iterations: count) { index in
            let outcome = body(index)
            outcomes.withLock { $0.append(outcome) }
        }
        return outcomes.withLock { $0 }
    }
}
