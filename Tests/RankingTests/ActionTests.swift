import Foundation
import Testing

@testable import Ranking

/// Next best actions on simulated users whose propensities are known.
@Suite struct ActionTests {
    private static let day: Int64 = 86_400
    private static let start: Int64 = 1_700_000_000

    /// Users are shown every action on about every seventh day. Users of an action's own third take it with 0.25, others with 0.02.
    private static func simulated(users: Int = 600, actions: Int = 3, days: Int64 = 112, seed: UInt64 = 0x5DEE_CE66_D1CE_4E5B)
        -> [ActionData.Event]
    {
        var random = Xorshift(state: seed)
        func chance(_ share: Double) -> Bool { Double(random.next() >> 11) / Double(1 << 53) < share }
        var events: [ActionData.Event] = []
        for day in 0..<days {
            for user in 0..<users {
                for action in 0..<actions where chance(1.0 / 7) {
                    let response: ActionData.Response =
                        chance(user % 3 == action % 3 ? 0.25 : 0.02) ? .taken : chance(0.5) ? .viewed : .notTaken
                    events.append(
                        ActionData.Event(
                            user: Int32(user), action: Int32(action), response: response,
                            timestamp: start + day * Self.day + Int64(random.below(80_000))))
                }
            }
        }
        return events
    }

    private static func records(_ count: Int = 3) -> [ActionData.Action] { (0..<Int32(count)).map { ActionData.Action(id: $0) } }

    private static func model(_ events: [ActionData.Event], _ actions: [ActionData.Action] = records(), threads: Int = 2) throws
        -> ActionModel
    {
        try fitActions(ActionData(events: events, actions: actions), ActionConfiguration(threads: threads))
    }

    /// What the model proposes to a user who did this.
    private static func propose(
        _ model: ActionModel, _ events: [ActionData.Event], among actions: [ActionData.Action] = records(),
        attributes: [String: String] = [:], at moment: Int64, count: Int = 5, explorationWeight: Double = 0, draw: Double = 1,
        admits: (Int32) -> Bool = { _ in true }
    ) -> [ActionModel.Proposal] {
        let user = ActionUser(
            responses: events.sorted { $0.timestamp < $1.timestamp }.map { ($0.action, $0.response, $0.timestamp) }, attributes: attributes)
        return model.propose(
            for: user, from: ActionShelf(actions, model), at: moment, count: count, explorationWeight: explorationWeight, draw: draw,
            admits: admits)
    }

    @Test func `what is said to have a probability happens as often as it says`() throws {
        let events = Self.simulated()
        let moment = Self.start + 98 * Self.day
        let model = try Self.model(events.filter { $0.timestamp < moment })
        let byUser = Dictionary(grouping: events) { $0.user }
        var outcomes: [(probability: Double, isTaken: Bool)] = []
        for user in Int32(0)..<600 {
            let own = byUser[user] ?? []
            let taken = Set(own.filter { $0.timestamp >= moment && $0.response == .taken }.map(\.action))
            let known = own.filter { $0.timestamp < moment }
            for proposal in Self.propose(model, known, at: moment, count: 10) {
                outcomes.append((proposal.score, taken.contains(proposal.action)))
            }
        }
        try #require(outcomes.count == 1800)
        outcomes.sort { $0.probability < $1.probability }
        for bin in 0..<6 {
            let part = outcomes[bin * 300..<(bin + 1) * 300]
            let expected = part.reduce(0) { $0 + $1.probability }
            let deviation = part.reduce(0) { $0 + $1.probability * (1 - $1.probability) }.squareRoot()
            let seen = Double(part.count { $0.isTaken })
            // The curve was learned from six times as many users, which adds a sixth to the variance.
            #expect(abs(seen - expected) < 3.5 * deviation * (7.0 / 6).squareRoot(), "bin \(bin): \(seen) happened, \(expected) expected")
        }
        // Two visible groups: about 1 - exp(-0.5) and 1 - exp(-0.04) of their users take the action within two weeks.
        #expect(outcomes.suffix(300).allSatisfy { (0.25...0.55).contains($0.probability) })
        #expect(outcomes.prefix(300).allSatisfy { $0.probability < 0.15 })
    }

    @Test func `held-out metrics beat every action's own frequency`() throws {
        let metrics = try Self.model(Self.simulated()).metrics
        let loss = try #require(metrics["log_loss"])
        let base = try #require(metrics["base_log_loss"])
        #expect(loss < 0.9 * base)
        // Who knows the user's third has an area of 0.80; a few responses tell it less surely.
        #expect(try #require(metrics["auc"]) > 0.7)
        #expect(metrics["coverage"] == 1)
        // One of three actions is recommended to everybody: the one of the user's third, which 0.4 of them take and 0.04 of the others.
        #expect(try #require(metrics["precision"]) > 0.3)
        #expect(try #require(metrics["recall"]) > 0.6)
    }

