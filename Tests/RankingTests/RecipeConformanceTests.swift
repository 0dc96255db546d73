import Foundation
import Ranking
import Synchronization
import Testing

/// What every recipe must do, on data whose answer is known.
@Suite struct RecipeConformanceTests {
    let planted = PlantedData()

    static let structured = RecipeName.personal + RecipeName.related

    @Test(arguments: structured)
    func `items of the user's block come first`(_ recipe: RecipeName) throws {
        let model = try planted.model(recipe)
        for block in 0..<planted.blocks {
            let items = model.rank(planted.request(block: block)).items
            #expect(items.count { planted.block(ofItem: $0.item) == block } >= 9)
        }
    }

    @Test(arguments: structured)
    func `a popular item that everybody met does not lead`(_ recipe: RecipeName) throws {
        let items = try planted.model(recipe).rank(planted.request()).items
        #expect(!items.prefix(5).contains { $0.item == planted.trap })
    }

    @Test func `the popularity recipe gives the most met item first`() throws {
        let items = try planted.model(.popularityCount).rank(planted.request()).items
        #expect(items.first?.item == planted.trap)
        #expect(items.first?.score == Float(planted.blocks * planted.usersPerBlock))
    }

    @Test(arguments: RecipeName.fits, [0, 1, 7, 60, 100_000])
    func `the count is respected and no item comes twice`(_ recipe: RecipeName, count: Int) throws {
        let model = try planted.model(recipe)
        let items = model.rank(planted.request(count: count)).items
        #expect(items.count <= count)
        // Related items leave out the item that was asked about.
        #expect(items.count >= min(count, model.itemCount - 1))
        #expect(Set(items.map(\.item)).count == items.count)
    }

    @Test(arguments: RecipeName.fits)
    func `exactly the admitted rows come back`(_ recipe: RecipeName) throws {
        let model = try planted.model(recipe)
        var random = Xorshift(state: 99)
        for size in [0, 1, 3, 17, 50] {
            let rows = Set((0..<size).map { _ in random.below(model.itemCount) })
            var request = planted.request(count: 200)
            request.allowed = rowBitmap(rows, count: model.itemCount)
            let expected = rows.filter { !recipe.isRelated || Int32($0) != request.item }
            #expect(Set(model.rank(request).items.map { Int($0.item) }) == expected)
        }
    }

    @Test(arguments: RecipeName.fits)
    func `a bitmap changes which items are there and not their order`(_ recipe: RecipeName) throws {
        let model = try planted.model(recipe)
        let everything = model.rank(planted.request(count: 500)).items.map(\.item)
        var request = planted.request(count: 500)
        request.allowed = rowBitmap((0..<model.itemCount).filter { $0 % 3 != 0 }, count: model.itemCount)
        #expect(model.rank(request).items.map(\.item) == everything.filter { $0 % 3 != 0 })
    }

    @Test(arguments: RecipeName.fits)
    func `a bitmap that is too short admits nothing beyond it`(_ recipe: RecipeName) throws {
        var request = planted.request(count: 200)
        request.allowed = [~0]
        #expect(try planted.model(recipe).rank(request).items.allSatisfy { $0.item < 64 })
    }

    @Test(arguments: RecipeName.fits)
    func `the same data and seed give the same bytes on any number of threads`(_ recipe: RecipeName) throws {
        let one = try planted.fitted(recipe, threads: 1).bytes
        #expect(one == (try planted.fitted(recipe, threads: 3).bytes))
        #expect(one == (try planted.fitted(recipe, threads: 1).bytes))
    }

    @Test(arguments: RecipeName.fits)
    func `interactions may come in any order of arrival when their times differ`(_ recipe: RecipeName) throws {
        let data = planted.training()
        var random = Xorshift(state: 5)
        var shuffled = TrainingData(eventTypeNames: data.eventTypeNames)
        for position in (0..<data.count).shuffled(using: &random) {
            shuffled.append(
                user: data.users[position], item: data.items[position], eventType: data.eventTypes[position],
                value: data.values[position], timestamp: data.timestamps[position])
        }
        let configuration = FitConfiguration(recipe: recipe, createdAt: Date(timeIntervalSince1970: 0))
        #expect(try fit(data, configuration).bytes == fit(shuffled, configuration).bytes)
    }

    @Test(arguments: RecipeName.fits)
    func `progress never falls and ends at one`(_ recipe: RecipeName) throws {
        let shares = Mutex<[Double]>([])
        _ = try fitAndEvaluate(planted.training(), FitConfiguration(recipe: recipe)) { share, sentence in
            #expect(!sentence.isEmpty)
            shares.withLock { $0.append(share) }
            return true
        }
        let seen = shares.withLock { $0 }
        #expect(zip(seen, seen.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(seen.last == 1)
        #expect(seen.allSatisfy { (0...1).contains($0) })
    }

