import Foundation
import Testing

@testable import Ranking

@Suite struct ColdItemTests {
    private let described = DescribedData()

    private func candidates() -> [Int32] { (0..<described.planted.blocks).flatMap { described.cold(block: $0) } }

    @Test(arguments: DescribedData.Description.allCases)
    func `cold items are ranked by what describes them`(_ description: DescribedData.Description) throws {
        let model = try described.model(description)
        for block in 0..<described.planted.blocks {
            var request = RankingRequest(history: described.planted.history(block: block, length: 20), count: 5)
            request.candidates = candidates()
            let ranked = model.rank(request).items
            #expect(ranked.count == candidates().count)
            #expect(Set(ranked.prefix(5).map(\.item)) == Set(described.cold(block: block)))
            #expect(ranked.allSatisfy { $0.score != nil })
        }
    }

    @Test func `what nobody met does not fill lists before what somebody met`() throws {
        let model = try described.model(.category)
        let items = model.rank(RankingRequest(count: model.itemCount)).items.map(\.item)
        let cold = Set(candidates())
        #expect(items.count == model.itemCount)
        #expect(Set(items.suffix(cold.count)) == cold)
        #expect(model.metItemCount == described.planted.itemCount)
        #expect(!model.hasEvents(item: candidates()[0]) && model.hasEvents(item: 0))
    }

    @Test func `the parts of the history add up to a cold item's score`() throws {
        var configuration = DescribedData.configuration()
        configuration.blend = BlendChoice(entries: [
            .init(ingredient: .factors, rule: SourceRule(kind: .recent), weight: 0.5),
            .init(ingredient: .content, rule: SourceRule(), weight: 0.25, coldWeight: 0.75),
        ])
        let file = try ModelFile(ModelBytes(try fit(described.training(.category), configuration).bytes))
        let header = try ModelHeader(file)
        let recipe = try BlendRecipe(opening: file, header)
        var request = RankingRequest(history: described.planted.history(block: 2), count: 5)
        request.candidates = described.cold(block: 2)
        var scratch = RankingScratch()
        scratch.history.collect(count: request.history.count, itemCount: header.itemCount, header.weighting) {
            (request.history[$0].item, 0, .nan)
        }
        scratch.pool.clear(itemCount: header.itemCount)
        for item in described.cold(block: 2) { scratch.pool.add(item) }
        #expect(recipe.score(request, wanted: 5, &scratch))
        for (place, row) in scratch.pool.rows.enumerated() {
            let sum = recipe.parts(of: row, request, &scratch).reduce(Float(0)) { $0 + $1.part }
            #expect(scratch.pool.scores[place] > 0)
            #expect(abs(sum - scratch.pool.scores[place]) < 1e-3)
        }
        withExtendedLifetime(file) {}
    }

    @Test func `a cold item in the history speaks for its like`() throws {
        let model = try described.model(.category)
        let history = described.cold(block: 3).map { HistoryEvent(item: $0) }
        let items = model.rank(RankingRequest(history: history, count: 10, excludeHistory: true)).items
        #expect(items.count == 10)
        #expect(items.allSatisfy { described.planted.block(ofItem: $0.item) == 3 })
    }

    @Test func `the bytes are the same for any number of threads`() throws {
        let one = try fit(described.training(.text), DescribedData.configuration(threads: 1))
        let three = try fit(described.training(.text), DescribedData.configuration(threads: 3))
        let bytes = [one, three].map { fitted in
            (try? fitted.opened())?.properties.filter { $0.key != "threads" }
        }
        #expect(one.bytes == three.bytes)
        #expect(bytes[0] == bytes[1])
    }

    @Test func `metadata without a word about anything changes no answer`() throws {
        let plain = try described.planted.model(.userPersonalizationV2)
        var data = described.planted.training()
        let ids = (0..<Int32(described.planted.itemCount)).map { $0 }
        var nothing = CategoryLists()
        for _ in ids { nothing.append([String]()) }
        data.itemMetadata = MetadataTable(
            ids: ids,
            columns: [
                MetadataColumn(name: "A", values: .categories(nothing)),
                MetadataColumn(name: "B", values: .numbers(ids.map { _ in .nan })),
                MetadataColumn(name: "C", values: .texts(ids.map { _ in "one and the same" })),
                MetadataColumn(name: "D", values: .texts(ids.map { _ in "" })),
            ])
        let model = try fit(data, DescribedData.configuration()).opened()
        let request = described.planted.request()
        #expect(model.rank(request).items == plain.rank(request).items)
    }

    @Test func `columns of unequal length are refused`() {
        var data = described.planted.training()
        data.itemMetadata = MetadataTable(ids: [0, 1], columns: [MetadataColumn(name: "A", values: .numbers([1]))])
        #expect(throws: FitError.self) { try fit(data, DescribedData.configuration()) }
    }
}
