import Foundation
import Testing

@testable import Ranking

@Suite struct RelatedRecipeTests {
    private let described = DescribedData()

    private func related(_ recipe: RecipeName, _ data: TrainingData, to item: Int32) throws -> [RankedItem] {
        let model = try fit(data, DescribedData.configuration(recipe)).opened()
        return model.rank(RankingRequest(item: item, count: 5)).items
    }

    @Test(arguments: [RecipeName.similarItems, .semanticSimilarity])
    func `an item that nobody met has related items`(_ recipe: RecipeName) throws {
        let cold = described.cold(block: 2)[0]
        let items = try related(recipe, described.training(.category), to: cold)
        #expect(items.count == 5)
        for item in items {
            #expect(item.kind == .related)
            #expect(described.planted.block(ofItem: item.item) == 2 || described.cold(block: 2).contains(item.item))
        }
    }

    @Test func `items that share users are similar whatever describes them`() throws {
        var data = described.training(.number)
        // Prices that say nothing.
        var random = Xorshift(state: 5)
        let count = data.itemMetadata?.count ?? 0
        data.itemMetadata?.columns = [
            MetadataColumn(name: "PRICE", values: .numbers((0..<count).map { _ in Float(random.below(1000)) }))
        ]
        let items = try related(.similarItems, data, to: 30)
        #expect(items.count { $0.item != described.planted.trap && described.planted.block(ofItem: $0.item) == 1 } >= 4)
    }

    @Test func `likeness needs no interactions`() throws {
        var data = TrainingData()
        data.itemMetadata = MetadataTable(
            ids: [4, 7, 9, 11],
            columns: [
                MetadataColumn(
                    name: "TITLE", values: .texts(["Red wool scarf", "Blue wool scarf", "Steel frying pan", "Iron frying pan"]))
            ])
        #expect(try related(.semanticSimilarity, data, to: 9).first?.item == 11)
        #expect(try related(.semanticSimilarity, data, to: 4).first?.item == 7)
    }

    @Test func `likeness without metadata is refused with a sentence`() {
        #expect(throws: FitError.self) {
            try fit(described.planted.training(), DescribedData.configuration(.semanticSimilarity))
        }
    }
}
