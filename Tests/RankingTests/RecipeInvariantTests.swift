import Foundation
import Testing

@testable import Ranking

/// What must hold of every recipe, whatever it learns.
@Suite struct RecipeInvariantTests {
    let planted = PlantedData()

    @Test(arguments: RecipeName.allCases.filter { !$0.description.isImported && !$0.description.proposesActions })
    func `every name learns, opens and answers`(_ recipe: RecipeName) throws {
        // A domain's recipe learns from events of its own type alone.
        var data = planted.described()
        data.eventTypeNames[0] = recipe.description.useCase?.eventType ?? "view"
        let model = try fit(data, FitConfiguration(recipe: recipe)).opened()
        #expect(model.recipe == recipe)
        #expect(model.rank(planted.request(count: 7)).items.count == 7)
    }

    @Test(arguments: RecipeName.fits, [2, 5])
    func `any number of threads gives the bytes that one gives`(_ recipe: RecipeName, threads: Int) throws {
        func bytes(_ threads: Int) throws -> [UInt8] {
            let data = PlantedStructure.drift()
            return try fit(data, FitConfiguration(recipe: recipe, threads: threads, createdAt: Date(timeIntervalSince1970: 0))).bytes
        }
        #expect(try bytes(1) == bytes(threads))
    }

    @Test(arguments: RecipeName.fits)
    func `events of one moment may come in any order of their users`(_ recipe: RecipeName) throws {
        var data = PlantedStructure.drift()
        for position in 0..<data.count { data.timestamps[position] -= data.timestamps[position] % 5000 }
        var random = Xorshift(state: 3)
        var positions: [Int] = []
        for start in stride(from: 0, to: data.count, by: 160) { positions += Array(start..<start + 160).shuffled(using: &random) }
        let configuration = FitConfiguration(recipe: recipe, createdAt: Date(timeIntervalSince1970: 0))
        #expect(try fit(data, configuration).bytes == fit(data.selecting(positions), configuration).bytes)
    }

    @Test(arguments: RecipeName.fits)
    func `a row's score is the same alone, among others and under a bitmap`(_ recipe: RecipeName) throws {
        let model = try planted.model(recipe)
        var request = planted.request(block: 2, count: 500)
        // Lists that are given may have weights of their own.
        let isRanking = [.personalizedRanking, .personalizedRankingV2].contains(recipe)
        if isRanking { request.candidates = model.itemIDs }
        let scores = Dictionary(
            uniqueKeysWithValues: model.rank(request).items.compactMap { item in item.score.map { (item.item, $0) } })
        #expect(scores.count > 10 || recipe.isCounting)
        let some = scores.keys.sorted().filter { $0 % 4 == 1 }
        request.allowed = rowBitmap(some.map { Int($0) }, count: model.itemCount)
        var answers = model.rank(request).items.filter { !isRanking || some.contains($0.item) }
        request.allowed = nil
        request.candidates = some
        answers += model.rank(request).items
        for item in some {
            request.candidates = [item]
            answers += model.rank(request).items
        }
        #expect(answers.count >= some.count * 3)
        let largest = scores.values.map { abs($0) }.max() ?? 0
        for item in answers {
            guard let score = item.score, let expected = scores[item.item] else { continue }
            #expect(abs(score - expected) <= 1e-5 * largest, "\(item.item)")
        }
    }

    @Test(arguments: RecipeName.fits)
    func `a boost multiplies the score and a bury divides it`(_ recipe: RecipeName) throws {
        let model = try planted.model(recipe)
        var request = planted.request(block: 1, count: 500)
        let plain = model.rank(request).items.prefix(20)
        request.boosts = plain.enumerated().map { .init(row: Int($1.item), factor: $0 % 2 == 0 ? 1.5 : 0.25) }
        let boosted = Dictionary(uniqueKeysWithValues: model.rank(request).items.map { ($0.item, $0.score) })
        for (place, item) in plain.enumerated() {
            guard let before = item.score, let after = boosted[item.item].flatMap({ $0 }) else { continue }
            let factor: Float = place % 2 == 0 ? 1.5 : 0.25
            #expect(abs(after - (before >= 0 ? before * factor : before / factor)) <= 1e-4 * max(1, abs(before)))
        }
    }

