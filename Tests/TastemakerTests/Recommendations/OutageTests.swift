import Dispatch
import Foundation
import Postgres
import Support
import Synchronization
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

    /// A pool that has given up on the server for a while refuses for a moment longer.
    private func exposures(_ experiment: Int32) throws -> Int {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            do {
                return try shop.environment.read {
                    try $0.query("SELECT count(*) FROM exposure WHERE experiment_id = \(experiment)")[0].int(0)
                }
            } catch {
                guard error.isOutage, ContinuousClock.now < deadline else { throw error }
                Thread.sleep(forTimeInterval: 0.05)
            }
        }
    }

    @Test func `recommendations stay and say degraded while the database is away, and no exposure is lost`() throws {
        let placement = try shop.placement("home", campaign: "personal")
        let experiment = try shop.experiment("e", on: placement, arms: [("control", nil, "none"), ("treatment", nil, "placement")])
        let arm = try ask(visitor: "anonymous:0").assignment
        #expect(arm != nil)
        try switchDatabase(on: false)
        for visitor in 1...10 {
            let answer = try ask(visitor: "anonymous:\(visitor)")
            #expect(answer.isDegraded)
            #expect(answer.items.count == 5)
            #expect(answer.assignment == nil, "nobody is shown an arm whose exposure is not stored")
        }
        let known = try ask(visitor: "anonymous:0")
        #expect(known.isDegraded)
        #expect(known.rung == .model)
        #expect(known.assignment == arm)
        try switchDatabase(on: true)
        let deadline = ContinuousClock.now + .seconds(20)
        while try ask(visitor: "anonymous:0").isDegraded, ContinuousClock.now < deadline { Thread.sleep(forTimeInterval: 0.05) }
        #expect(!(try ask(visitor: "anonymous:0")).isDegraded)
        #expect(try exposures(experiment.id) == 1)
        for visitor in 1...10 {
            var answer = try ask(visitor: "anonymous:\(visitor)")
            while answer.assignment == nil, ContinuousClock.now < deadline {
                Thread.sleep(forTimeInterval: 0.05)
                answer = try ask(visitor: "anonymous:\(visitor)")
            }
            #expect(answer.assignment != nil)
        }
        #expect(try exposures(experiment.id) == 11)
    }

    @Test func `an exposure is stored when its arm is shown, also when many come at once`() throws {
        let placement = try shop.placement("home", campaign: "personal")
        let experiment = try shop.experiment("e", on: placement, arms: [("control", nil, "none"), ("treatment", nil, "placement")])
        for visitor in 1...3 {
            #expect(try ask(visitor: "anonymous:\(visitor)").assignment != nil)
            #expect(try exposures(experiment.id) == visitor)
        }
        let assigned = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 40) { index in
            guard let answer = try? ask(visitor: "anonymous:many-\(index % 20)"), answer.assignment != nil else { return }
            assigned.withLock { $0 += 1 }
        }
        #expect(assigned.withLock { $0 } == 40)
        #expect(try exposures(experiment.id) == 23)
    }

    @Test func `who is known to be exposed needs no statement, and a new visitor waits no longer than the time box`() throws {
        let placement = try shop.placement("home", campaign: "personal")
        let experiment = try shop.experiment("e", on: placement, arms: [("control", nil, "none"), ("treatment", nil, "placement")])
        #expect(try ask(visitor: "anonymous:1").assignment != nil)
        let blocker = try Connection(shop.database.settings)
        defer { blocker.close() }
        try blocker.execute("BEGIN")
        try blocker.execute("LOCK TABLE exposure IN ACCESS EXCLUSIVE MODE")
        #expect(try ask(visitor: "anonymous:1").assignment != nil)
        let start = ContinuousClock.now
        let new = try ask(visitor: "anonymous:2")
        #expect(ContinuousClock.now - start < .seconds(3))
        #expect(new.assignment == nil)
        #expect(new.isDegraded)
        #expect(new.notes.contains { $0.contains("stays outside") })
        try blocker.execute("ROLLBACK")
        #expect(try exposures(experiment.id) == 1)
    }

    @Test func `an erased visitor who comes back is exposed anew`() throws {
        let placement = try shop.placement("home", campaign: "personal")
        let experiment = try shop.experiment("e", on: placement, arms: [("control", nil, "none"), ("treatment", nil, "placement")])
        #expect(try ask(visitor: "anonymous:1").assignment != nil)
        _ = try shop.environment.eraseUser("anonymous:1", datasetGroupID: shop.groupID, by: .system)
        #expect(try exposures(experiment.id) == 0)
        #expect(try ask(visitor: "anonymous:1").assignment != nil)
        #expect(try exposures(experiment.id) == 1)
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
