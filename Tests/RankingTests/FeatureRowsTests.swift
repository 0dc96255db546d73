import Testing

@testable import Ranking

@Suite struct FeatureRowsTests {
    private func features(_ values: MetadataColumn.Values, count: Int) -> FeatureRows {
        let ids = (0..<Int32(count)).map { $0 }
        return FeatureRows(MetadataTable(ids: ids, columns: [MetadataColumn(name: "X", values: values)]), itemIDs: ids)
    }

    private func row(_ features: FeatureRows, _ row: Int) -> [Float] {
        var dense = [Float](repeating: 0, count: features.featureCount)
        features.rows.forEach(in: row) { dense[$0] += $1 }
        return dense
    }

    private func categories(_ lists: [[String]]) -> MetadataColumn.Values {
        var result = CategoryLists()
        for list in lists { result.append(list) }
        return .categories(result)
    }

    @Test func `a category weighs by its rarity, and a row has length one`() {
        let features = features(categories([["a", "b"], ["a"], ["a", "b"], ["c"]]), count: 4)
        // a: 3 of 4, b: 2 of 4; c links nothing.
        let (a, b) = (Float(0.287_682), Float(0.693_147))
        let length = (a * a + b * b).squareRoot()
        #expect(features.featureCount == 2)
        #expect(abs(row(features, 0)[0] - a / length) < 1e-5 && abs(row(features, 0)[1] - b / length) < 1e-5)
        #expect(row(features, 1) == [1, 0])
        #expect(row(features, 3) == [0, 0])
    }

    @Test func `what all records have is no feature`() {
        #expect(features(categories([["same"], ["same"]]), count: 2).featureCount == 0)
    }

    @Test func `near numbers are alike and outliers do no harm`() {
        let numbers = (0..<99).map { Float($0) } + [1e9]
        let features = features(.numbers(numbers), count: 100)
        func likeness(_ a: Int, _ b: Int) -> Float { zip(row(features, a), row(features, b)).reduce(0) { $0 + $1.0 * $1.1 } }
        #expect(likeness(40, 41) > 0.5)
        #expect(likeness(10, 80) == 0)
    }

    @Test func `numbers that are missing, one, or not finite say nothing`() {
        #expect(features(.numbers([.nan, .infinity, 5, .nan]), count: 4).featureCount == 0)
        let some = features(.numbers([1, 2, .nan, -.infinity]), count: 4)
        #expect(row(some, 2).allSatisfy { $0 == 0 } && row(some, 3).allSatisfy { $0 == 0 })
    }

    @Test(arguments: [("Café au lait", "CAFE AU LAIT"), ("ｃａｆｅ", "cafe"), ("Ｎｏ. １", "no 1"), ("Straße", "STRAßE")])
    func `text is compared without marks, case and width`(_ left: String, _ right: String) {
        var tokens = TextTokens()
        #expect(tokens.hashes(of: left, limit: 50) == tokens.hashes(of: right, limit: 50))
    }

    @Test func `words, their pairs, and characters of scripts without blanks are tokens`() {
        var tokens = TextTokens()
        #expect(tokens.hashes(of: "red, red wine!", limit: 50).count == 4)
        #expect(tokens.hashes(of: "進撃の巨人", limit: 50).count == 9)
        let shared = Set(tokens.hashes(of: "進撃の巨人", limit: 50)).intersection(tokens.hashes(of: "巨人の星", limit: 50))
        #expect(shared.count == 4)
        #expect(tokens.hashes(of: " .,- ", limit: 50).isEmpty)
    }

    @Test func `a word weighs the same in a title and in a description`() {
        let titles = MetadataColumn(name: "TITLE", values: .texts(["storm", "oven", "gear", "gear"]))
        let descriptions = MetadataColumn(name: "DESCRIPTION", values: .texts(["a sail", "a storm", "sail oven", "a gear"]))
        let features = FeatureRows(MetadataTable(ids: [0, 1, 2, 3], columns: [titles, descriptions]), itemIDs: [0, 1, 2, 3])
        func likeness(_ left: Int, _ right: Int) -> Float {
            zip(row(features, left), row(features, right)).reduce(0) { $0 + $1.0 * $1.1 }
        }
        // The storm of one's title and of the other's text.
        #expect(likeness(0, 1) > likeness(0, 3))
        #expect((0..<4).allSatisfy { abs(likeness($0, $0) - 1) < 1e-5 })
    }

