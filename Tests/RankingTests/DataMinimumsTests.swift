import Ranking
import Testing

@Suite struct DataMinimumsTests {
    private func data(users: Int, eventsEach: Int, types: Int = 1) -> TrainingData {
        var data = TrainingData(eventTypeNames: (0..<types).map { "type\($0)" })
        for user in 0..<users {
            for event in 0..<eventsEach {
                data.append(user: Int32(user), item: Int32(event), eventType: UInt8(event % types), value: 1, timestamp: Int64(event))
            }
        }
        return data
    }

    private func shortfall(_ data: TrainingData, eventType: String? = nil) -> [String] {
        dataShortfall(data, FitConfiguration(recipe: .sims, eventType: eventType))
    }

    @Test func `enough data has no shortfall`() {
        #expect(shortfall(data(users: 25, eventsEach: 40)).isEmpty)
    }

    @Test func `too few users with two interactions are named`() {
        #expect(shortfall(data(users: 24, eventsEach: 50)) == ["Dataset has fewer than 25 users with at least 2 interactions each."])
    }

    @Test func `too few interactions are counted once each`() {
        var repeated = data(users: 25, eventsEach: 30)
        for _ in 0..<500 { repeated.append(user: 0, item: 0, eventType: 0, value: 1, timestamp: 0) }
        #expect(shortfall(repeated) == ["Dataset has fewer than 1000 unique interactions after filtering: 750."])
    }

    @Test func `users with one interaction may not outnumber the others a hundredfold`() {
        var lonely = data(users: 25, eventsEach: 40)
        for user in 0..<3000 { lonely.append(user: Int32(1000 + user), item: 1, eventType: 0, value: 1, timestamp: 0) }
        #expect(shortfall(lonely) == ["Dataset has fewer than 1% of users with at least 2 interactions each."])
    }

    @Test func `more than ten event types are too many`() {
        #expect(shortfall(data(users: 30, eventsEach: 44, types: 11)) == ["Dataset has more than 10 distinct event types: 11."])
    }

    @Test func `counts are taken after the event type filter`() {
        let both = data(users: 30, eventsEach: 40, types: 2)
        #expect(shortfall(both).isEmpty)
        #expect(shortfall(both, eventType: "type0") == ["Dataset has fewer than 1000 unique interactions after filtering: 600."])
    }
}
