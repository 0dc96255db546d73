import Foundation
import Postgres
import Statistics

/// The last days of the demo shop, lived through the product's own doors under a simulated clock: visitors get lists from placements, are
/// assigned and exposed by the running experiments, click, view and buy, and every event is stored as one from a site would be.
struct DemoSimulation {
    private struct Exposure {
        let daysLeft: Double
        let converts: Bool
    }

    private let environment: Environment
    private let clock: DemoClock
    private let service: RecommendationService
    private let group: DatasetGroup
    private let population: DemoPopulation
    private let campaigns: DemoCampaigns
    private let end: PGTimestamp
    private let liveDays: Double
    /// When the experiments end, in days left.
    private let experimentEnd: Double

    private var exposures: [Int: Exposure] = [:]
    private var batch: [NewEvent] = []
    private var knownParts: Set<Int32> = []
    private var brokenBands: ArmBands?
    private(set) var eventCount = 0
    private(set) var listCount = 0

    private static let batchLimit = 400

    init(_ environment: Environment, group: DatasetGroup, population: DemoPopulation, end: PGTimestamp, liveDays: Double) {
        let clock = DemoClock(DemoSimulation.time(liveDays, end))
        var simulated = environment
        simulated.now = { clock.now }
        self.environment = simulated
        self.clock = clock
        // Simulated visitors are patient: an answer without history would be no likeness of the shop.
        service = RecommendationService(environment: simulated, historyMilliseconds: 10_000)
        self.group = group
        self.population = population
        campaigns = DemoCampaigns(environment: simulated, group: group)
        self.end = end
        self.liveDays = liveDays
        experimentEnd = min(liveDays / 2, Double(DemoCampaigns.windowDays))
    }

    /// Lives through all visits of the last days. `progress` gets the share that is done.
    mutating func run(progress: (Double) -> Void) throws(OperationError) {
        defer { service.close() }
        var running = try campaigns.start(days: liveDays - experimentEnd)
        brokenBands = running.last.flatMap { ArmBands(seed: $0.seed, weights: $0.arms.map(\.weight), coverage: $0.coverage) }
        var hasPin = false
        let visits = population.visits.filter { $0.daysLeft <= liveDays }
        for (index, visit) in visits.enumerated() {
            if !hasPin, visit.daysLeft < liveDays * 0.8 {
                hasPin = true
                advance(to: visit.daysLeft)
                try campaigns.publishPin(pinned())
            }
            if !running.isEmpty, visit.daysLeft <= experimentEnd {
                advance(to: experimentEnd)
                try campaigns.stop(running)
                running = []
            }
            advance(to: visit.daysLeft)
            try play(visit)
            if batch.count >= DemoSimulation.batchLimit {
                try flush()
                progress(Double(index) / Double(visits.count))
            }
        }
        try flush()
        if !running.isEmpty {
            advance(to: experimentEnd)
            try campaigns.stop(running)
        }
        advance(to: 0)
        try campaigns.scheduleBoost()
    }

    private func advance(to daysLeft: Double) {
        clock.advance(to: DemoSimulation.time(daysLeft, end))
    }

    private static func time(_ daysLeft: Double, _ end: PGTimestamp) -> PGTimestamp {
        PGTimestamp(microseconds: end.microseconds - Int64(daysLeft * 86_400e6))
    }

    /// Two old products of a category that few look for.
    private func pinned() -> [DemoProduct] {
        let products = population.behavior.catalogue.products
        return Array(products.filter { $0.category == 11 && $0.age > 40 }.prefix(2))
    }
}

// MARK: One visit

extension DemoSimulation {
    private mutating func play(_ visit: DemoVisit) throws(OperationError) {
        var random = DemoRandom(seed: population.seed, "live", visit.visitor &* 1000 &+ visit.ordinal)
        let visitor = population.visitors[visit.visitor]
        var session = DemoSession(visitor: visitor, visit: visit, group: group.id, start: DemoSimulation.time(visit.daysLeft, end))
        let home = try ask(DemoShop.forYou, for: visitor)
        let converts = expose(visit, home)
        if random.chance(0.6), !isLost(visit) {
            let popular = try ask(DemoShop.popular, for: visitor)
            if random.chance(0.15) { _ = click(in: popular, visit, &session, &random, eagerness: 0.1) }
        }
        let start = click(in: home, visit, &session, &random, eagerness: 0.25)
        let actions = population.behavior.visit(
            of: visitor, daysLeft: visit.daysLeft, start: start, mayBuy: mayBuy(visit), &random)
        try walk(actions, visit, &session, &random)
        if converts == true {
            session.order(actions.filter { $0.kind == .cart }.map(\.product), elseOneOf: home, population.behavior.catalogue)
        }
        batch += session.events
    }

