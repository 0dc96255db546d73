import Testing

@testable import Ranking

@Suite struct RankingMetricsTests {
    @Test func `hits at ranks two and five of five give the figures of the contract's worked example`() {
        let list = RankingMetrics(hits: [false, true, false, false, true], relevantCount: 2)
        #expect(list.reciprocalRank(at: 25) == 0.5)
        #expect(abs(list.ndcg(at: 5) - 0.6241) < 5e-5)
        #expect(list.precision(at: 5) == 0.4)
    }

    @Test func `a perfect list reaches one`() {
        let list = RankingMetrics(hits: [true, true, true], relevantCount: 3)
        #expect(list.ndcg(at: 5) == 1)
        #expect(list.reciprocalRank(at: 25) == 1)
    }

    @Test func `a list without hits is worth nothing`() {
        let list = RankingMetrics(hits: [false, false], relevantCount: 4)
        #expect([list.ndcg(at: 10), list.reciprocalRank(at: 25), list.precision(at: 5)] == [0, 0, 0])
    }

    @Test func `hits beyond the cut do not count`() {
        let list = RankingMetrics(hits: [Bool](repeating: false, count: 5) + [true], relevantCount: 1)
        #expect(list.precision(at: 5) == 0)
        #expect(list.ndcg(at: 5) == 0)
        #expect(list.reciprocalRank(at: 5) == 0)
        #expect(list.reciprocalRank(at: 25) == 1.0 / 6.0)
    }

    @Test func `the newest tenth of a held-out user's events is the truth, the rest the history`() throws {
        var data = TrainingData(eventTypeNames: ["view"])
        for user in 0..<10 {
            for step in 0..<20 { data.append(user: Int32(user), item: Int32(step), eventType: 0, timestamp: Int64(step)) }
        }
        let holdout = try Holdout(data, FitConfiguration(recipe: .sims))
        let user = try #require(holdout.testUsers.first)
        #expect(holdout.testUsers.count == 1)
        #expect(holdout.training.count == 180)
        #expect(user.truth == [18, 19])
        #expect(user.request.history.map(\.item) == Array(0..<18))
        #expect(user.request.item == 17)
    }

    @Test func `who is held out depends on the seed alone`() throws {
        let data = PlantedData().training()
        let draws = try [1, 1, 2].map { seed in
            try Holdout(data, FitConfiguration(recipe: .popularityCount, seed: seed)).testUsers.map { $0.request.history.map(\.item) }
        }
        #expect(draws[0] == draws[1])
        #expect(draws[0] != draws[2])
    }

    @Test func `planted structure is found by the offline metrics`() throws {
        let data = PlantedData().training()
        let blocks = try evaluate(data, FitConfiguration(recipe: .userPersonalization)).metrics
        let popular = try evaluate(data, FitConfiguration(recipe: .popularityCount)).metrics
        let key = "normalized_discounted_cumulative_gain_at_25"
        #expect((blocks[key] ?? 0) > 1.3 * (popular[key] ?? 1))
    }

    @Test func `an evaluation tells how far chance moves its means`() throws {
        let evaluation = try evaluate(PlantedData().training(), FitConfiguration(recipe: .popularityCount))
        let lists = evaluation.metrics.keys.filter { $0 != "coverage" }
        #expect(Set(evaluation.samplingErrors.keys) == Set(lists))
        #expect(evaluation.samplingErrors.values.allSatisfy { $0.userCount == evaluation.testUserCount })
        #expect((evaluation.samplingErrors["mean_reciprocal_rank_at_25"]?.standardError ?? 0) > 0)
        let figures = try #require(evaluation.figures)
        #expect(figures.samplingErrors["ndcg@10"] != nil && figures.samplingErrors["coverage@10"] == nil)
    }

    @Test func `the difference of two means has Wald's interval`() throws {
        // Users' values 0, 1, 1, 2: mean 1, variance 2/3, so the mean's is 1/6.
        let error = try #require(SamplingError(sum: 4, squares: 6, userCount: 4))
        #expect(abs(error.standardError - (1.0 / 6).squareRoot()) < 1e-12)
        #expect(SamplingError(sum: 1, squares: 1, userCount: 1) == nil)
        let (mine, other) = (SamplingError(standardError: 0.03, userCount: 30), SamplingError(standardError: 0.04, userCount: 900))
        let interval = try #require(mine.interval(ofDifference: 0.1, from: other))
        #expect(abs(interval.lowerBound - 0.0020018) < 1e-6 && abs(interval.upperBound - 0.1979982) < 1e-6)
        #expect(error.interval(ofDifference: 0.1, from: other) == nil)
    }

    @Test func `data that cannot be split gives a model, no metrics and a sentence`() throws {
        var data = TrainingData(eventTypeNames: ["view"])
        for item in 0..<5 { data.append(user: 0, item: Int32(item), eventType: 0, timestamp: 0) }
        let fitted = try fitAndEvaluate(data, FitConfiguration(recipe: .popularityCount))
        #expect(fitted.metrics.isEmpty)
        #expect(fitted.log.first == "No metrics: the data has too few users with two or more interactions to hold any out.")
    }
}
