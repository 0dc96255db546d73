import Foundation
import Testing

@testable import Ranking

@Suite struct HyperparameterSearchTests {
    private static let space = SearchSpace([
        .init(name: "hidden_dimension", values: .integer(32...256)), .init(name: "recency_mask", values: .choice(["true", "false"])),
    ])

    private func search(limit: Int = 13, rungs: Int = 3, space: SearchSpace = space) -> HyperparameterSearch {
        HyperparameterSearch(space: space, recipe: .userPersonalization, limit: limit, rungs: rungs, seed: 1)
    }

    private func quality(_ trial: Trial) -> Double { Double(trial.parameters["hidden_dimension"] ?? "") ?? 0 }

    /// Takes every trial's own number as its quality.
    private func finish(_ search: inout HyperparameterSearch) -> [Trial] {
        var asked: [Trial] = []
        while let trial = search.pending.first {
            asked.append(trial)
            search.record(TrialResult(number: trial.number, rung: trial.rung, quality: quality(trial), seconds: 1))
        }
        return asked
    }

    @Test(arguments: [
        (40, 3, [28, 9, 3]), (40, 4, [27, 9, 3, 1]), (13, 3, [9, 3, 1]), (13, 1, [13]), (5, 3, [3, 1, 1]), (1, 3, [1]), (2, 2, [1, 1]),
    ])
    func `the rungs fill the budget and never pass it`(limit: Int, rungs: Int, widths: [Int]) {
        #expect(HyperparameterSearch.widths(limit: limit, rungs: rungs) == widths)
    }

    @Test func `the best third goes on to three times the users and the best of the last rung wins`() {
        var search = search()
        let asked = finish(&search)
        #expect(asked.map(\.rung) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
        let first = asked.prefix(9)
        let bestThree = first.sorted { quality($0) > quality($1) }.prefix(3).map(\.number)
        #expect(Set(asked[9..<12].map(\.number)) == Set(bestThree))
        #expect(asked.map(\.share).map { ($0 * 9).rounded() } == Array(repeating: 1, count: 9) + [3, 3, 3, 9])
        #expect(search.best?.quality == first.map(quality).max())
    }

    @Test func `the first setting is the recipe's own`() {
        #expect(search().pending.first?.parameters == ["hidden_dimension": "149", "recency_mask": "true"])
    }

    @Test func `settings differ from each other and lie in their ranges`() {
        let settings = search(limit: 40, rungs: 1).pending.map(\.parameters)
        #expect(Set(settings).count == 40)
        #expect(settings.allSatisfy { (32...256).contains(Int($0["hidden_dimension"] ?? "") ?? 0) })
    }

    @Test func `a small space is tried whole and no more`() {
        let two = SearchSpace([.init(name: "recency_mask", values: .choice(["true", "false"]))])
        let settings = search(limit: 13, rungs: 1, space: two).pending.map(\.parameters)
        #expect(settings == [["recency_mask": "true"], ["recency_mask": "false"]])
    }

    @Test func `results of an earlier attempt are not asked for again`() {
        var first = search()
        let asked = finish(&first)
        var second = search()
        for trial in asked.prefix(10) {
            second.record(TrialResult(number: trial.number, rung: trial.rung, quality: quality(trial), seconds: 1))
        }
        #expect(finish(&second) == Array(asked.dropFirst(10)))
        #expect(second.best?.parameters == first.best?.parameters)
    }

    @Test func `a setting that could not be fitted never wins`() {
        var search = search(limit: 3, rungs: 1)
        for trial in search.pending {
            search.record(TrialResult(number: trial.number, rung: 0, quality: trial.number == 2 ? 0.1 : nil, seconds: 1))
        }
        #expect(search.best?.quality == 0.1)
    }

    @Test func `tuning finds the setting of the planted data and never a worse one than the defaults`() throws {
        let data = PlantedData().training()
        let configuration = FitConfiguration(recipe: .sims, threads: 2)
        let plan = TuningPlan(space: SearchSpace(allOf: .sims), trialLimit: 4)
        var results: [TrialResult] = []
        let outcome = try tune(
            data, configuration, plan,
            onResult: { _, result in
                results.append(result)
                return true
            })
        #expect(results.count == 4)
        let defaults = try #require(results.first { $0.number == 0 }?.quality)
        #expect(results.compactMap(\.quality).max() ?? 0 >= defaults)
        #expect(Set(outcome.parameters.keys) == ["popularity_discount_factor", "min_cointeraction_count"])
        var again = configuration
        again.threads = 1
        #expect(try tune(data, again, plan).parameters == outcome.parameters)
        // All trials are there already: nothing is fitted again.
        let resumed = try tune(
            data, configuration, plan, finished: results,
            onResult: { _, _ in
                Issue.record("a finished trial was run again")
                return true
            })
        #expect(resumed.parameters == outcome.parameters)
    }

    @Test func `a cancelled search ends`() {
        let plan = TuningPlan(space: SearchSpace(allOf: .sims), trialLimit: 4)
        #expect(throws: FitError.cancelled) {
            try tune(PlantedData().training(), FitConfiguration(recipe: .sims), plan, progress: { _, _ in false })
        }
    }

    @Test func `parameters without effect are given a value and not searched`() throws {
        let plan = TuningPlan(space: SearchSpace([.init(name: "bptt", values: .integer(2...22))]))
        let outcome = try tune(PlantedData().training(), FitConfiguration(recipe: .userPersonalization), plan)
        #expect(outcome.parameters == ["bptt": "22"])
        #expect(outcome.log.first == "bptt has no effect on this model and is not searched.")
    }

    @Test func `the better recipe is chosen, and the first where they are equal`() throws {
        let data = PlantedData().training()
        let recipes: [RecipeName] = [.popularityCount, .userPersonalization, .userPersonalizationV2]
        let choice = try choose(among: recipes.map { FitConfiguration(recipe: $0) }, for: data)
        #expect(recipes[choice.index] == .userPersonalization)
    }
}
