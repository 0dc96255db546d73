import Ranking
import Testing

/// Data that no algorithm likes gives a model that answers, or a sentence.
@Suite struct DegenerateDataTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var data: TrainingData
        var testDescription: String { name }
    }

    typealias Row = (user: Int32, item: Int32, value: Float, timestamp: Int64)

    static func data(_ count: Int32, _ row: (Int32) -> Row) -> TrainingData {
        var data = TrainingData(eventTypeNames: ["view"])
        for index in 0..<count {
            let (user, item, value, timestamp) = row(index)
            data.append(user: user, item: item, eventType: 0, value: value, timestamp: timestamp)
        }
        return data
    }

    static func make(_ name: String, _ count: Int32, _ row: (Int32) -> Row) -> Case {
        Case(name: name, data: data(count, row))
    }

    static let oddValues: [Float] = [.nan, .infinity, -.infinity, -1]

    static let cases: [Case] = [
        make("one event", 1) { _ in (0, 0, .nan, 0) },
        make("one user", 50) { (0, $0 % 7, 1, Int64($0)) },
        make("one item", 50) { ($0, 0, 1, Int64($0)) },
        make("nobody twice", 50) { ($0, $0, .nan, Int64($0)) },
        make("values that are no numbers", 50) { ($0 % 5, $0 % 9, oddValues[Int($0) % 4], Int64($0)) },
        make("all at one time", 200) { ($0 % 11, $0 % 13, .nan, 7) },
        make("times at the ends of the range", 40) { ($0 % 4, $0 % 6, .nan, $0 % 2 == 0 ? Int64.min : Int64.max) },
        make("one very busy user", 20_000) { ($0 < 19_900 ? 0 : $0, $0 % 900, 1, Int64($0)) },
        make("the same event again and again", 500) { _ in (3, 4, 1, 9) },
        make("huge ids", 60) { (Int32.max - $0 % 7, Int32.max - $0 % 11, 1, Int64($0)) },
    ]

    @Test(arguments: cases, RecipeName.fits)
    func `odd data gives a model that answers`(_ odd: Case, recipe: RecipeName) throws {
        let model = try fitAndEvaluate(odd.data, FitConfiguration(recipe: recipe)).opened()
        let history = odd.data.items.prefix(3).map { HistoryEvent(item: $0) }
        let request = RankingRequest(history: history, item: odd.data.items.first, count: 10, explain: true)
        let items = model.rank(request).items
        #expect(items.count >= min(10, model.itemCount - 1))
        #expect(items.allSatisfy { ($0.score ?? 0).isFinite && ($0.normalizedScore ?? 0).isFinite })
    }

    @Test func `values beyond reason do not spoil confidence`() throws {
        let data = Self.data(300) { ($0 % 9, $0 % 14, $0 % 3 == 0 ? .greatestFiniteMagnitude : 1, Int64($0)) }
        let configuration = FitConfiguration(recipe: .userPersonalization, hyperparameters: ["value_confidence": "5"])
        let items = try fit(data, configuration).opened().rank(RankingRequest(history: [HistoryEvent(item: 2, value: 3)])).items
        #expect(items.allSatisfy { ($0.score ?? 0).isFinite })
    }

    @Test(arguments: RecipeName.fits)
    func `no data at all gives a sentence`(_ recipe: RecipeName) {
        #expect(throws: FitError.unusableData("There are no interactions to learn from.")) {
            try fit(TrainingData(eventTypeNames: ["view"]), FitConfiguration(recipe: recipe))
        }
    }

    @Test func `an event type that nobody used gives a sentence`() {
        #expect(throws: FitError.unusableData("None of the 2 interactions passes the event type and value conditions.")) {
            try fit(
                Self.data(2) { ($0, $0, 1, 0) }, FitConfiguration(recipe: .popularityCount, eventType: "purchase"))
        }
    }

    @Test func `malformed columns give a sentence`() {
        var short = Self.data(2) { ($0, $0, 1, 0) }
        short.items.removeLast()
        #expect(throws: FitError.unusableData("The columns of the interactions differ in length.")) {
            try fit(short, FitConfiguration(recipe: .popularityCount))
        }
        #expect(throws: FitError.unusableData("An interaction has a negative user or item number.")) {
            try fit(Self.data(1) { _ in (0, -1, 1, 0) }, FitConfiguration(recipe: .popularityCount))
        }
        var untyped = Self.data(1) { _ in (0, 0, 1, 0) }
        untyped.eventTypes = [4]
        #expect(throws: FitError.unusableData("An interaction has an event type without a name.")) {
            try fit(untyped, FitConfiguration(recipe: .popularityCount))
        }
    }

    @Test func `a budget that is too small is refused before the fit`() {
        let error = #expect(throws: FitError.self) {
            try fit(PlantedData().training(), FitConfiguration(recipe: .sims, memoryBudgetBytes: 1000))
        }
        guard case .memoryBudget(let needed, 1000) = error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
        #expect(needed > 1000)
    }
}
