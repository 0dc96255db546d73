import Testing

@testable import Ranking

@Suite struct EvaluationSplitTests {
    /// Users 0 and 1; user 0's events 3 and 4 fall into one second.
    private static let data: TrainingData = {
        var data = TrainingData(eventTypeNames: ["view"])
        let events: [(user: Int32, item: Int32, time: Int64)] = [
            (0, 0, 100), (1, 1, 110), (0, 1, 120), (1, 2, 130), (0, 3, 200), (0, 2, 200), (1, 1, 210), (2, 4, 220),
        ]
        for event in events { data.append(user: event.user, item: event.item, eventType: 0, timestamp: event.time) }
        return data
    }()

    private func histories(_ split: EvaluationSplit, _ data: TrainingData = data) -> [[Int32]] {
        split.queries.map { split.history(of: $0, in: data).map(\.item) }
    }

    @Test func `the last event in file order is left out, not one of an item that was met before`() throws {
        let split = try EvaluationSplit(Self.data, .leaveLastOut, seed: 1)
        #expect(split.queries.map(\.user) == [0])
        #expect(split.queries.map(\.truth) == [[2]])
        #expect(histories(split) == [[0, 1, 3]])
        #expect(split.training == [0, 1, 2, 3, 4, 7])
    }

    @Test func `events from the cut on are the truth, less what was met before`() throws {
        let split = try EvaluationSplit(Self.data, .temporal(cut: 130), seed: 1)
        #expect(split.training == [0, 1, 2])
        #expect(split.queries.map(\.truth) == [[3, 2], [2]])
        #expect(histories(split) == [[0, 1], [1]])
    }

    @Test func `without a moment the first with four fifths before it is taken`() throws {
        var data = TrainingData(eventTypeNames: ["view"])
        for event in 0..<10 { data.append(user: 0, item: Int32(event), eventType: 0, timestamp: Int64(event)) }
        let split = try EvaluationSplit(data, .temporal(cut: nil), seed: 1)
        #expect(split.training == Array(0..<8))
    }

    @Test func `two moments are parted between them`() throws {
        var data = TrainingData(eventTypeNames: ["view"])
        for event in 0..<10 { data.append(user: 0, item: Int32(event), eventType: 0, timestamp: event < 5 ? 1 : 2) }
        #expect(try EvaluationSplit(data, .temporal(cut: nil), seed: 1).training == Array(0..<5))
    }

