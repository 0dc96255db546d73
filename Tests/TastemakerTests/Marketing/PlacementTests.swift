import Postgres
import Support
import Testing

@testable import Tastemaker

struct PlacementTests {
    @Test func `the first placements are made once and start the ladder`() throws {
        let shop = try MarketingFixture()
        let again = try shop.environment.createDefaultPlacements(datasetGroupID: shop.group.id, by: shop.caller)
        #expect(again.map(\.name) == ["home-for-you", "home-popular", "product-similar", "product-bought-together", "cart"])
        #expect(try shop.count("SELECT count(*) FROM job WHERE kind = 'advance-group' AND state = 'available'") == 1)
    }

    @Test func `a change is in the next revision and in the audit`() throws {
        let shop = try MarketingFixture()
        let before = try shop.count("SELECT resources FROM group_revision")
        var input = PlacementInput(name: "home-for-you", title: "For you")
        input.itemCount = 6
        let changed = try shop.environment.updatePlacement(name: "home-for-you", to: input, datasetGroupID: shop.group.id, by: shop.caller)
        #expect(changed.itemCount == 6)
        #expect(try shop.count("SELECT resources FROM group_revision") == before + 1)
        #expect(try shop.count("SELECT count(*) FROM audit WHERE action = 'UpdatePlacement' AND actor = 'ada'") == 1)
    }

    @Test(arguments: ["", "Home", "home_1", "-home", "ünder", String(repeating: "a", count: 64)])
    func `a name that no page can call is refused`(name: String) throws {
        let shop = try MarketingFixture()
        #expect(
            Refusal {
                try shop.environment.createPlacement(PlacementInput(name: name, title: "T"), datasetGroupID: shop.group.id, by: shop.caller)
            }
                == .invalidInput)
    }

    @Test func `a second placement of a name is refused`() throws {
        let shop = try MarketingFixture()
        let input = PlacementInput(name: "cart", title: "Cart")
        #expect(Refusal { try shop.environment.createPlacement(input, datasetGroupID: shop.group.id, by: shop.caller) } == .alreadyExists)
    }

    @Test func `a filter that needs a value is refused`() throws {
        let shop = try MarketingFixture()
        _ = try shop.environment.createFilter(
            CreateFilterInput(
                name: "asks", datasetGroupARN: shop.arn("dataset-group/shop"),
                expression: "INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($TYPE)"), by: .system)
        var input = PlacementInput(name: "list", title: "List")
        input.filter = "asks"
        #expect(Refusal { try shop.environment.createPlacement(input, datasetGroupID: shop.group.id, by: shop.caller) } == .invalidInput)
    }

    @Test func `a placement with an experiment stays`() throws {
        let shop = try MarketingFixture()
        let experiment = try shop.environment.createExperiment(shop.experimentInput(), datasetGroupID: shop.group.id, by: shop.caller)
        func delete() throws { try shop.environment.deletePlacement(name: "home-for-you", datasetGroupID: shop.group.id, by: shop.caller) }
        #expect(Refusal { try delete() } == .inUse)
        try shop.environment.deleteExperiment(experiment.id, by: shop.caller)
        #expect(Refusal { try delete() } == .none)
    }

    @Test func `another group's key finds nothing`() throws {
        let shop = try MarketingFixture()
        let stranger = Caller(.apiKey(id: 1, name: "k"), datasetGroupID: shop.group.id + 1)
        #expect(Refusal { try shop.environment.listPlacements(datasetGroupID: shop.group.id, by: stranger) } == .notFound)
        let promotion = try shop.promotion(PromotionDefinition(kind: .hide, selection: .items(["i1"])))
        #expect(Refusal { try shop.environment.describePromotion(promotion.id, by: stranger) } == .notFound)
        #expect(Refusal { try shop.environment.publishPromotion(promotion.id, by: stranger) } == .notFound)
    }
}