    @Test func `an action without fifty responses of either kind has the score 0 and comes last`() throws {
        var events = Self.simulated(users: 200)
        events.removeAll { $0.action == 2 && $0.response == .taken && $0.user % 7 != 0 }
        let model = try Self.model(events, Self.records(4))
        let own = events.filter { $0.user == 2 }
        let proposals = Self.propose(model, own, among: Self.records(4), at: Self.start + 120 * Self.day)
        #expect(Set(proposals.map(\.action)) == [0, 1, 2, 3])
        #expect(proposals.prefix(2).allSatisfy { $0.score > 0 })
        #expect(proposals.suffix(2).map { $0.score } == [0, 0])
        #expect(model.metrics["coverage"] == 0.5)
    }

    @Test func `expired and lately taken actions are not proposed, and value decides between equals`() throws {
        let now = Self.start + 120 * Self.day
        let actions = [
            ActionData.Action(id: 0, expiresAt: now), ActionData.Action(id: 1, expiresAt: now + 1, repeatDays: 10),
            ActionData.Action(id: 2, repeatDays: 10), ActionData.Action(id: 7, value: 3), ActionData.Action(id: 8, value: 9),
            ActionData.Action(id: 9, value: 9),
        ]
        let model = try Self.model(Self.simulated(users: 150), actions)
        let events = [
            ActionData.Event(user: 1, action: 1, response: .taken, timestamp: now - 10 * Self.day),
            ActionData.Event(user: 1, action: 2, response: .taken, timestamp: now - 10 * Self.day + 1),
        ]
        func proposed(_ count: Int, admits: (Int32) -> Bool = { _ in true }) -> [Int32] {
            Self.propose(model, events, among: actions, at: now, count: count, admits: admits).map(\.action)
        }
        #expect(proposed(10) == [1, 8, 9, 7])
        #expect(proposed(10) { $0 != 8 } == [1, 9, 7])
        #expect(proposed(2) == [1, 8])
        #expect(proposed(0).isEmpty)
    }

    @Test func `exploration gives the last place to actions without a score, the less often one was shown the rather`() throws {
        var events = Self.simulated(users: 150)
        events.append(ActionData.Event(user: 0, action: 8, response: .viewed, timestamp: Self.start))
        let actions = Self.records() + [ActionData.Action(id: 8, value: 10), ActionData.Action(id: 9)]
        let model = try Self.model(events, actions)
        func proposed(_ draw: Double) -> [Int32] {
            Self.propose(
                model, [], among: actions, at: Self.start + 120 * Self.day, count: 2, explorationWeight: 0.3, draw: draw
            ).map(\.action)
        }
        #expect(proposed(0.3).allSatisfy { $0 < 3 })
        // One response makes the odds of the eighth half of those of the ninth, whatever its value.
        #expect(proposed(0.09).last == 8)
        #expect(proposed(0.11).last == 9)
        #expect(proposed(0.29).last == 9)
        #expect(proposed(0.29).first == proposed(0.3).first)
    }

    @Test func `the model is the same on one thread and on three`() throws {
        let events = Self.simulated(users: 150)
        let one = try Self.model(events, threads: 1)
        let three = try Self.model(events, threads: 3)
        #expect(one.entries == three.entries)
        #expect(one.encoded == three.encoded)
    }

    @Test func `visits and attributes of users take part`() throws {
        var categories = CategoryLists()
        for user in 0..<300 { categories.append([user % 3 == 0 ? "gold" : "plain"]) }
        let table = MetadataTable(
            ids: Array(0..<300), columns: [MetadataColumn(name: "TIER", values: .categories(categories))])
        let data = ActionData(
            events: Self.simulated(users: 300), actions: Self.records(), visits: (0..<300).map { ($0, Self.start) }, userMetadata: table)
        let model = try fitActions(data, ActionConfiguration())
        // Of users without any history the attribute alone tells who likes the first action.
        let now = Self.start + 112 * Self.day
        func score(_ tier: String) -> Double {
            Self.propose(model, [], attributes: ["tier": tier], at: now).first { $0.action == 0 }?.score ?? 0
        }
        #expect(score("gold") > 1.5 * score("plain"))
        #expect(score("plain|gold") > score("plain"))
    }

