import Foundation
import Postgres
import Support
import Testing

@testable import Tastemaker

/// The database goes away and comes back while recommendations are asked for.
struct OutageTests {
    let shop: ServedShop
    let service: RecommendationService

    init() throws {
        shop = try ServedShop()
        service = RecommendationService(environment: shop.environment, historyMilliseconds: 400)
        try shop.deploy("aws-user-personalization", campaign: "personal")
    }

    func ask(visitor: String) throws -> RecommendationAnswer {
        var request = RecommendationRequest(target: .placement(name: "home", datasetGroupID: shop.groupID))
        request.anonymousID = visitor
        return try service.recommend(request, by: .system)
    }

    /// Nobody gets in, and whoever was in is thrown out.
    private func switchDatabase(on: Bool) throws {
        let admin = try Connection(shop.database.settings.with(database: "postgres"))
        defer { admin.close() }
        let name = shop.database.settings.database ?? ""
        try admin.execute("ALTER DATABASE \(identifier: name) WITH ALLOW_CONNECTIONS \(part: on ? "true" : "false")")
        if !on { _ = try admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = \(name)") }
    }

    @Test func `recommendations stay and say degraded while the database is away, and no exposure is lost`() throws {
        let placement = try shop.placement("home", campaign: "personal")
        let experiment = try shop.experiment("e", on: placement, arms: [("control", nil, "none"), ("treatment", nil, "placement")])
        #expect(!(try ask(visitor: "anonymous:0")).isDegraded)
        try switchDatabase(on: false)
        for visitor in 1...10 {
            let answer = try ask(visitor: "anonymous:\(visitor)")
            #expect(answer.isDegraded)
            #expect(answer.rung == .model)
            #expect(answer.items.count == 5)
            #expect(answer.assignment != nil)
        }
        try switchDatabase(on: true)
        let deadline = ContinuousClock.now + .seconds(20)
        while try ask(visitor: "anonymous:0").isDegraded, ContinuousClock.now < deadline { Thread.sleep(forTimeInterval: 0.05) }
        #expect(!(try ask(visitor: "anonymous:0")).isDegraded)
        service.close()
        let stored = try shop.environment.read {
            try $0.query("SELECT count(*) FROM exposure WHERE experiment_id = \(experiment.id)")[0].int(0)
        }
        #expect(stored == 11)
    }

    @Test func `a visitor whose exposure finds no place gets the fallback and stays outside`() throws {
        let placement = try shop.placement("home", campaign: "personal")
        _ = try shop.experiment("e", on: placement, arms: [("control", nil, "none"), ("treatment", nil, "placement")])
        service.close()
        let answer = try ask(visitor: "anonymous:1")
        #expect(answer.assignment == nil)
        #expect(answer.rung == .popular)
        #expect(answer.isDegraded)
    }

    @Test func `a process that never saw the group cannot answer without the database`() throws {
        try shop.placement("home")
        let blind = RecommendationService(environment: shop.environment, historyMilliseconds: 200)
        try switchDatabase(on: false)
        defer { try? switchDatabase(on: true) }
        var request = RecommendationRequest(target: .placement(name: "home", datasetGroupID: shop.groupID))
        request.userID = "u1"
        let error = #expect(throws: OperationError.self) { try blind.recommend(request, by: .system) }
        #expect(error?.isOutage == true)
    }
}
