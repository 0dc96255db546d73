import Foundation
import Synchronization
import Testing

@testable import Ranking

@Suite struct BlendRecipeTests {
    let planted = PlantedData()

    private func opened(_ model: FittedModel) throws -> (recipe: BlendRecipe, header: ModelHeader, file: ModelFile) {
        let file = try ModelFile(ModelBytes(model.bytes))
        let header = try ModelHeader(file)
        return (try BlendRecipe(opening: file, header), header, file)
    }

    @Test(arguments: Ingredient.forRelevance)
    func `the parts of the history add up to the score`(_ ingredient: Ingredient) throws {
        var configuration = FitConfiguration(recipe: .userPersonalization)
        configuration.blend = BlendChoice(entries: [
            .init(ingredient: ingredient, rule: SourceRule(kind: .decayed, window: 4, span: 3), weight: 1),
            .init(ingredient: .factors, rule: SourceRule(kind: .recent), weight: 0.5),
        ])
        let (recipe, header, file) = try opened(try fit(planted.training(), configuration))
        var scratch = RankingScratch()
        let request = planted.request(block: 2)
        scratch.history.collect(count: request.history.count, itemCount: header.itemCount, header.weighting) {
            (request.history[$0].item, 0, .nan)
        }
        scratch.pool.clear(itemCount: header.itemCount)
        #expect(recipe.score(request, wanted: 20, &scratch))
        for index in 0..<scratch.pool.count {
            let parts = recipe.parts(of: scratch.pool.rows[index], request, &scratch)
            #expect(Set(parts.map(\.item)) == Set(request.history.map(\.item)))
            // Popularity speaks for an item whatever the history.
            var common = [Float](repeating: 0, count: scratch.pool.count)
            for (part, space) in zip(recipe.scorer.members.map(\.part), scratch.spaces.indices) where !part.usesHistory {
                part.addExactly(scratch.spaces[space].factor, &scratch.spaces[space], rows: scratch.pool.rows, to: &common)
            }
            #expect(abs(parts.reduce(0) { $0 + $1.part } + common[index] - scratch.pool.scores[index]) < 1e-3)
        }
        withExtendedLifetime(file) {}
    }

    @Test func `reasons name history items and their shares add up to one`() throws {
        let model = try planted.model(.userPersonalization)
        var request = planted.request(block: 3)
        request.history = planted.history(block: 3, length: 3)
        request.explain = true
        for item in model.rank(request).items {
            #expect(item.reasons.allSatisfy { reason in request.history.contains { $0.item == reason.historyItem } })
            #expect(abs(item.reasons.reduce(0) { $0 + $1.share } - 1) < 1e-4)
            #expect(zip(item.reasons, item.reasons.dropFirst()).allSatisfy { $0.share >= $1.share })
        }
    }

    @Test func `at most three reasons are given`() throws {
        var request = planted.request(block: 0)
        request.history = planted.history(block: 0, length: 20)
        request.explain = true
        #expect(try planted.model(.userPersonalization).rank(request).items.allSatisfy { (1...3).contains($0.reasons.count) })
    }

    @Test func `one more click moves the list towards its block`() throws {
        let model = try planted.model(.userPersonalization)
        var request = RankingRequest(history: planted.history(block: 0, length: 4), count: 35)
        func share() -> Int { model.rank(request).items.count { planted.block(ofItem: $0.item) == 2 } }
        let before = share()
        request.history += planted.history(block: 2, length: 1)
        #expect(share() > before)
    }

    /// Three groups of ten items; nobody comes back to an item.
    private func withoutRepeats() -> TrainingData {
        var data = TrainingData(eventTypeNames: ["view"])
        for user in 0..<60 {
            for step in 0..<8 {
                data.append(
                    user: Int32(user), item: Int32((user % 3) * 10 + (user + step) % 10), eventType: 0, timestamp: Int64(step * 100_000))
            }
        }
        return data
    }

    @Test func `items that users do not come back to stand last`() throws {
        let model = try fit(withoutRepeats(), FitConfiguration(recipe: .userPersonalization)).opened()
        #expect(model.properties["demotes_history"] == "true")
        let history = [Int32(0), 1, 2].map { HistoryEvent(item: $0) }
        let items = model.rank(RankingRequest(history: history, count: 30)).items
        #expect(Set(items.suffix(3).map(\.item)) == [0, 1, 2])
    }

    @Test func `items of the history may be kept where their scores put them`() throws {
        let model = try fit(withoutRepeats(), FitConfiguration(recipe: .userPersonalization)).opened()
        var request = RankingRequest(history: [Int32(0), 1, 2].map { HistoryEvent(item: $0) }, count: 30)
        let demoted = model.rank(request).items.map(\.item)
        request.keepsHistory = true
        let kept = model.rank(request).items.map(\.item)
        // A list to be ranked is never demoted.
        request.candidates = Array(0..<30)
        #expect(kept == model.rank(request).items.map(\.item))
        #expect(kept != demoted)
    }

    @Test func `items of the history that are left out are not kept`() throws {
        let model = try fit(withoutRepeats(), FitConfiguration(recipe: .userPersonalization)).opened()
        let request = RankingRequest(history: [HistoryEvent(item: 4)], count: 30, excludeHistory: true, keepsHistory: true)
        #expect(!model.rank(request).items.contains { $0.item == 4 })
    }