    @Test(
        arguments: [
            [], [(0, 0)], [(0, 0), (0, 0)], Array(repeating: (3, Int64(7)), count: 200),
        ] as [[(Int32, Int64)]])
    func `thin data gives a model without scores, or a sentence`(_ rows: [(Int32, Int64)]) throws {
        let events = rows.map { ActionData.Event(user: $0.0, action: 1, response: .taken, timestamp: $0.1) }
        let data = ActionData(events: events, actions: Self.records())
        let model = try fitActions(data, ActionConfiguration())
        #expect(Self.propose(model, events, at: 100).map { $0.score } == [0, 0, 0])
        #expect(model.metrics.isEmpty)
        #expect(throws: FitError.unusableData("There are no actions to learn about.")) {
            try fitActions(ActionData(events: [], actions: []), ActionConfiguration())
        }
    }

    @Test func `a file gives back the model that was written`() throws {
        let events = Self.simulated(users: 150)
        let model = try Self.model(events, Self.records(4))
        let opened = try ActionModel(opening: ModelBytes(model.encoded))
        #expect(opened.encoded == model.encoded)
        #expect(opened.metrics == model.metrics)
        let now = Self.start + 112 * Self.day
        for user in 0..<150 {
            let own = events.filter { $0.user == Int32(user) }
            let proposals = Self.propose(opened, own, among: Self.records(4), at: now)
            #expect(proposals == Self.propose(model, own, among: Self.records(4), at: now))
        }
        #expect(throws: ModelError.self) { try Model(opening: ModelBytes(model.encoded)) }
        let items = try fit(PlantedData().training(), FitConfiguration(recipe: .popularityCount)).bytes
        #expect(throws: ModelError.damaged("it holds no model of actions")) { try ActionModel(opening: ModelBytes(items)) }
    }

    @Test func `a damaged file is refused, or answers with numbers from 0 to 1`() throws {
        let bytes = try Self.model(Self.simulated(users: 100)).encoded
        var random = Xorshift(state: 17)
        for round in 0..<2000 {
            var damaged = bytes
            for _ in 0...random.below(4) { damaged[random.below(damaged.count)] = UInt8(random.below(256)) }
            if round % 5 == 0 { damaged.removeLast(random.below(damaged.count)) }
            if damaged != bytes { #expect(throws: ModelError.self) { try ActionModel(opening: ModelBytes(damaged)) } }
            guard let model = try? ActionModel(opening: ModelBytes(damaged), verifyingChecksum: false) else { continue }
            let proposals = Self.propose(model, [], at: Self.start)
            #expect(proposals.allSatisfy { (0...1).contains($0.score) })
        }
    }

    /// What lies beyond a packed history cannot be seen at a request, so the fit does not look at it either.
    @Test func `older responses and visits than a history keeps change nothing`() throws {
        let model = try Self.model(Self.simulated(users: 150))
        let now = Self.start + 112 * Self.day
        func scores(_ views: Int64, _ visits: Int64) -> [Double] {
            let user = ActionUser(
                responses: (0..<views).reversed().map { (0, .viewed, now - 1 - $0 * 3600) },
                visits: (0..<visits).reversed().map { now - 1 - $0 * 3600 })
            return model.propose(for: user, from: ActionShelf(Self.records(), model), at: now).map(\.score)
        }
        #expect(scores(100, 100) == scores(130, 250))
        #expect(scores(100, 100) != scores(50, 100))
    }

    /// Measured at a tenth of it; the best of many runs, so that a busy machine does not matter.
    @Test func `a thousand actions are proposed from within a millisecond`() {
        var random = Xorshift(state: 5)
        func number() -> Float { Float(random.below(2000)) / 1000 - 1 }
        let features = ActionFeatures(
            period: 14 * Self.day, takenShares: [Float](repeating: 0.1, count: 1000), takenShare: 0.1, others: Array(0..<16),
            attributes: (0..<16).map { (column: "C", value: "v\($0)") })
        let curve = IsotonicCurve((0..<400).map { (score: Double($0) / 100 - 2, isPositive: random.below(400) < $0) })
        let entries = (0..<1000).map { _ in
            ActionModel.Entry(isReady: true, weights: (0..<features.count).map { _ in number() }, curve: curve)
        }
        let model = ActionModel(
            actionIDs: Array(0..<1000), entries: entries, features: features, properties: [:], metrics: [:], log: [])
        let shelf = ActionShelf(Self.records(1000), model)
        var user = ActionUser(visits: (0..<200).map { Self.start + $0 * 3600 }, attributes: ["C": "v3|v9"])
        for event in 0..<Int64(300) {
            user.responses.append((Int32(event * 7 % 1000), event % 3 == 0 ? .taken : .viewed, Self.start + event * 3600))
        }
        let times = (0..<40).map { _ in
            let begun = cpuNanoseconds()
            let proposals = model.propose(for: user, from: shelf, at: Self.start + 30 * Self.day, count: 100)
            #expect(proposals.count == 100)
            return cpuNanoseconds() - begun
        }
        #expect(times.min() ?? .max < 1_000_000, "\(times.min() ?? 0) ns")
    }

    /// CPU time of this thread.
    private func cpuNanoseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    @Test func `of more than a thousand actions those with the newest responses are learned`() {
        var data = ActionData(events: [], actions: (0..<1500).map { ActionData.Action(id: $0, createdAt: Int64($0)) })
        data.events = (0..<1500).map { ActionData.Event(user: 1, action: $0, response: .viewed, timestamp: $0 < 10 ? 5000 : 0) }
        let kept = data.limited(to: 1000)
        #expect(Set(kept.actions.map(\.id)) == Set(0..<10).union(510..<1500))
        #expect(kept.events.count == 1000)
    }

    @Test func `a period outside 7 to 28 days is refused, and a fit can be cancelled`() throws {
        let data = ActionData(events: Self.simulated(users: 100), actions: Self.records())
        for days in [6, 29] { #expect(throws: FitError.self) { try fitActions(data, ActionConfiguration(periodDays: days)) } }
        #expect(throws: FitError.cancelled) { try fitActions(data, ActionConfiguration(), progress: { _, _ in false }) }
    }
}

/// The parts of the action model whose results are known in closed form.
@Suite struct LogisticFitTests {
    @Test func `a curve pools what falls and rises between the pools`() {
        let outcomes: [(Double, Bool)] = [(1, false), (2, true), (3, false), (4, true), (5, true)]
        let curve = IsotonicCurve(outcomes.map { (score: $0.0, isPositive: $0.1) })
        // Pools 0/1, 1/2 and 2/2, each with one more example at the base rate of 3/5.
        #expect(abs(curve(-9) - 0.3) < 1e-6)
        #expect(abs(curve(2.5) - 1.6 / 3) < 1e-6)
        #expect(abs(curve(99) - 2.6 / 3) < 1e-6)
        #expect(abs(curve(1.75) - (0.3 + 1.6 / 3) / 2) < 1e-6)
        #expect(IsotonicCurve([])(1) == 0)
    }

    /// With one feature of 0 or 1 and no ridge, the odds of each group are its own frequencies.
    @Test func `two groups get their own odds`() {
        var examples: [LogisticFit.Example] = []
        for (feature, positives, total) in [(0.0, 20, 100), (1.0, 70, 140)] {
            for index in 0..<total { examples.append(.init(features: [1, feature], isPositive: index < positives)) }
        }
        let weights = LogisticFit(ridge: 1e-9).fit(examples, featureCount: 2)
        #expect(abs(weights[0] - log(0.25)) < 1e-4)
        #expect(abs(weights[1] - (log(1.0) - log(0.25))) < 1e-4)
    }

    @Test func `a weight of three is the same as three examples`() {
        let single = [LogisticFit.Example(features: [1, 2], isPositive: true), .init(features: [1, 1], isPositive: false)]
        let others = [LogisticFit.Example(features: [1, -1], isPositive: true), .init(features: [1, 0.5], isPositive: false)]
        let weighted = single.map { LogisticFit.Example(features: $0.features, isPositive: $0.isPositive, weight: 3) } + others
        let repeated = single + single + single + others
        // The scale of the ridge comes from the unweighted rows, so without a ridge the two must agree.
        let a = LogisticFit(ridge: 1e-9).fit(weighted, featureCount: 2)
        let b = LogisticFit(ridge: 1e-9).fit(repeated, featureCount: 2)
        #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-3 * max(1, abs($0)) })
    }

    @Test(
        arguments: [
            ([0.1, 0.4, 0.35, 0.8], [false, false, true, true], 0.75), ([0.5, 0.5, 0.5], [true, false, true], 0.5),
            ([0.9, 0.1], [true, false], 1), ([0.1, 0.9], [true, false], 0),
        ] as [([Double], [Bool], Double)])
    func `the ROC area is as scikit-learn's roc_auc_score gives it`(_ scores: [Double], _ isTaken: [Bool], _ expected: Double) {
        #expect(ActionMetricSums.area(scores: scores, isTaken: isTaken) == expected)
    }

    @Test func `the log loss of even odds is ln 2, and certainty in the wrong is finite`() {
        #expect(abs(ActionMetricSums.logLoss([(0.5, true), (0.5, false)]) - log(2)) < 1e-12)
        #expect(ActionMetricSums.logLoss([(0, true)]).isFinite)
    }
}
