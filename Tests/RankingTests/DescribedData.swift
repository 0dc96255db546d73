import Foundation
import Ranking

/// Planted blocks whose items are described, with items that nobody met yet: the last `coldPerBlock` of each block.
struct DescribedData {
    enum Description: CaseIterable { case category, text, number }

    var planted = PlantedData()
    var coldPerBlock = 5

    /// Cold items have ids behind all others.
    func cold(block: Int) -> [Int32] {
        (0..<coldPerBlock).map { Int32(planted.itemCount + block * coldPerBlock + $0) }
    }

    func training(_ description: Description) -> TrainingData {
        var data = planted.training()
        var ids: [Int32] = []
        var blocks: [Int] = []
        for block in 0..<planted.blocks {
            let items = (0..<planted.itemsPerBlock).map { Int32(block * planted.itemsPerBlock + $0) } + cold(block: block)
            ids += items
            blocks += items.map { _ in block }
        }
        data.itemMetadata = MetadataTable(ids: ids, columns: [column(description, ids, blocks)])
        return data
    }

    private static let words = [
        ["storm", "harbour", "sail"], ["oven", "flour", "crust"], ["engine", "gear", "road"], ["moon", "orbit", "star"],
    ]

    private func column(_ description: Description, _ ids: [Int32], _ blocks: [Int]) -> MetadataColumn {
        switch description {
        case .category:
            var lists = CategoryLists()
            for block in blocks { lists.append(["all", "block \(block)"]) }
            return MetadataColumn(name: "GENRES", values: .categories(lists))
        case .text:
            let texts = zip(ids, blocks).map { id, block -> String in
                let words = Self.words[block % Self.words.count]
                return "The \(words[Int(id) % 3]) and the \(words[(Int(id) + 1) % 3]), number \(id)"
            }
            return MetadataColumn(name: "TITLE", values: .texts(texts))
        case .number:
            return MetadataColumn(name: "PRICE", values: .numbers(zip(ids, blocks).map { Float($1 * 100) + Float($0 % 2) }))
        }
    }

    func model(_ description: Description, threads: Int = 2) throws -> Model {
        try fit(training(description), Self.configuration(threads: threads)).opened()
    }

    static func configuration(_ recipe: RecipeName = .userPersonalizationV2, threads: Int = 2) -> FitConfiguration {
        FitConfiguration(recipe: recipe, threads: threads, createdAt: Date(timeIntervalSince1970: 1_800_000_000))
    }
}
