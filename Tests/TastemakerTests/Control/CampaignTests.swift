import JSON
import Postgres
import Support
@testable import Tastemaker
import Testing

struct CampaignTests {
    let fixture: ControlFixture

    init() throws {
        fixture = try ControlFixture()
        try fixture.makeShop()
        _ = try fixture.makeSolution()
    }

    @Test func `a campaign needs a trained version`() throws {
        let version = try fixture.makeVersion()
        #expect(Refusal { try fixture.makeCampaign(version: version.path) } == .inUse)
        #expect(Refusal { try fixture.makeCampaign(version: "sol/$LATEST") } == .inUse)
        try fixture.settle(version)
        #expect(try fixture.makeCampaign(version: version.path).status == .active)
    }

    @Test(arguments: ["sol/$LATEST", "sol"])
    func `the newest active version stands for a solution and for $LATEST`(path: String) throws {
        _ = try fixture.makeActiveVersion()
        fixture.clock.advance(seconds: 1)
        let newest = try fixture.makeActiveVersion()
        fixture.clock.advance(seconds: 1)
        _ = try fixture.makeVersion()
        #expect(try fixture.makeCampaign(version: path).versionPath == newest.path)
    }

    @Test(arguments: ["sol/deadbeef", "nope/$LATEST", "nope", "sol/x/y"])
    func `a version that does not exist is not found`(path: String) throws {
        _ = try fixture.makeActiveVersion()
        #expect(Refusal { try fixture.makeCampaign(version: path) } == .notFound)
    }

    @Test func `a campaign that follows moves to each new version`() throws {
        let first = try fixture.makeActiveVersion()
        let config: JSONValue = ["syncWithLatestSolutionVersion": true]
        #expect(Refusal { try fixture.makeCampaign(version: first.path, config: config) } == .invalidInput)
        _ = try fixture.makeCampaign("follower", version: "sol/$LATEST", config: config)
        _ = try fixture.makeCampaign("fixed", version: "sol/$LATEST")
        fixture.clock.advance(seconds: 1)
        let second = try fixture.makeActiveVersion()
        try fixture.environment.change { try fixture.environment.advanceFollowers(to: second, $0) }
        let describe = { (name: String) in
            try fixture.environment.describeCampaign(arn: fixture.arn("campaign/\(name)"), by: fixture.caller)
        }
        #expect(try describe("follower").versionPath == second.path)
        #expect(try describe("follower").latestUpdate?.status == "ACTIVE")
        #expect(try describe("fixed").versionPath == first.path)
    }

    @Test func `a configuration is echoed exactly as given and an update replaces it`() throws {
        let version = try fixture.makeActiveVersion()
        let config: JSONValue = ["itemExplorationConfig": ["explorationWeight": "0.3"], "enableMetadataWithRecommendations": true]
        #expect(try fixture.makeCampaign(version: version.path, config: config).config == config)
        let other: JSONValue = ["enableMetadataWithRecommendations": false]
        let updated = try fixture.environment.updateCampaign(
            UpdateCampaignInput(campaignARN: fixture.arn("campaign/camp"), minProvisionedTPS: 3, config: other), by: fixture.caller)
        #expect(updated.config == other)
        #expect(updated.latestUpdate?.config == other)
        #expect(updated.minProvisionedTPS == 3)
    }

    @Test func `an update without any change is allowed`() throws {
        let version = try fixture.makeActiveVersion()
        _ = try fixture.makeCampaign(version: version.path)
        let updated = try fixture.environment.updateCampaign(
            UpdateCampaignInput(campaignARN: fixture.arn("campaign/camp")), by: fixture.caller)
        #expect(updated.versionPath == version.path)
        #expect(updated.latestUpdate?.status == "ACTIVE")
    }

    @Test(arguments: [
        #"{"itemExplorationConfig":{"explorationWeight":"2"}}"#, #"{"itemExplorationConfig":{"explorationWeight":"x"}}"#,
        #"{"itemExplorationConfig":{"explorationItemAgeCutOff":"-1"}}"#, #"{"itemExplorationConfig":{"other":"1"}}"#,
        #"{"rankingInfluence":{"POPULARITY":0.5}}"#, #"{"enableMetadataWithRecommendations":"yes"}"#,
    ])
    func `a configuration out of its limits is refused`(config: String) throws {
        let version = try fixture.makeActiveVersion()
        let given = try JSONValue(parsing: config)
        #expect(Refusal { try fixture.makeCampaign(version: version.path, config: given) } == .invalidInput)
    }

    @Test(arguments: [0, -1])
    func `provisioned throughput is at least one`(tps: Int) throws {
        let version = try fixture.makeActiveVersion()
        let input = CreateCampaignInput(name: "camp", solutionVersionARN: fixture.arn("solution/\(version.path)"), minProvisionedTPS: tps)
        #expect(Refusal { try fixture.environment.createCampaign(input, by: fixture.caller) } == .invalidInput)
    }
}
