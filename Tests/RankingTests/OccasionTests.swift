import Testing

@testable import Ranking

/// Who comes back after a pause is told apart from who is in the midst of a visit.
@Suite struct OccasionTests {
    private static let groups: Int32 = 2
    private static let homes: Int32 = 8
    private static let chain: Int32 = 60
    private static let users: Int32 = 400

    /// Items of a group, in an order of the user's own.
    private func home(_ user: Int32) -> [Int32] {
        let keys = (0..<Self.homes).map { (RandomSource.mix(UInt64(user) << 8 | UInt64($0)), $0) }
        return keys.sorted { $0 < $1 }.map { Self.chain + user % Self.groups * Self.homes + $0.1 }
    }

    /// Three visits a day apart: each begins with two items of the user's group and goes on along a chain.
    private func visits() -> TrainingData {
        var data = TrainingData(eventTypeNames: ["view"])
        for user in 0..<Self.users {
            for visit in Int32(0)..<3 {
                let start = Int64(visit) * 86_400 + Int64(user)
                for (step, item) in home(user)[Int(visit) * 2..<Int(visit) * 2 + 2].enumerated() {
                    data.append(user: user, item: item, eventType: 0, timestamp: start + Int64(step) * 30)
                }
                let first = Int32(RandomSource.mix(UInt64(user * 3 + visit)) % UInt64(Self.chain))
                for step in Int32(0)..<6 {
                    data.append(
                        user: user, item: (first + step) % Self.chain, eventType: 0, timestamp: start + 60 + Int64(step) * 30)
                }
            }
        }
        return data
    }

    private func requests(_ data: TrainingData, after seconds: Int64) -> [RankingRequest] {
        (0..<Self.users).map { user in
            let history = data.users.indices.filter { data.users[$0] == user }.map {
                HistoryEvent(item: data.items[$0], timestamp: data.timestamps[$0])
            }
            var request = RankingRequest(history: history, count: 4)
            request.moment = (history.last?.timestamp ?? 0) + seconds
            return request
        }
    }

    @Test func `who comes back gets other items than who is in the midst of a visit`() throws {
        let data = visits()
        let fitted = try fit(data, FitConfiguration(recipe: .userPersonalization))
        let model = try fitted.opened()
        #expect(fitted.log.contains { $0.contains("they have their own") })
        func share(after seconds: Int64, of expected: (Int32, [HistoryEvent]) -> Set<Int32>) -> Double {
            let found = zip(0..<Self.users, requests(data, after: seconds)).map { user, request in
                let expected = expected(user, request.history)
                return Double(expected.intersection(model.rank(request).items.map(\.item)).count) / Double(expected.count)
            }
            return found.reduce(0, +) / Double(found.count)
        }
        let next = { (_: Int32, history: [HistoryEvent]) in
            Set(history.suffix(1).map { ($0.item + 1) % Self.chain }.filter { item in !history.contains { $0.item == item } })
        }
        let rest = { (user: Int32, _: [HistoryEvent]) in Set(home(user).suffix(2)) }
        #expect(share(after: 86_400, of: rest) > 0.8)
        #expect(share(after: 60, of: rest) < 0.3)
        let asked = requests(data, after: 60).map(\.history).filter { !next(0, $0).isEmpty }
        let hits = asked.count { history in
            var request = RankingRequest(history: history, count: 4)
            request.moment = (history.last?.timestamp ?? 0) + 60
            return !next(0, history).isDisjoint(with: model.rank(request).items.map(\.item))
        }
        #expect(hits * 10 > asked.count * 9)
    }

    @Test func `each occasion has its own weights, and what is shown of a score is of that occasion`() throws {
        let data = visits()
        var configuration = FitConfiguration(recipe: .userPersonalization)
        configuration.blend = BlendChoice(entries: [
            BlendChoice.Entry(ingredient: .graph, rule: SourceRule(), weight: 1, returnWeight: 1),
            BlendChoice.Entry(ingredient: .popularity, rule: SourceRule(), weight: 0.25, returnWeight: 0.5),
        ])
        let model = try fit(data, configuration).opened()
        func answers(after seconds: Int64) -> [[Int32: RankedItem]] {
            requests(data, after: seconds).prefix(20).map { request in
                var request = request
                (request.explain, request.count) = (true, 100)
                return Dictionary(uniqueKeysWithValues: model.rank(request).items.map { ($0.item, $0) })
            }
        }
        var compared = 0
        let met = requests(data, after: 60).map { Set($0.history.map(\.item)) }
        for (met, (amidst, returning)) in zip(met, zip(answers(after: 60), answers(after: 86_400))) {
            for (item, usual) in amidst where !met.contains(item) {
                guard let other = returning[item], let part = usual.popularityPart, let larger = other.popularityPart,
                    let score = usual.score, let higher = other.score
                else { continue }
                #expect(part > 0 && abs(larger - 2 * part) <= 1e-4 * larger)
                #expect(abs(higher - score - part) <= 1e-3 * abs(higher) + 1e-5)
                compared += 1
            }
        }
        #expect(compared > 100)
    }

    @Test func `what is held back begins with a visit, and once more in its midst`() throws {
        let matrix = try InteractionMatrix(visits(), FitConfiguration(recipe: .userPersonalization))
        let split = ValidationSplit(matrix, seed: 1, hasClock: true, demotesHistory: true, atVisits: true)
        #expect(split.users.count == 400 && split.later.count > 300)
        #expect(split.users.allSatisfy { $0.comesBack && $0.since.isEmpty && $0.gains.values.allSatisfy { $0 == 1 } })
        #expect(split.later.allSatisfy { !$0.comesBack && !$0.since.isEmpty && $0.gains.values.contains { $0 < 1 } })
        var history = WeightedHistory()
        let weighting = HistoryWeights(split.training, FitConfiguration(recipe: .userPersonalization))
        for asked in split.users + split.later {
            let whole = Set(matrix.items[matrix.offsets[asked.row]..<matrix.offsets[asked.row + 1]])
            split.collectHistory(asked, weighting, into: &history)
            #expect(Set(history.rows).union(asked.truth) == whole && asked.truth.isDisjoint(with: history.rows))
        }
        let plain = ValidationSplit(matrix, seed: 1, hasClock: true, demotesHistory: true)
        #expect(plain.later.isEmpty && plain.users.allSatisfy { !$0.comesBack })
    }

    @Test(arguments: [(Int64?.none, "usual"), (1000, "usual"), (2800, "usual"), (2801, "returning"), (0, "usual"), (.max, "returning")])
    func `a pause of more than half an hour ends a visit`(_ moment: Int64?, _ expected: String) {
        var request = RankingRequest(history: [HistoryEvent(item: 1, timestamp: 1000)])
        request.moment = moment
        #expect("\(request.occasion)" == expected)
        request.candidates = [1]
        #expect(request.occasion == .list)
    }
}
