import Foundation
import Postgres

/// What the demo shop's marketer did in the last days: three experiments and two promotions, made by the operations that anybody uses.
///
/// The truth is planted: who is exposed to the first experiment's treatment buys with a probability that is a quarter higher; the second
/// compares a list with itself; in the third, part of one arm's visitors never get their list, as when a page breaks in one browser.
struct DemoCampaigns: Sendable {
    static let conversion = 0.18
    /// Relative; the difference of the arms' conversion is `conversion × lift`.
    static let lift = 0.25
    /// Share of the visitors of the broken experiment's second arm who are lost before they are exposed.
    static let loss = 0.45
    static let windowDays = 3

    let environment: Environment
    let group: DatasetGroup

    /// Names, as the console lists them.
    enum Name {
        static let finished = "For you instead of best sellers (simulated)"
        static let same = "The same list twice (simulated A/A)"
        static let broken = "Larger cards, broken in one browser (simulated)"
        static let pin = "Picked by the shop (simulated)"
        static let boost = "House plants next week (simulated)"
    }

    /// Seeds of the assignment: fixed, so that the shipped shop always shows the same result.
    static func seed(_ name: String) -> String { "demo-\(name.utf8.reduce(7) { ($0 &* 31 &+ Int($1)) % 1_000_003 })" }

    /// Starts the experiments; they end after `days`.
    func start(days: Double) throws(OperationError) -> [Experiment] {
        let placements = try environment.listPlacements(datasetGroupID: group.id, by: .system)
        func campaign(_ placement: String) -> String? { placements.first { $0.name == placement }?.campaignName }
        var finished = input(
            Name.finished, on: DemoShop.forYou, days: days, arms: ("Best sellers", campaign(DemoShop.popular)), ("For you", nil))
        finished.hypothesis = "A personal list on the home page makes more visitors buy than the best sellers do."
        var same = input(Name.same, on: DemoShop.similar, days: days, arms: ("A", nil), ("A again", nil))
        same.hypothesis = "None: both arms show the same list. A clear difference here would mean that the measurement is wrong."
        var broken = input(Name.broken, on: DemoShop.popular, days: days, arms: ("Cards as they are", nil), ("Larger cards", nil))
        broken.hypothesis = "Larger cards are clicked more. Nearly half of their visitors never saw them: the split shows it."
        var experiments: [Experiment] = []
        for input in [finished, same, broken] {
            let experiment = try environment.createExperiment(input, datasetGroupID: group.id, by: .system)
            experiments.append(try environment.startExperiment(experiment.id, by: .system))
        }
        return experiments
    }

    func stop(_ experiments: [Experiment]) throws(OperationError) {
        for experiment in experiments {
            do throws(OperationError) {
                _ = try environment.stopExperiment(experiment.id, reason: "Planned end", by: .system)
            } catch {
                // The job that ends experiments at their planned end may have been faster.
                guard case .inUse = error else { throw error }
            }
        }
    }

    /// A pin that is live from now on.
    func publishPin(_ products: [DemoProduct]) throws(OperationError) {
        let definition = PromotionDefinition(
            kind: .pin, selection: .items(products.map(\.id)), placements: [DemoShop.popular], position: 2, holdOut: 0.1)
        try publish(Name.pin, definition, "Two pieces that the shop wants to be seen.")
    }

    /// A boost that waits for tomorrow and lasts a week.
    func scheduleBoost() throws(OperationError) {
        let definition = PromotionDefinition(
            kind: .boost, selection: .values(column: "category", ["House plants"]), placements: [DemoShop.forYou], factor: 2,
            startsAt: localDay(1), endsAt: localDay(8), holdOut: 0.1)
        try publish(Name.boost, definition, "Starts tomorrow at midnight and ends after a week.")
    }

    private func publish(_ name: String, _ definition: PromotionDefinition, _ note: String) throws(OperationError) {
        let promotion = try environment.createPromotion(
            name: name, definition, note: note, datasetGroupID: group.id, seed: DemoCampaigns.seed(name), by: .system)
        try environment.publishPromotion(promotion.id, by: .system)
    }

    private func input(
        _ name: String, on placement: String, days: Double, arms: (name: String, campaign: String?)...
    ) -> ExperimentInput {
        let end = PGTimestamp(microseconds: environment.now().microseconds + Int64(days * 86_400e6))
        var input = ExperimentInput(
            name: name, placement: placement, primaryMetric: .conversion, plannedEndAt: end,
            arms: arms.map { ExperimentInput.Arm(name: $0.name, campaign: $0.campaign) })
        input.windowDays = DemoCampaigns.windowDays
        input.seed = DemoCampaigns.seed(name)
        return input
    }

    /// Midnight of a day from now, in the group's zone.
    private func localDay(_ days: Int) -> String {
        let time = PGTimestamp(microseconds: environment.now().microseconds + Int64(days) * 86_400_000_000)
        return LocalTime(zoneName: group.timeZone).machineDay(time) + "T00:00"
    }
}
