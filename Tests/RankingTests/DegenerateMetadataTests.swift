import Foundation
import Ranking
import Testing

/// Metadata that tells nothing, too much or nonsense gives a model that answers, or a sentence.
@Suite struct DegenerateMetadataTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var columns: @Sendable ([Int32]) -> [MetadataColumn]
        var testDescription: String { name }
    }

    private static let planted = PlantedData(usersPerBlock: 20, itemsPerBlock: 15)

    private static func texts(_ text: @escaping @Sendable (Int32) -> String) -> @Sendable ([Int32]) -> [MetadataColumn] {
        { ids in [MetadataColumn(name: "TEXT", values: .texts(ids.map(text)))] }
    }

    private static func numbers(_ number: @escaping @Sendable (Int32) -> Float) -> @Sendable ([Int32]) -> [MetadataColumn] {
        { ids in [MetadataColumn(name: "NUMBER", values: .numbers(ids.map(number)))] }
    }

    private static func categories(_ names: @escaping @Sendable (Int32) -> [String]) -> @Sendable ([Int32]) -> [MetadataColumn] {
        { ids in
            var lists = CategoryLists()
            for id in ids { lists.append(names(id)) }
            return [MetadataColumn(name: "CATEGORY", values: .categories(lists))]
        }
    }

    private static let odd: [Float] = [.nan, .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0]

    static let cases: [Case] = [
        Case(name: "no column") { _ in [] },
        Case(name: "empty texts", columns: texts { _ in "" }),
        Case(name: "no categories", columns: categories { _ in [] }),
        Case(name: "no numbers", columns: numbers { _ in .nan }),
        Case(name: "one text", columns: texts { _ in "the same for all" }),
        Case(name: "one category", columns: categories { _ in ["all"] }),
        Case(name: "one number", columns: numbers { _ in 7 }),
        Case(name: "unique ids as text", columns: texts { "id\($0)" }),
        Case(name: "unique ids as categories", columns: categories { ["id\($0)"] }),
        Case(name: "long texts", columns: texts { id in String(repeating: "word\(id % 9) another\(id) ", count: 1500) }),
        Case(name: "one endless word", columns: texts { id in String(repeating: "x", count: 30_000) + "\(id % 3)" }),
        Case(name: "many categories each", columns: categories { id in (0..<400).map { "c\((Int(id) * 31 + $0 * 7) % 5000)" } }),
        Case(
            name: "bytes that are no text",
            columns: texts { id in String(decoding: [0xFF, 0xC0, UInt8(id % 90), 0, 0xE2, 0x82], as: UTF8.self) }),
        Case(name: "controls and marks", columns: texts { id in "\u{0}\u{301}\u{202E}\u{FEFF} \u{1F600}\u{200D}\(id % 2)" }),
        Case(name: "odd numbers", columns: numbers { odd[Int($0) % odd.count] }),
        Case(name: "one outlier", columns: numbers { $0 == 3 ? 1e30 : Float($0 % 2) }),
    ]

    static let recipes: [RecipeName] = [.userPersonalizationV2, .similarItems]

    private func answers(_ data: TrainingData, _ recipe: RecipeName) throws -> [RankedItem] {
        let model = try fitAndEvaluate(data, FitConfiguration(recipe: recipe, threads: 2)).opened()
        return model.rank(RankingRequest(history: Self.planted.history(block: 1), item: 3, count: 10, explain: true)).items
    }

    @Test(arguments: cases, recipes)
    func `odd metadata gives a model that answers`(_ odd: Case, _ recipe: RecipeName) throws {
        var data = Self.planted.training()
        // Some items more than anybody met.
        let ids = (0..<Int32(Self.planted.itemCount + 12)).map { $0 }
        data.itemMetadata = MetadataTable(ids: ids, columns: odd.columns(ids))
        let items = try answers(data, recipe)
        #expect(items.count == 10)
        #expect(items.allSatisfy { ($0.score ?? 0).isFinite && ($0.normalizedScore ?? 0).isFinite })
    }

    @Test(arguments: recipes)
    func `metadata of unknown items alone gives a model that answers`(_ recipe: RecipeName) throws {
        var data = Self.planted.training()
        let ids = (5000..<Int32(5040)).map { $0 }
        data.itemMetadata = MetadataTable(ids: ids, columns: Self.texts { "word\($0 % 4) and word\($0 % 3)" }(ids))
        let items = try answers(data, recipe)
        #expect(items.count == 10)
        #expect(items.allSatisfy { $0.item < 5000 })
    }

    @Test(arguments: cases)
    func `likeness of odd metadata is a model or a sentence`(_ odd: Case) throws {
        var data = Self.planted.training()
        let ids = (0..<Int32(Self.planted.itemCount)).map { $0 }
        data.itemMetadata = MetadataTable(ids: ids, columns: odd.columns(ids))
        let fitted: FittedModel
        do throws(FitError) {
            fitted = try fit(data, FitConfiguration(recipe: .semanticSimilarity))
        } catch {
            #expect(error == .unusableData("No metadata tells items apart: an Items dataset with texts is needed."))
            return
        }
        #expect(try fitted.opened().rank(RankingRequest(item: 3, count: 5)).items.allSatisfy { ($0.score ?? 0).isFinite })
    }
}