    @Test func `a long text is told by its words`() {
        var tokens = TextTokens()
        let words = (0..<100).map { "word\($0)" }
        #expect(tokens.hashes(of: words.joined(separator: " "), limit: 500).count == 100 + 23)
    }

    @Test func `ten megabytes of text give a bounded row`() {
        let long = String(repeating: "word another ", count: 800_000)
        let features = features(.texts([long, "word another", "else"]), count: 3)
        #expect(features.rows.columns.count <= 2 * 256)
    }

    @Test(arguments: [
        (["1", "2.5", "", "3"], ColumnShape.numbers), (["a|b", "b", "c|a"], .categories), (["red", "blue", "red"], .categories),
        (["The first of them", "A second long title", "Another one of these"], .text), (["", ""], .categories),
        (["12", "14", "9", "8", "7", "6", "5", "4", "3", "Unknown"], .numbers),
    ])
    func `a column's shape is told by its values`(_ values: [String], _ shape: ColumnShape) {
        #expect(ColumnShape(of: values) == shape)
    }

    @Test func `a level is foretold from features`() {
        let features = features(categories((0..<40).map { ["kind \($0 % 2)"] }), count: 40)
        var known = (0..<40).map { Float($0 % 2 == 0 ? 2 : 6) }
        (known[38], known[39]) = (0, 0)
        let learned = (0..<40).map { $0 < 38 }
        let levels = LevelRidge(features: features, ridge: 0.01).levels(known, learned: learned)
        #expect(abs(levels[38] - 2) < 0.05 && abs(levels[39] - 6) < 0.05)
    }

    private let span = ProgressSpan(reporter: ProgressReporter { _, _ in true }, start: 0, end: 1)

    @Test func `the regression gives the closed form`() throws {
        // F'F + 1 = diag(3, 3): an item's own kind gets 1/3, the other nothing.
        let features = features(categories([["a"], ["a"], ["b"], ["b"], ["a"]]), count: 5)
        let space = try ContentSpace(features, seed: 1, threads: 2, span)
        let vectors = try #require(try space.regression(learned: [true, true, true, true, false], ridge: 1, span))
        func weight(_ source: Int, _ target: Int) -> Float {
            (0..<space.rank).reduce(Float(0)) { $0 + vectors[source * space.rank + $1] * vectors[target * space.rank + $1] }
        }
        #expect(abs(weight(0, 1) - 1 / 3) < 1e-4 && abs(weight(0, 4) - 1 / 3) < 1e-4)
        #expect(abs(weight(0, 2)) < 1e-4)
        // Two dimensions hold all there is to say.
        #expect(space.rest.values.allSatisfy { abs($0) < 0.2 })
    }

    @Test func `what directions cannot hold is left to likeness`() throws {
        // Two kinds of all items, and 800 pairs of items with a word of their own.
        let features = features(categories((0..<1600).map { ["kind \($0 % 2)", "pair \($0 / 2)"] }), count: 1600)
        let space = try ContentSpace(features, seed: 1, threads: 2, span)
        #expect(space.rank == 256)
        let lists = try ContentFit(space: space, limit: 3, threads: 2).likeness(targets: Array(0..<1600), span)
        let hits = (0..<1600).count { item in
            lists.offsets[item] < lists.offsets[item + 1] && Int(lists.rows[Int(lists.offsets[item])]) == item ^ 1
        }
        #expect(hits > 1000)
        // The kinds, which 800 items share each, are described by the directions.
        #expect(lists.rows.count < 2000)
    }

    @Test(arguments: [(9000, 5000, 256), (40_000, 65_536, 112), (200_000, 65_536, 64), (1_000_000, 65_536, 16), (9000, 20, 32)])
    func `larger catalogs have fewer directions`(_ items: Int, _ features: Int, _ rank: Int) {
        #expect(ContentSpace.rank(items: items, features: features) == rank)
    }

    @Test func `a long text keeps its rarest words`() {
        let texts = (0..<100).map { number in "common usual " + (0..<30).map { "word\((number * 7 + $0) % 60)" }.joined(separator: " ") }
        let ids = (0..<Int32(100)).map { $0 }
        let table = MetadataTable(ids: ids + [100], columns: [MetadataColumn(name: "X", values: .texts(texts + ["other"]))])
        let features = FeatureRows(table, itemIDs: ids + [100], wordTotal: 1)
        #expect(features.wordsLeft == 16)
        #expect((0..<100).allSatisfy { features.rows.offsets[$0 + 1] - features.rows.offsets[$0] == 16 })
    }
}