    @Test func `every ingredient may take part with several ways to read a history`() throws {
        var configuration = FitConfiguration(recipe: .userPersonalization)
        let ingredients: [Ingredient] = [
            .nextItem, .ease, .graph, .spectrum, .sharpening, .successors, .steps, .neighbors, .factors, .popularity,
        ]
        let rules = [SourceRule(kind: .recent), SourceRule(kind: .flat), SourceRule(kind: .decayed, window: 10, span: 3)]
        configuration.blend = BlendChoice(
            entries: ingredients.flatMap { ingredient in rules.map { .init(ingredient: ingredient, rule: $0, weight: 1) } })
        let model = try fit(planted.training(), configuration).opened()
        #expect(model.properties["blend.29"] != nil)
        #expect(model.rank(RankingRequest(history: [HistoryEvent(item: 4)], count: 5)).items.count == 5)
    }

    @Test func `a blend of more parts than there can be is a damaged file`() throws {
        var model = try TakenApartModel(planted.fitted(.userPersonalization).bytes)
        let part = try #require(model.properties.first { $0.hasPrefix("blend.0=") }).dropFirst("blend.0=".count)
        let rule = try #require(model.properties.first { $0.hasPrefix("blend.0.sources=") }).dropFirst("blend.0.sources=".count)
        model.properties.removeAll { $0.hasPrefix("blend.") }
        let sections = model.sections.filter { $0.name.hasPrefix("part0.") }
        for index in 0...BlendRecipe.maximumParts {
            model.properties += ["blend.\(index)=\(part)", "blend.\(index).weight=1", "blend.\(index).sources=\(rule)"]
            guard index > 0 else { continue }
            model.sections.removeAll { $0.name.hasPrefix("part\(index).") }
            for var section in sections {
                section.name = "part\(index)." + section.name.dropFirst("part0.".count)
                model.sections.append(section)
            }
        }
        #expect(throws: ModelError.damaged("its blend has more than 64 parts")) { try Model(opening: ModelBytes(model.encoded())) }
        model.properties.removeAll { $0.hasPrefix("blend.64") }
        #expect(throws: Never.self) { try Model(opening: ModelBytes(model.encoded())) }
    }

    @Test func `items that users come back to may stand first`() throws {
        var data = TrainingData(eventTypeNames: ["view"])
        for user in 0..<60 {
            for step in 0..<8 {
                data.append(
                    user: Int32(user), item: Int32((user % 3) * 10 + (user + step) % 3), eventType: 0, timestamp: Int64(step * 100_000))
            }
        }
        let model = try fit(data, FitConfiguration(recipe: .userPersonalization)).opened()
        #expect(model.properties["demotes_history"] == "false")
        let items = model.rank(RankingRequest(history: [HistoryEvent(item: 10), HistoryEvent(item: 11)], count: 4)).items
        #expect(items.prefix(3).contains { $0.item == 10 || $0.item == 11 })
    }

    @Test func `with event weights a type without weight counts neither in training nor in a history`() throws {
        let configuration = FitConfiguration(
            recipe: .userPersonalizationV2, eventWeights: [.init(eventType: "purchase", weight: 0.4), .init(eventType: "view", weight: 0)])
        let fitted = try fit(planted.training(), configuration)
        #expect(fitted.interactionCount == planted.training().eventTypes.count { $0 == 1 })
        let result = try fitted.opened().rank(planted.request())
        #expect(result.historyItemsUsed == 0)
        #expect(result.items.first?.kind == .popular)
    }

    @Test func `heavier event types pull harder`() throws {
        let configuration = FitConfiguration(
            recipe: .userPersonalizationV2, hyperparameters: ["apply_recency_bias": "false"],
            eventWeights: [.init(eventType: "purchase", weight: 1), .init(eventType: "view", weight: 0.05)])
        let model = try fit(planted.training(), configuration).opened()
        let viewed = planted.history(block: 0, length: 2)
        let bought = planted.history(block: 3, length: 2).map { HistoryEvent(item: $0.item, eventType: 1, timestamp: 0) }
        let items = model.rank(RankingRequest(history: bought + viewed, explain: true)).items
        let boughtShare = items.flatMap(\.reasons).filter { planted.block(ofItem: $0.historyItem) == 3 }.reduce(0) { $0 + $1.share }
        let viewedShare = items.flatMap(\.reasons).filter { planted.block(ofItem: $0.historyItem) == 0 }.reduce(0) { $0 + $1.share }
        #expect(boughtShare > viewedShare)
    }

    @Test func `threads that share a model get the answers that one thread gets`() throws {
        let model = try planted.model(.userPersonalization)
        let requests = (0..<40).map { planted.request(block: $0 % planted.blocks, count: 5 + $0) }
        let expected = requests.map { model.rank($0).items }
        let differences = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            var scratch = RankingScratch()
            for (request, items) in zip(requests, expected) where model.rank(request, scratch: &scratch).items != items {
                differences.withLock { $0 += 1 }
            }
        }
        #expect(differences.withLock { $0 } == 0)
    }

    @Test(arguments: [[5], [3, 3, 3], [.min, .max, 0, -1, 7], (0..<1000).map { Int64($0 * 7919 % 1009) - 500 }])
    func `a value is found by its place in order`(values: [Int64]) {
        let sorted = values.sorted()
        for place in sorted.indices { #expect(valueInOrder(values, at: place) == sorted[place]) }
    }
}