    @Test func `one moment cannot be parted, and the refusal says so`() {
        let data = TrainingData(
            users: [0, 0], items: [0, 1], eventTypes: [0, 0], values: [.nan, .nan], timestamps: [5, 5], eventTypeNames: ["view"])
        #expect(throws: FitError.unusableData("All events have the same time: there is no moment to part them at.")) {
            try EvaluationSplit(data, .temporal(cut: nil), seed: 1)
        }
    }

    @Test func `a fifth of the items is hidden with all events, and only these are asked for`() throws {
        let data = PlantedData().training()
        let split = try EvaluationSplit(data, .coldItem, seed: 3)
        let cold = try #require(split.candidates)
        #expect(cold.count == 20)
        #expect(split.training.allSatisfy { !cold.contains(data.items[$0]) })
        #expect(split.queries.allSatisfy { Set($0.truth).isSubset(of: cold) })
        let hidden = data.items.indices.filter { cold.contains(data.items[$0]) }
        #expect(split.training.count + hidden.count == data.count)
        #expect(try EvaluationSplit(data, .coldItem, seed: 4).candidates != cold)
    }

    @Test func `every prefix of a new session foretells its next item, seen or not`() throws {
        var data = TrainingData(eventTypeNames: ["view"])
        // Ten sessions: nine old ones of one event, then three events without a pause of more than half an hour.
        for user in 0..<9 { data.append(user: Int32(user), item: 7, eventType: 0, timestamp: Int64(user)) }
        for (item, time) in [(1, 90_000), (2, 91_800), (1, 93_600)] as [(Int32, Int64)] {
            data.append(user: 3, item: item, eventType: 0, timestamp: time)
        }
        let split = try EvaluationSplit(data, .session, seed: 1)
        #expect(histories(split, data) == [[1], [1, 2]])
        #expect(split.queries.map(\.truth) == [[2], [1]])
        #expect(Set(split.queries.map(\.group)).count == 1)
        #expect(split.training == Array(0..<9))
        #expect(!split.removesSeen)
    }

    @Test func `a pause of more than half an hour parts sessions`() throws {
        var data = TrainingData(eventTypeNames: ["view"])
        for time in [0, 1800, 3601, 3602] as [Int64] { data.append(user: 0, item: Int32(time), eventType: 0, timestamp: time) }
        #expect(try EvaluationSplit(data, .session, seed: 1).training == [0, 1])
    }

    @Test func `a tenth of the users is held out with a tenth of their events`() throws {
        let data = PlantedData().training()
        let split = try EvaluationSplit(data, .personalize, seed: 1)
        let held = Set(split.queries.map(\.user))
        #expect(held.count <= 12 && held.count >= 8)
        #expect(split.training.allSatisfy { !held.contains(data.users[$0]) })
        #expect(histories(split, data).allSatisfy { $0.count == 14 })
    }

    @Test func `the strict variant loses each user's newest training event, not its history`() throws {
        var split = try EvaluationSplit(Self.data, .leaveLastOut, seed: 1)
        split.training = try leavingNewestOut(Self.data, split.training)
        #expect(split.training == [0, 1, 2])
        #expect(histories(split) == [[0, 1, 3]])
    }

    /// Queries in groups of these sizes.
    private func grouped(_ sizes: [Int]) throws -> EvaluationSplit {
        var split = try EvaluationSplit(Self.data, .leaveLastOut, seed: 1)
        split.queries = sizes.enumerated().flatMap { group, size in
            (0..<size).map { _ in TestQuery(user: 0, history: 0..<1, truth: [1], group: Int32(group)) }
        }
        return split
    }

    @Test(arguments: [1, 2, 7, 50, 99, 100, 101], [1, 2, 3] as [UInt64])
    func `at most so many queries are tested, in whole groups`(limit: Int, seed: UInt64) throws {
        let sizes = (0..<50).map { $0 % 3 + 1 }
        var split = try grouped(sizes)
        split.thinOut(seed, limit: limit)
        #expect(split.queries.count <= limit && split.queries.count >= min(limit, 99) - 1)
        let kept = Dictionary(grouping: split.queries, by: \.group).mapValues(\.count)
        #expect(limit == 1 || kept.allSatisfy { sizes[Int($0.key)] == $0.value })
        #expect(zip(split.queries, split.queries.dropFirst()).allSatisfy { $0.group <= $1.group })
        #expect(split.sentences.last?.hasSuffix("at most \(limit).") == (limit < 99))
    }

    @Test func `which queries are tested depends on the seed`() throws {
        let groups = try [1, 1, 2].map { (seed: UInt64) in
            var split = try grouped([Int](repeating: 1, count: 200))
            split.thinOut(seed, limit: 20)
            return split.queries.map(\.group)
        }
        #expect(groups[0] == groups[1] && groups[0] != groups[2])
    }

    @Test func `a group above the limit is cut where nothing smaller is there`() throws {
        var split = try grouped([500, 300])
        split.thinOut(1, limit: 40)
        #expect(split.queries.count == 40)
        #expect(Set(split.queries.map(\.group)).count == 1)
    }

    @Test(arguments: ["leave-last-out", "temporal", "temporal=-5", "cold-item", "session", "personalize"])
    func `a rule is read by its name`(name: String) { #expect(SplitRule(name) != nil) }

    @Test(arguments: ["", "temporal=", "temporal=x", "Session", "leave-one-out"])
    func `another name is no rule`(name: String) { #expect(SplitRule(name) == nil) }
}
