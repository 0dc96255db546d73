import Testing

@testable import Ranking

@Suite struct ReturnTests {
    /// Events of one user, as (item, type, seconds).
    private func matrix(_ events: [(Int32, UInt8, Int64)]) throws -> InteractionMatrix {
        var data = TrainingData(eventTypeNames: ["view", "purchase"])
        for (item, type, time) in events { data.append(user: 1, item: item, eventType: type, timestamp: time) }
        return try InteractionMatrix(data, FitConfiguration(recipe: .userPersonalization))
    }

    @Test(
        arguments: [
            ([(1, 0, 0), (2, 0, 10), (1, 0, 20)], true, "after another item"),
            ([(1, 0, 0), (1, 0, 20)], false, "a page loaded again"),
            ([(1, 0, 0), (2, 0, 10), (1, 1, 20)], false, "the next step of a funnel"),
            ([(1, 0, 0), (1, 1, 3601)], true, "over an hour later"),
            ([(1, 0, 5), (2, 0, 5), (1, 0, 5)], false, "without a clock"),
        ] as [([(Int32, UInt8, Int64)], Bool, String)])
    func `what is a return and what is not`(_ events: [(Int32, UInt8, Int64)], expected: Bool, what: String) throws {
        let returns = try matrix(events).returns()
        #expect(returns.last == expected, "\(what)")
        #expect(returns.dropLast().allSatisfy { !$0 })
    }

    @Test func `an item's own share of returns counts the more, the more events it has`() throws {
        var events: [(Int32, UInt8, Int64)] = []
        for step in 0..<30 { events.append((1, 0, Int64(step) * 7200)) }
        events += [(2, 0, 500_000), (3, 0, 500_001)]
        let lists = ReturnFit(prior: 10).fit(try matrix(events))
        let mean: Float = 29 / 32
        #expect(lists.rows == [0, 1, 2])
        #expect(abs(lists.strengths[0] - (29 + 10 * mean) / 40) < 1e-6)
        #expect(abs(lists.strengths[1] - 10 * mean / 11) < 1e-6)
    }

    @Test func `where people come back, known items stand first`() throws {
        var data = TrainingData(eventTypeNames: ["play"])
        for step in 0..<20 {
            for user: Int32 in 0..<80 {
                // Two own items in turn, and something new now and then.
                let item = step % 5 == 2 ? (user * 13 + Int32(step) * 7) % 300 : user * 2 % 160 + Int32(step % 2)
                data.append(user: user, item: item, eventType: 0, timestamp: Int64(step) * 10_000 + Int64(user))
            }
        }
        let fitted = try fit(data, FitConfiguration(recipe: .userPersonalization))
        let model = try fitted.opened()
        #expect(model.properties["demotes_history"] == "false")
        let history = [HistoryEvent(item: 40, timestamp: 1), HistoryEvent(item: 41, timestamp: 2), HistoryEvent(item: 40, timestamp: 3)]
        #expect(Set(model.rank(RankingRequest(history: history, count: 2)).items.map(\.item)) == [40, 41])
    }
}
