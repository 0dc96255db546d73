import Foundation
import Testing

@testable import Ranking

@Suite struct ModelUpdateTests {
    private let planted = PlantedData()
    private let model: Model
    private let updated: Model
    /// Viewed by the users of block 2 alone, late.
    private let new: Int32 = 5000
    private let configuration = FitConfiguration(
        recipe: .userPersonalization, threads: 2, createdAt: Date(timeIntervalSince1970: 1_900_000_000))

    init() throws {
        let fitted = try fit(planted.training(), configuration)
        model = try fitted.opened()
        var data = planted.training()
        for user in 0..<Int32(planted.blocks * planted.usersPerBlock) where Int(user) % planted.blocks == 2 {
            data.append(user: user, item: new, eventType: 0, timestamp: 1_850_000_000 + Int64(user))
        }
        let update = try update(model, with: data, configuration)
        #expect(update.itemCount == planted.itemCount + 1)
        updated = try update.opened()
    }

    private func sections(_ model: Model) -> [String: [UInt8]] {
        Dictionary(model.rawSections { _ in true }.map { ($0.name, $0.bytes) }) { first, _ in first }
    }

    @Test func `every learned section stays byte for byte`() {
        let before = sections(model)
        let after = sections(updated)
        let replaced: Set = ["properties", "popularity.users", "popularity.events", "popularity.order"]
        #expect(before.keys.count > replaced.count + 3)
        for (name, bytes) in before where !replaced.contains(name) { #expect(after[name] == bytes, "\(name)") }
    }

    @Test func `learned items keep their scores`() {
        var scratch = RankingScratch()
        let request = RankingRequest(history: planted.history(block: 1), candidates: Array(0..<100))
        let scores = { (model: Model) in
            var scratch = RankingScratch()
            return Dictionary(uniqueKeysWithValues: model.rank(request, scratch: &scratch).items.map { ($0.item, $0.score) })
        }
        #expect(scores(model) == scores(updated))
        #expect(updated.rank(request, scratch: &scratch).items.count == 100)
    }

    @Test func `a new item stands high for those who meet its like and low for others`() throws {
        var scratch = RankingScratch()
        let everything = Array(0..<Int32(planted.itemCount)) + [new]
        func place(_ block: Int) throws -> Int {
            let list = updated.rank(RankingRequest(history: planted.history(block: block), candidates: everything), scratch: &scratch).items
            return try #require(list.firstIndex { $0.item == new })
        }
        #expect(try place(2) < planted.itemsPerBlock)
        #expect(try place(0) > 2 * planted.itemsPerBlock)
    }

    @Test func `a new item has a row, its popularity and reasons`() throws {
        let row = try #require(updated.rowOfItem(new))
        #expect(updated.itemID(ofRow: row) == new)
        #expect(updated.itemIDs.last == new)
        #expect(updated.distinctUsers(ofRow: row) == planted.usersPerBlock)
        #expect(updated.itemCount == model.itemCount + 1)
        var scratch = RankingScratch()
        let only = rowBitmap([row], count: updated.itemCount)
        let request = RankingRequest(history: planted.history(block: 2), allowed: only, count: 1, explain: true)
        let item = try #require(updated.rank(request, scratch: &scratch).items.first)
        #expect(item.item == new)
        #expect(item.reasons.allSatisfy { planted.block(ofItem: $0.historyItem) == 2 } && !item.reasons.isEmpty)
    }

    @Test func `a stranger is given the new item among the popular ones`() {
        var scratch = RankingScratch()
        let list = updated.rank(RankingRequest(count: updated.itemCount), scratch: &scratch).items
        #expect(list.map(\.item).contains(new))
        #expect(updated.rank(RankingRequest(candidates: [new, 3]), scratch: &scratch).items.map(\.item) == [new, 3])
    }

    @Test func `a history with the new item is answered from the others`() {
        var scratch = RankingScratch()
        let history = planted.history(block: 2) + [HistoryEvent(item: new, timestamp: 1_900_000_000)]
        let list = updated.rank(RankingRequest(history: history, count: 10, excludeHistory: true), scratch: &scratch).items
        #expect(list.count == 10 && !list.map(\.item).contains(new))
    }

    @Test func `an update of an update starts from the learned rows`() throws {
        var data = planted.training()
        data.append(user: 2, item: 6000, eventType: 0, timestamp: 1_850_000_000)
        let again = try update(updated, with: data, configuration).opened()
        #expect(again.itemCount == model.itemCount + 1)
        #expect(again.rowOfItem(6000) != nil && again.rowOfItem(new) == nil)
    }

    @Test func `metadata places an item that nobody met, and one without any stays outside`() throws {
        var data = planted.training()
        let learned = Array(0..<Int32(planted.itemCount - 1))
        var genres = CategoryLists()
        for item in learned { genres.append(["genre \(planted.block(ofItem: item))"]) }
        genres.append(["genre 3"])
        genres.append([String]())
        data.itemMetadata = MetadataTable(
            ids: learned + [7000, 7001], columns: [MetadataColumn(name: "GENRE", values: .categories(genres))])
        let told = try update(model, with: data, configuration).opened()
        #expect(told.rowOfItem(7000) != nil && told.rowOfItem(7001) == nil)
        var scratch = RankingScratch()
        let everything = learned + [7000]
        func place(_ block: Int) throws -> Int {
            let list = told.rank(RankingRequest(history: planted.history(block: block), candidates: everything), scratch: &scratch).items
            return try #require(list.firstIndex { $0.item == 7000 })
        }
        #expect(try place(3) < planted.itemsPerBlock)
        #expect(try place(0) > planted.itemsPerBlock)
    }
}