    @Test(arguments: RecipeName.fits, [1, 2, 3])
    func `a fit stops when it is told to`(_ recipe: RecipeName, callsBefore: Int) throws {
        let calls = Mutex(0)
        #expect(throws: FitError.cancelled) {
            try fit(planted.training(), FitConfiguration(recipe: recipe)) { _, _ in
                calls.withLock {
                    $0 += 1; return $0 < callsBefore
                }
            }
        }
        #expect(calls.withLock { $0 } == callsBefore)
    }

    @Test(arguments: RecipeName.fits)
    func `scores fall and their shares add up to at most one`(_ recipe: RecipeName) throws {
        let model = try planted.model(recipe)
        let items = model.rank(planted.request(count: 50)).items
        let scores = items.compactMap(\.score)
        #expect(zip(scores, scores.dropFirst()).allSatisfy { $0 >= $1 })
        let shares = items.compactMap(\.normalizedScore)
        #expect(shares.allSatisfy { (0...1).contains($0) })
        #expect(shares.reduce(0, +) <= 1.0001)
    }

    @Test(arguments: RecipeName.fits)
    func `a given list comes back whole, unknown items last and without score`(_ recipe: RecipeName) throws {
        let model = try planted.model(recipe)
        var request = planted.request(block: 2, count: 1)
        request.candidates = [999_999, 3, 55, 60, 3, 999_998, 999_999, 80]
        let items = model.rank(request).items
        #expect(Set(items.prefix(4).map(\.item)) == [3, 55, 60, 80])
        #expect(items.dropFirst(4).map(\.item) == [999_999, 999_998])
        #expect(items.dropFirst(4).allSatisfy { $0.score == nil && $0.normalizedScore == nil && $0.kind == .unknown })
        #expect(abs(items.compactMap(\.normalizedScore).reduce(0, +) - 1) < 1e-4)
    }

    @Test(arguments: RecipeName.fits)
    func `a boosted item rises and a buried one falls`(_ recipe: RecipeName) throws {
        let model = try planted.model(recipe)
        var request = planted.request(count: 20)
        let plain = model.rank(request).items.map(\.item)
        let (first, tenth) = (try #require(plain.first), plain[9])
        request.boosts = [.init(row: Int(tenth), factor: 1000), .init(row: Int(first), factor: 0.0001)]
        let changed = model.rank(request).items.map(\.item)
        #expect(changed.first == tenth)
        #expect((changed.firstIndex(of: first) ?? .max) > 0)
    }

    @Test(arguments: RecipeName.fits)
    func `nonsense in a request is harmless`(_ recipe: RecipeName) throws {
        let model = try planted.model(recipe)
        var request = planted.request(count: .max)
        request.boosts = [.init(row: -1, factor: 2), .init(row: .max, factor: 2), .init(row: 3, factor: .nan), .init(row: 4, factor: -1)]
        request.relatedByEventType = -7
        request.history += [HistoryEvent(item: -5, eventType: -1, timestamp: .min, value: .nan), HistoryEvent(item: .max, eventType: .max)]
        #expect(model.rank(request).items.count >= model.itemCount - 1)
        request.count = -3
        #expect(model.rank(request).items.isEmpty)
        request.candidates = []
        #expect(model.rank(request).items.isEmpty)
    }

    @Test(arguments: RecipeName.fits)
    func `items of the history can be left out`(_ recipe: RecipeName) throws {
        let model = try planted.model(recipe)
        var request = planted.request(count: 500)
        request.excludeHistory = true
        let history = Set(request.history.map(\.item))
        let items = model.rank(request).items
        #expect(items.allSatisfy { !history.contains($0.item) })
        #expect(items.count >= model.itemCount - history.count - 1)
    }

    @Test(arguments: RecipeName.fits.filter { $0 != .trendingNow })
    func `unknown users and items get the popular items`(_ recipe: RecipeName) throws {
        let model = try planted.model(recipe)
        let request = RankingRequest(history: [HistoryEvent(item: 777_777)], item: 888_888, count: 5)
        let items = model.rank(request).items
        #expect(items.first?.item == planted.trap)
        #expect(items.allSatisfy { $0.kind == .popular })
        #expect(items.count == 5)
    }

    @Test(arguments: RecipeName.fits)
    func `sparse ids give the same answers as dense ones`(_ recipe: RecipeName) throws {
        let factor: Int32 = 20_000
        let dense = try planted.model(recipe)
        let sparse = try fit(planted.training(idStride: factor), FitConfiguration(recipe: recipe)).opened()
        #expect(dense.isIdentityMapped)
        #expect(!sparse.isIdentityMapped)
        var request = planted.request()
        let expected = dense.rank(request).items.map { $0.item * factor }
        request.item = request.item.map { $0 * factor }
        for index in request.history.indices { request.history[index].item *= factor }
        #expect(sparse.rank(request).items.map(\.item) == expected)
        #expect(sparse.rowOfItem(3 * factor) == 3)
        #expect(sparse.rowOfItem(3 * factor + 1) == nil)
    }

    @Test(arguments: RecipeName.fits)
    func `work space can be used again, with other models too`(_ recipe: RecipeName) throws {
        let model = try planted.model(recipe)
        let other = try fit(
            planted.training(), FitConfiguration(recipe: .userPersonalization, hyperparameters: ["factors": "32"])
        ).opened()
        var scratch = RankingScratch()
        for block in [0, 3, 1] {
            _ = other.rank(planted.request(block: block, count: 60), scratch: &scratch)
            let fresh = model.rank(planted.request(block: block)).items
            #expect(model.rank(planted.request(block: block), scratch: &scratch).items == fresh)
        }
    }

    @Test(arguments: RecipeName.fits.filter { !$0.description.makesSegments })
    func `offline metrics carry the contract's names and stay within bounds`(_ recipe: RecipeName) throws {
        let evaluation = try evaluate(planted.training(), FitConfiguration(recipe: recipe))
        let own: Set<String> = recipe == .trendingNow ? ["trend_prediction_accuracy"] : []
        #expect(
            Set(evaluation.metrics.keys).subtracting(own) == [
                "coverage", "mean_reciprocal_rank_at_25", "normalized_discounted_cumulative_gain_at_5",
                "normalized_discounted_cumulative_gain_at_10", "normalized_discounted_cumulative_gain_at_25",
                "precision_at_5", "precision_at_10", "precision_at_25",
            ])
        #expect(evaluation.metrics.values.allSatisfy { (0...1).contains($0) })
        #expect(evaluation.testUserCount == planted.blocks * planted.usersPerBlock / 10)
    }
}