    /// Views, carts and orders of the visit; the product page's boxes are asked on the way.
    private mutating func walk(
        _ actions: [DemoAction], _ visit: DemoVisit, _ session: inout DemoSession, _ random: inout DemoRandom
    ) throws(OperationError) {
        let catalogue = population.behavior.catalogue
        for (index, action) in actions.enumerated() {
            session.add(action, catalogue.products[action.product])
            guard action.kind == .view, index == 0 || random.chance(0.12) else { continue }
            let similar = try ask(DemoShop.similar, for: session.visitor, about: catalogue.products[action.product])
            if let clicked = click(in: similar, visit, &session, &random, eagerness: 0.12) {
                session.add(DemoAction(kind: .view, product: clicked, seconds: action.seconds + 4), catalogue.products[clicked])
            }
            if random.chance(0.25) { _ = try ask(DemoShop.boughtTogether, for: session.visitor, about: catalogue.products[action.product]) }
        }
    }

    private mutating func ask(_ placement: String, for visitor: DemoVisitor, about product: DemoProduct? = nil) throws(OperationError)
        -> RecommendationAnswer
    {
        var request = RecommendationRequest(target: .placement(name: placement, datasetGroupID: group.id))
        request.anonymousID = visitor.id
        request.itemID = product?.id
        request.count = 8
        listCount += 1
        return try service.recommend(request, by: .system)
    }

    /// The product that the visitor clicks, if one of the list draws him; the click tells which list it was.
    private func click(
        in answer: RecommendationAnswer, _ visit: DemoVisit, _ session: inout DemoSession, _ random: inout DemoRandom, eagerness: Double
    ) -> Int? {
        let behavior = population.behavior
        let positions = answer.items.compactMap { behavior.catalogue.position(of: $0.itemID) }
        let draws = positions.enumerated().map { rank, position in
            let product = behavior.catalogue.products[position]
            let interest = 0.05 + session.visitor.interest(in: product.category)
            return interest * behavior.appeal(of: product, to: session.visitor, daysLeft: visit.daysLeft) / Double(rank + 2)
        }
        let total = draws.reduce(0, +)
        guard random.chance(eagerness * (1 - exp(-total))), let chosen = random.choose(draws) else { return nil }
        session.click(behavior.catalogue.products[positions[chosen]], recommendationID: answer.recommendationID)
        return positions[chosen]
    }
}

// MARK: The planted truth

extension DemoSimulation {
    /// At the first exposure it is decided whether the visitor converts within the window; nil at every other visit.
    private mutating func expose(_ visit: DemoVisit, _ home: RecommendationAnswer) -> Bool? {
        guard let arm = home.assignment?.arm, exposures[visit.visitor] == nil else { return nil }
        var random = DemoRandom(seed: population.seed, "conversion", visit.visitor)
        let probability = DemoCampaigns.conversion * (arm == "For you" ? 1 + DemoCampaigns.lift : 1)
        let exposure = Exposure(daysLeft: visit.daysLeft, converts: random.chance(probability))
        exposures[visit.visitor] = exposure
        return exposure.converts
    }

    /// Within the window of an exposure, orders follow from the planted decision alone.
    private func mayBuy(_ visit: DemoVisit) -> Bool {
        guard let exposure = exposures[visit.visitor] else { return true }
        return exposure.daysLeft - visit.daysLeft > Double(DemoCampaigns.windowDays)
    }

    /// A browser that breaks breaks at every visit.
    private func isLost(_ visit: DemoVisit) -> Bool {
        guard visit.daysLeft > experimentEnd, brokenBands?.arm(of: population.visitors[visit.visitor].id) == 1 else { return false }
        var random = DemoRandom(seed: population.seed, "browser", visit.visitor)
        return random.chance(DemoCampaigns.loss)
    }

    private mutating func flush() throws(OperationError) {
        guard !batch.isEmpty else { return }
        let part = InteractionPart.month(of: environment.now())
        if knownParts.insert(part).inserted { try environment.prepareInteractionPart(datasetGroupID: group.id) }
        let events = batch
        batch = []
        let outcomes = try environment.change { try environment.storeEvents(events, $0) }
        if case .rejected(let reason)? = outcomes.first(where: { if case .rejected = $0 { true } else { false } }) {
            throw .unavailable("A simulated event was refused: \(reason)")
        }
        eventCount += events.count
    }
}
