import Foundation
import Testing

@testable import Ranking

/// Everybody chooses among ten items at a time. Twenty items, no better than others, fill the lists for most of the time; in the end lists
/// are drawn from all items alike.
private struct PushedItems {
    static let users = 400
    static let items = 120
    static let pushed = 20
    static let events = 12
    static let organic = 3

    var state = Xorshift(state: 0x9E37_79B9_7F4A_7C15)

    static func appeal(_ item: Int, _ user: Int) -> Double {
        exp(Double((item * 37) % 11) / 4 - 1.25) * (item % 3 == user % 3 ? 3 : 1)
    }

    mutating func list(isOrganic: Bool) -> [Int] {
        var list: Set<Int> = []
        while list.count < 10 {
            list.insert(isOrganic || list.count == 9 ? state.below(Self.items) : state.below(Self.pushed))
        }
        return list.sorted()
    }

    mutating func choice(_ list: [Int], _ user: Int) -> Int {
        var left = Double(state.below(1_000_000)) / 1_000_000 * list.reduce(0) { $0 + Self.appeal($1, user) }
        for item in list {
            left -= Self.appeal(item, user)
            if left <= 0 { return item }
        }
        return list[list.count - 1]
    }

    mutating func data(tellsShown: Bool = true) -> TrainingData {
        var data = TrainingData(eventTypeNames: ["click"])
        for step in 0..<Self.events {
            for user in 0..<Self.users {
                let list = list(isOrganic: step >= Self.events - Self.organic)
                data.append(
                    user: Int32(user), item: Int32(choice(list, user)), eventType: 0, timestamp: Int64(1_700_000_000 + step * 86_400 + user)
                )
                if tellsShown { data.shown.append(event: data.count - 1, list.map { Int32($0) }) }
            }
        }
        return data
    }
}

@Suite struct ShownTests {
    private func configuration(_ ingredients: String? = nil) -> FitConfiguration {
        FitConfiguration(
            recipe: .userPersonalizationV2, hyperparameters: ingredients.map { ["ingredients": $0] } ?? [:], threads: 2,
            createdAt: Date(timeIntervalSince1970: 1_800_000_000))
    }

    private func matrix(_ data: TrainingData) throws -> InteractionMatrix { try InteractionMatrix(data, configuration()) }

    @Test func `items are judged by what becomes of their showings, not by how often they are shown`() throws {
        var planted = PushedItems()
        let matrix = try matrix(planted.data())
        let events = matrix.popularity().events
        let levels = try #require(ChoiceFit(matrix: matrix).levels())
        let (pushed, others) = (0..<PushedItems.pushed, PushedItems.pushed..<PushedItems.items)
        func mean(_ values: [Float], _ rows: Range<Int>) -> Float { rows.reduce(0) { $0 + values[$1] } / Float(rows.count) }
        #expect(mean(events, pushed) > 5 * mean(events, others))
        #expect(abs(mean(levels, pushed) - mean(levels, others)) < 0.6)
        let ranked = levels.indices.sorted { levels[$0] > levels[$1] }
        func appeal(_ rows: some Collection<Int>) -> Double {
            rows.reduce(0) { $0 + PushedItems.appeal($1, 0) + PushedItems.appeal($1, 1) + PushedItems.appeal($1, 2) } / Double(rows.count)
        }
        #expect(appeal(ranked.prefix(25)) > 3 * appeal(ranked.suffix(25)))
    }

    @Test func `a list of one's own kind of chance tells nothing`() throws {
        var state = Xorshift(state: 77)
        var data = TrainingData(eventTypeNames: ["click"])
        for step in 0..<2000 {
            let list = (0..<10).map { _ in Int32(state.below(50)) }
            data.append(user: Int32(step % 200), item: list[state.below(10)], eventType: 0, timestamp: Int64(step))
            data.shown.append(event: step, list)
        }
        let levels = ChoiceFit(matrix: try matrix(data)).levels()
        // Either no difference is seen, or a prior of many events keeps what is left of chance in bounds; never a strong verdict.
        let weights = levels.map { $0.map(abs).max() ?? 0 } ?? 0
        #expect(weights < 6)
    }

    @Test func `lists improve what is foretold, and their part is explained exactly`() throws {
        var planted = PushedItems()
        let told = try fit(planted.data(), configuration())
        planted = PushedItems()
        let untold = try fit(planted.data(tellsShown: false), configuration())
        #expect(told.log.contains { $0.hasPrefix("Chosen: ") && $0.contains("choices among what was shown") })
        #expect(!untold.log.contains { $0.contains("choices among") })
        let models = (told: try told.opened(), untold: try untold.opened())
        var appeal = (told: 0.0, untold: 0.0)
        var scratch = RankingScratch()
        planted = PushedItems()
        let data = planted.data()
        for user in 0..<PushedItems.users {
            let history = (0..<PushedItems.events).map {
                HistoryEvent(item: data.items[$0 * PushedItems.users + user], timestamp: Int64($0))
            }
            let request = RankingRequest(history: history, count: 10)
            for item in models.told.rank(request, scratch: &scratch).items { appeal.told += PushedItems.appeal(Int(item.item), user) }
            for item in models.untold.rank(request, scratch: &scratch).items { appeal.untold += PushedItems.appeal(Int(item.item), user) }
        }
        #expect(appeal.told > 1.1 * appeal.untold)
        let items = models.told.rank(
            RankingRequest(history: [HistoryEvent(item: 50), HistoryEvent(item: 53)], count: 120, explain: true), scratch: &scratch
        ).items
        // Item 0 has the least appeal of all, item 8 the greatest.
        let least = try #require(items.first { $0.item == 0 }?.choicePart)
        let greatest = try #require(items.first { $0.item == 8 }?.choicePart)
        #expect(least < 0 && greatest > 0)
    }

    @Test func `lists follow their events through every selection`() throws {
        var data = TrainingData(eventTypeNames: ["a", "b"])
        for step in 0..<6 {
            data.append(user: Int32(step % 2), item: Int32(step), eventType: UInt8(step % 2), timestamp: Int64(100 - step))
            if step != 2 { data.shown.append(event: step, [Int32(step), 5, 99]) }
        }
        let selected = data.selecting([4, 1, 2])
        #expect(selected.shown.events == [0, 1] || selected.shown.events == [1, 0])
        for list in 0..<selected.shown.count {
            #expect(selected.shown[list].first == selected.items[Int(selected.shown.events[list])])
        }
        let matrix = try matrix(data)
        #expect(matrix.shown.count == 5)
        for list in 0..<matrix.shown.count {
            #expect(matrix.shown[list].first == matrix.items[Int(matrix.shown.events[list])])
            #expect(matrix.shown[list].last == -1)
        }
        let kept = matrix.removing(matrix.items.map { $0 == 0 })
        #expect(kept.shown.count == 4)
        for list in 0..<kept.shown.count { #expect(kept.shown[list].first == kept.items[Int(kept.shown.events[list])]) }
    }

    @Test func `full lists thin out evenly and stay within their bound`() {
        var shown = ShownLists(capacity: 100)
        for event in 0..<1000 { shown.append(event: event, [1, 2, 3, 4, 5]) }
        #expect(shown.items.count <= 100 && shown.count >= 8)
        let gaps = Set(zip(shown.events.dropFirst(), shown.events).map { $0 - $1 })
        #expect(gaps.count <= 2)
        #expect((shown.events.last ?? 0) > 800)
        var long = ShownLists()
        long.append(event: 0, (0..<40).map { Int32($0) })
        long.append(event: 1, [])
        #expect(long.count == 1 && long[0].count == ShownLists.listLimit)
    }
}
