import Glibc
import Testing

@testable import Ranking

/// Data at the bounds of what is admitted: a model in bounded time, or a sentence.
@Suite struct ExtremeDataTests {
    static let cases: [DegenerateDataTests.Case] = [
        DegenerateDataTests.make("65,000 values, some beyond reason", 65_000) {
            let odd: [Float] = [.nan, .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude]
            return ($0 % 400, $0 * 7 % 90, $0 % 1000 < 6 ? odd[Int($0) % 1000] : Float($0), Int64($0))
        },
        DegenerateDataTests.make("times before 1970 and far ahead", 400) {
            ($0 % 30, $0 * 7 % 40, .nan, [Int64.min, -1, 0, 1 << 40, Int64.max][Int($0) % 5])
        },
        DegenerateDataTests.make("one event each of two users on one item", 2) { ($0, 9, .nan, 5) },
        DegenerateDataTests.make("two users with the same two items", 4) { ($0 % 2, $0 / 2, .nan, Int64($0)) },
        DegenerateDataTests.make("one item of very many users", 3000) { ($0, $0 % 30 == 0 ? $0 % 7 : 100, .nan, Int64($0 % 500)) },
        .init(
            name: "256 event types",
            data: {
                var data = TrainingData(eventTypeNames: (0..<256).map { "type \($0)" })
                for index in 0..<2560 as Range<Int32> {
                    data.append(user: index % 40, item: index * 7 % 50, eventType: UInt8(index % 256), timestamp: Int64(index))
                }
                return data
            }()),
    ]

    @Test(arguments: cases, RecipeName.fits)
    func `extreme data gives a model that answers`(_ extreme: DegenerateDataTests.Case, recipe: RecipeName) throws {
        let model = try fitAndEvaluate(extreme.data, FitConfiguration(recipe: recipe)).opened()
        let history = extreme.data.items.suffix(3).map { HistoryEvent(item: $0, eventType: 0, timestamp: .max, value: .infinity) }
        let request = RankingRequest(history: history, item: extreme.data.items.first, count: 10, explain: true)
        let items = model.rank(request).items
        #expect(items.count >= min(10, model.itemCount - 1))
        #expect(items.allSatisfy { ($0.score ?? 0).isFinite && ($0.normalizedScore ?? 0).isFinite })
        #expect(items.flatMap(\.reasons).allSatisfy { (0...1.0001).contains($0.share) })
    }

    /// Values that weigh: confidence and a threshold, where values are odd.
    @Test(arguments: RecipeName.personal)
    func `odd values neither pass a threshold nor spoil the scores`(_ recipe: RecipeName) throws {
        let data = Self.cases[0].data
        let configuration = FitConfiguration(recipe: recipe, hyperparameters: ["value_confidence": "100"], eventValueThreshold: 10)
        let fitted = try fit(data, configuration)
        #expect(fitted.interactionCount == data.values.count { $0 >= 10 })
        let history = [Float.nan, .infinity, -.infinity, .greatestFiniteMagnitude].enumerated().map {
            HistoryEvent(item: Int32($0), value: $1)
        }
        let items = try fitted.opened().rank(RankingRequest(history: history, count: 20)).items
        #expect(items.count == 20 && items.allSatisfy { ($0.score ?? .nan).isFinite })
    }

    @Test func `a type beyond 256 gives a sentence`() {
        let data = TrainingData(
            users: [0], items: [0], eventTypes: [0], values: [.nan], timestamps: [0], eventTypeNames: (0..<257).map { "\($0)" })
        #expect(throws: FitError.unusableData("An interaction has an event type without a name.")) {
            try fit(data, FitConfiguration(recipe: .popularityCount))
        }
    }

    private func threadSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// What grows with the square of a history would take hours.
    @Test(arguments: RecipeName.families)
    func `a million events of one user take no longer than those of many`(_ recipe: RecipeName) throws {
        var busy = TrainingData(eventTypeNames: ["view"])
        busy.reserveCapacity(1_000_000)
        var random = Xorshift(state: 17)
        for index in 0..<1_000_000 {
            let user = index % 1000 == 0 ? 1 + index / 1000 % 60 : 0
            busy.append(user: Int32(user), item: Int32(random.below(300)), eventType: 0, timestamp: Int64(index))
        }
        // On one thread, whose own time does not depend on what else runs.
        let start = threadSeconds()
        let configuration = FitConfiguration(
            recipe: recipe, hyperparameters: recipe.isPersonal ? ["iterations": "2"] : [:], threads: 1)
        let model = try fit(busy, configuration).opened()
        #expect(threadSeconds() - start < 30)
        #expect(model.rank(RankingRequest(history: [HistoryEvent(item: 3)], item: 3, count: 10)).items.count == 10)
    }
}
