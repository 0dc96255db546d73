import Feeds
import JSON
import Ranking
import Testing

@testable import Tastemaker

@Suite struct TrainingColumnsTests {
    private func schema() throws -> AvroSchema {
        try AvroSchema(
            kind: .items,
            columns: [
                SchemaColumn(name: "ITEM_ID", type: .string), SchemaColumn(name: "GENRES", type: .string, isCategorical: true),
                SchemaColumn(name: "TEXT", type: .string, isNullable: true, isTextual: true), SchemaColumn(name: "LINK", type: .string),
                SchemaColumn(name: "PRICE", type: .float, isNullable: true), SchemaColumn(name: "CREATION_TIMESTAMP", type: .long),
            ])
    }

    private func names(_ config: JSONValue?) throws -> [String] {
        TrainingColumns(try schema(), .items, config).columns.map(\.name)
    }

    @Test func `keys, times and plain strings are no features`() throws {
        #expect(try names(nil) == ["GENRES", "TEXT", "PRICE"])
    }

    @Test func `columns can be left out, or named`() throws {
        #expect(try names(["excludedDatasetColumns": ["ITEMS": ["PRICE"]]]) == ["GENRES", "TEXT"])
        #expect(try names(["includedDatasetColumns": ["Items": ["GENRES"]]]) == ["GENRES"])
        #expect(try names(["excludedDatasetColumns": ["USERS": ["PRICE"]]]) == ["GENRES", "TEXT", "PRICE"])
    }

    @Test func `records become columns, and texts stay within their limit`() throws {
        var collector = MetadataCollector(TrainingColumns(try schema(), .items, nil), textLimit: 1000)
        let long = String(repeating: "word ", count: 10_000)
        for id in 0..<3 { collector.append(id: Int32(id), ["GENRES": "a|b", "TEXT": .string(long), "PRICE": 2.5]) }
        collector.append(id: 3, nil)
        let table = try #require(collector.table)
        #expect(table.ids == [0, 1, 2, 3])
        guard case .texts(let texts) = table.columns[1].values, case .categories(let lists) = table.columns[0].values,
            case .numbers(let numbers) = table.columns[2].values
        else {
            Issue.record("the columns have the wrong kinds")
            return
        }
        #expect(texts.map(\.utf8.count) == [16_384, 128, 128, 0])
        #expect(lists.codes(of: 0).count == 2 && lists.codes(of: 3).isEmpty)
        #expect(numbers[0] == 2.5 && numbers[3].isNaN)
    }
}
