import Foundation
import Testing

@testable import Ranking

@Suite struct BlendSelectionTests {
    let planted = PlantedData()

    /// Everybody walks along one ring of items from a place of their own.
    private func ring(items: Int32 = 60, users: Int32 = 240, steps: Int32 = 8) -> TrainingData {
        var data = TrainingData(eventTypeNames: ["view"])
        for step in 0..<steps {
            for user in 0..<users {
                data.append(
                    user: user, item: (user * 7 + step) % items, eventType: 0, timestamp: Int64(step) * 1000 + Int64(user))
            }
        }
        return data
    }

    @Test func `a sequence is learned and its next item comes first`() throws {
        let fitted = try fit(ring(), FitConfiguration(recipe: .userPersonalization))
        let model = try fitted.opened()
        for start: Int32 in [0, 13, 31, 50] {
            let history = (0..<5).map { HistoryEvent(item: (start + $0) % 60, timestamp: Int64($0)) }
            let items = model.rank(RankingRequest(history: history, count: 3, excludeHistory: true)).items
            #expect(items.first?.item == (start + 5) % 60)
        }
        let chosen = try #require(fitted.blend).entries.map(\.ingredient)
        #expect(chosen.contains { $0.needsClock })
    }

    @Test func `without a clock nothing is learned from the order`() throws {
        var data = ring()
        for index in data.timestamps.indices { data.timestamps[index] = 1_000_000_000 }
        let fitted = try fit(data, FitConfiguration(recipe: .userPersonalization))
        #expect(
            try #require(fitted.blend).entries.allSatisfy {
                !$0.ingredient.needsClock && $0.rule.kind == .flat || $0.ingredient == .factors
            })
        #expect(fitted.log.contains { $0.contains("no order of events") })
        let model = try fitted.opened()
        #expect(model.properties["has_clock"] == "false")
        let history = [Int32(10), 11, 12, 13].map { HistoryEvent(item: $0) }
        let answer = model.rank(RankingRequest(history: history, count: 4, excludeHistory: true)).items.map(\.item)
        let turned = model.rank(RankingRequest(history: history.reversed(), count: 4, excludeHistory: true)).items.map(\.item)
        #expect(answer == turned)
        #expect(Set(answer).isSubset(of: Set(4...19)))
    }

    @Test func `the log and the properties say what was tried and chosen`() throws {
        let fitted = try planted.fitted(.userPersonalizationV2)
        for ingredient in [Ingredient.nextItem, .ease, .graph, .factors] {
            #expect(fitted.log.contains { $0.hasPrefix("Tried \(ingredient.title)") })
            #expect(fitted.log.contains { $0.hasPrefix("Alone, \(ingredient.title)") && $0.contains("NDCG@10") })
        }
        #expect(fitted.log.contains { $0.hasPrefix("Chosen: ") })
        let properties = try fitted.opened().properties
        #expect(Ingredient(rawValue: properties["blend.0"] ?? "") != nil)
        #expect(properties["blend.0.weight"].flatMap(Float.init).map { $0 > 0 } == true)
        #expect(properties["blend.validation_ndcg_at_10"].flatMap(Double.init).map { $0 > 0 } == true)
        #expect(properties["tried.ease"] != nil)
    }

    @Test func `a fit that follows an evaluation keeps its blend`() throws {
        let fitted = try fitAndEvaluate(planted.training(), FitConfiguration(recipe: .userPersonalization))
        #expect(fitted.log.contains { $0.hasPrefix("Chosen: ") })
        #expect(fitted.log.contains("The blend is the one that the evaluation chose."))
        #expect(!fitted.metrics.isEmpty)
    }

    @Test func `held-back items are out of the training half and nothing else is`() throws {
        let matrix = try InteractionMatrix(planted.training(), FitConfiguration(recipe: .userPersonalization))
        for hasClock in [true, false] {
            let split = ValidationSplit(matrix, seed: 1, hasClock: hasClock, demotesHistory: true)
            #expect(split.users.count >= matrix.userCount * 3 / 4)
            #expect(split.training.userIDs == matrix.userIDs && split.training.itemIDs == matrix.itemIDs)
            for user in split.users {
                let kept = split.training.items[split.training.offsets[user.row]..<split.training.offsets[user.row + 1]]
                let whole = matrix.items[matrix.offsets[user.row]..<matrix.offsets[user.row + 1]]
                #expect(!kept.isEmpty && user.truth.isDisjoint(with: kept))
                #expect(Set(kept).union(user.truth) == Set(whole))
                if hasClock { #expect(kept.elementsEqual(whole.prefix(kept.count))) }
            }
        }
    }

    @Test func `a small memory budget leaves the large parts out and says so`() throws {
        let needed =
            60 * planted.training().count
            + BlendRecipe.memoryEstimate(items: 101, users: 120, events: 1920, FitConfiguration(recipe: .userPersonalization))
        let configuration = FitConfiguration(recipe: .userPersonalization, memoryBudgetBytes: needed + 30_000)
        let fitted = try fit(planted.training(), configuration)
        #expect(fitted.log.contains { $0.contains("memory budget") })
        #expect(try fitted.opened().rank(planted.request()).items.count == 10)
    }

    @Test func `the work space of every thread is in the estimate of memory`() {
        func estimate(threads: Int) -> Int {
            var configuration = FitConfiguration(recipe: .userPersonalization)
            configuration.threads = threads
            return BlendRecipe.memoryEstimate(items: 0, users: 0, events: 0, configuration)
        }
        // Sixteen systems of 64 x 64 and the entries of the longest row that is improved, in single precision.
        #expect(estimate(threads: 64) - estimate(threads: 1) > 63 * 4 * (16 * 64 * 64 + (512 << 10) / 4))
    }

    @Test(arguments: [0.2, 0.6, 0.95])
    func `a fit stops soon after it was cancelled`(_ share: Double) {
        var asked = 0
        #expect(throws: FitError.cancelled) {
            try fit(planted.training(), FitConfiguration(recipe: .userPersonalization)) { done, _ in
                if done >= share { asked += 1 }
                return done < share
            }
        }
        #expect(asked == 1)
    }

    @Test func `a parameter names the ingredients`() throws {
        let fitted = try fit(
            planted.training(), FitConfiguration(recipe: .userPersonalization, hyperparameters: ["ingredients": "ease+popularity"]))
        #expect(try Set(#require(fitted.blend).entries.map(\.ingredient)).isSubset(of: [.ease, .popularity]))
        #expect(!fitted.log.contains { $0.hasPrefix("Tried \(Ingredient.factors.title)") })
        #expect(throws: FitError.self) {
            try FitConfiguration(recipe: .userPersonalization, hyperparameters: ["ingredients": "ease+magic"]).validate()
        }
    }

    @Test func `an evaluation's blend loses what does not fit the memory budget`() throws {
        var configuration = FitConfiguration(recipe: .userPersonalization)
        configuration.blend = BlendChoice(entries: [
            .init(ingredient: .graph, rule: SourceRule(), weight: 1),
            .init(ingredient: .factors, rule: SourceRule(kind: .recent), weight: 1),
        ])
        configuration.memoryBudgetBytes =
            60 * planted.training().count + BlendRecipe.memoryEstimate(items: 101, users: 120, events: 1920, configuration) + 1000
        let fitted = try fit(planted.training(), configuration)
        #expect(fitted.log.contains("Left out, \(Ingredient.graph.title): it would not fit the memory budget."))
        #expect(try fitted.opened().properties["blend.0"] == "factors")
    }

    @Test(arguments: [(100, 112), (16, 16), (256, 240)])
    func `the rank of the spectrum is a multiple of 16 within the data`(_ wanted: Int, expected: Int) throws {
        var data = TrainingData(eventTypeNames: ["view"])
        for user: Int32 in 0..<1000 {
            for step: Int32 in 0..<3 { data.append(user: user, item: user + step, eventType: 0, timestamp: Int64(step)) }
        }
        let configuration = FitConfiguration(recipe: .userPersonalization, hyperparameters: ["spectrum_rank": "\(wanted)"])
        #expect(try BlendPlan(InteractionMatrix(data, configuration), configuration).spectrumRank == expected)
    }

    @Test func `a catalog beyond the dense form is fitted target by target`() throws {
        var data = TrainingData(eventTypeNames: ["view"])
        for user: Int32 in 0..<9000 {
            for step: Int32 in 0..<3 {
                data.append(user: user, item: (user * 3 + step * 5) % 9000, eventType: 0, timestamp: Int64(user + step * 100))
            }
        }
        let configuration = FitConfiguration(recipe: .userPersonalization)
        #expect(try BlendPlan(InteractionMatrix(data, configuration), configuration).isSparse)
        #expect(try !BlendPlan(InteractionMatrix(planted.training(), configuration), configuration).isSparse)
    }

    @Test(arguments: [true, false]) func `what corrects others is weighed beside them, and only where that helps`(_ helps: Bool) throws {
        let columns: [(ingredient: Ingredient, rule: SourceRule)] = [
            (.graph, SourceRule()), (.spectrum, SourceRule()), (.sharpening, SourceRule()),
        ]
        // What everybody gets stands above what is right, by more than one of graph and spectrum can lack of the correction.
        let correction: [Float] = helps ? [0] + [Float](repeating: -2, count: 11) : [-2] + [Float](repeating: 0, count: 11)
        let cases = (0..<60).map { _ in
            let popular = [1] + [Float](repeating: 1.4, count: 11)
            return ValidationCase(rowCount: 12, relevant: [0], truthCount: 1, scores: popular + popular + correction)
        }
        let search = BlendSearch(columns: columns, cases: cases)
        let weights = try search.weights([0, 1, 2], search.alone(), smooths: true)
        #expect((weights[2] > 0) == helps)
        #expect(!helps || weights[0] > 0 && weights[1] > 0)
        #expect(try search.quality(weights).ndcg == (helps ? 1 : 0))
    }
}