    @Test(arguments: RecipeName.fits, [.greatestFiniteMagnitude, .leastNonzeroMagnitude] as [Float])
    func `a boost beyond all numbers leaves scores numbers`(_ recipe: RecipeName, factor: Float) throws {
        var request = planted.request(block: 1, count: 500)
        request.boosts = (0..<planted.itemCount).map { .init(row: $0, factor: factor) }
        let items = try planted.model(recipe).rank(request).items
        #expect(items.allSatisfy { ($0.score ?? 0).isFinite && ($0.normalizedScore ?? 0).isFinite })
    }

    @Test(arguments: RecipeName.fits)
    func `shares of reasons fall and add up to one where all are shown`(_ recipe: RecipeName) throws {
        let model = try planted.model(recipe)
        var request = planted.request(block: 3, count: 20)
        request.history = planted.history(block: 3, length: 3)
        request.explain = true
        let named = Set(request.history.map(\.item) + [request.item ?? -1])
        for item in model.rank(request).items where !item.reasons.isEmpty {
            #expect(item.reasons.count <= 3)
            #expect(item.reasons.allSatisfy { named.contains($0.historyItem) && $0.share > 0 })
            #expect(zip(item.reasons, item.reasons.dropFirst()).allSatisfy { $0.share >= $1.share })
            #expect(abs(item.reasons.reduce(0) { $0 + $1.share } - 1) < 1e-4)
        }
    }

    @Test(arguments: RecipeName.personal)
    func `what is personal has reasons`(_ recipe: RecipeName) throws {
        var request = planted.request(block: 3, count: 5)
        request.explain = true
        #expect(try planted.model(recipe).rank(request).items.allSatisfy { !$0.reasons.isEmpty })
    }

    @Test(arguments: RecipeName.fits)
    func `a model that was stored and opened again answers alike`(_ recipe: RecipeName) throws {
        let fitted = try KeptFits.fitted("\(planted)", recipe) { try planted.fitted(recipe) }
        let path = FileManager.default.temporaryDirectory.appending(path: "model-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: path) }
        var bytes: [UInt8] = []
        fitted.write(chunkBytes: 777) { bytes += $0 }
        try Data(bytes).write(to: path)
        let opened = try Model(opening: ModelBytes(Array(Data(contentsOf: path))))
        let model = try fitted.opened()
        #expect(opened.properties == model.properties)
        #expect(opened.sections == model.sections)
        for block in 0..<planted.blocks {
            #expect(
                opened.rank(planted.request(block: block, count: 60)).items == model.rank(planted.request(block: block, count: 60)).items)
        }
    }

    @Test(arguments: RecipeName.fits)
    func `nobody's history gets an answer of popular items`(_ recipe: RecipeName) throws {
        let model = try planted.model(recipe)
        for history in [[], [HistoryEvent(item: 1_000_000)], [HistoryEvent(item: -1, eventType: -1, timestamp: .min, value: -.infinity)]] {
            let answer = model.rank(RankingRequest(history: history, count: 10, explain: true))
            #expect(answer.items.count == 10)
            #expect(answer.historyItemsUsed == 0)
            #expect(answer.items.allSatisfy { (recipe.isCounting || $0.kind == .popular) && ($0.score ?? 0).isFinite })
        }
    }

    @Test(arguments: RecipeName.fits)
    func `a history of more than anybody has is cut to its newest part`(_ recipe: RecipeName) throws {
        let model = try planted.model(recipe)
        let newest = (0..<2000).map { HistoryEvent(item: Int32($0 % 100), timestamp: Int64($0)) }
        let older = (0..<5000).map { _ in HistoryEvent(item: planted.trap) }
        let short = model.rank(RankingRequest(history: newest, item: 3, count: 20)).items
        #expect(model.rank(RankingRequest(history: older + newest, item: 3, count: 20)).items == short)
    }
}
