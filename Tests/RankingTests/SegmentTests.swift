import Foundation
import Testing

@testable import Ranking

/// Segments of users on data whose answer is known.
@Suite struct SegmentTests {
    /// Planted blocks, with the block and the parity of each item as attributes.
    private static func data(_ planted: PlantedData) -> TrainingData {
        var data = planted.training()
        var blocks = CategoryLists()
        var tags = CategoryLists()
        for item in 0..<Int32(planted.itemCount) {
            blocks.append(item == planted.trap ? [] : ["block \(planted.block(ofItem: item))"])
            tags.append(item % 2 == 0 ? ["even", "all"] : ["odd", "all"])
        }
        data.itemMetadata = MetadataTable(
            ids: Array(0..<Int32(planted.itemCount)),
            columns: [
                MetadataColumn(name: "BLOCK", values: .categories(blocks)), MetadataColumn(name: "TAGS", values: .categories(tags)),
                MetadataColumn(name: "NUMBER", values: .numbers((0..<planted.itemCount).map { Float($0) })),
            ])
        return data
    }

    private static func configuration(_ recipe: RecipeName, threads: Int = 2) -> FitConfiguration {
        FitConfiguration(recipe: recipe, threads: threads, createdAt: Date(timeIntervalSince1970: 1_800_000_000))
    }

    private static func model(_ recipe: RecipeName, _ planted: PlantedData = PlantedData()) throws -> Model {
        try fit(data(planted), configuration(recipe)).opened()
    }

    private static func answers(
        _ model: Model, _ queries: [SegmentQuery], _ options: SegmentOptions
    ) throws -> [Result<[SegmentUser], SegmentRefusal>] {
        var answers: [Result<[SegmentUser], SegmentRefusal>] = []
        try model.segments(queries, options) { (index, answer) throws(FitError) in
            #expect(index == answers.count)
            answers.append(answer)
        }
        return answers
    }

    private static func attributes(_ text: String) throws -> SegmentQuery { .attributes(try AttributeQuery(parsing: text)) }

    @Test func `the users of a block are found for its items`() throws {
        let planted = PlantedData()
        let model = try Self.model(.itemAffinity)
        let queries = (0..<Int32(planted.blocks)).map { SegmentQuery.item($0 * Int32(planted.itemsPerBlock) + 3) }
        for (block, answer) in try Self.answers(model, queries, SegmentOptions(count: planted.usersPerBlock)).enumerated() {
            let users = try answer.get()
            #expect(users.count == planted.usersPerBlock)
            #expect(users.count { Int($0.user) % planted.blocks == block } >= planted.usersPerBlock * 8 / 10)
        }
    }

    @Test func `attributes joined by AND find the users of the items that have both`() throws {
        let planted = PlantedData()
        let model = try Self.model(.itemAttributeAffinity)
        for block in 0..<planted.blocks {
            let query = try Self.attributes("ITEMS.block = \"block \(block)\" AND Items.TAGS = \"even\"")
            let users = try #require(try Self.answers(model, [query], SegmentOptions(count: planted.usersPerBlock)).first).get()
            #expect(users.count { Int($0.user) % planted.blocks == block } >= planted.usersPerBlock * 9 / 10)
        }
    }

    @Test func `a number alone names the same segment as the item that has it`() throws {
        let model = try Self.model(.itemAttributeAffinity)
        let recipe = try #require(model.family as? SegmentRecipe)
        #expect(try recipe.attributes.rows(matching: AttributeQuery(parsing: "ITEMS.NUMBER = 7")) == [7])
        #expect(
            try recipe.attributes.rows(matching: AttributeQuery(parsing: "ITEMS.TAGS = 'odd' AND ITEMS.BLOCK = \"block 0\"")).allSatisfy {
                $0 % 2 == 1 && $0 < 25
            })
    }

    @Test func `a short segment is the beginning of the whole order, whatever the threads and the memory`() throws {
        let planted = PlantedData()
        let model = try Self.model(.itemAffinity)
        let queries = (0..<Int32(planted.itemCount)).map { SegmentQuery.item($0) }
        let whole = try Self.answers(model, queries, SegmentOptions(count: 1000)).map { try $0.get() }
        #expect(whole.allSatisfy { Set($0.map(\.user)).count == planted.blocks * planted.usersPerBlock })
        for list in whole {
            #expect(zip(list, list.dropFirst()).allSatisfy { $0.score > $1.score || ($0.score == $1.score && $0.user < $1.user) })
        }
        let options = SegmentOptions(count: 7, threads: 3, memoryBudgetBytes: 3 * 2 * 7 * 8)
        let short = try Self.answers(model, queries, options).map { try $0.get() }
        #expect(short == whole.map { Array($0.prefix(7)) })
    }

    /// The blend's own scores, asked the usual way round.
    @Test func `what speaks for a user is what the blend scores the item for that user`() throws {
        let planted = PlantedData()
        let model = try Self.model(.itemAffinity)
        let recipe = try #require(model.family as? SegmentRecipe)
        let items: [Int32] = [2, 40, 77]
        var features = AudienceFeatures(recipe, try items.map { try recipe.target(.item($0)) })
        let histories = try UserHistories(Self.data(planted))
        for user in [0, 5, 118] {
            let vectors = features.describe(user)
            let request = RankingRequest(history: histories.events(of: Int32(user)), candidates: items)
            let ranked = model.rank(request).items
            for (item, vector) in zip(items, vectors) {
                let score = try #require(ranked.first { $0.item == item }?.score)
                #expect(abs(score - vector[0]) <= 1e-5 * max(1, abs(score)))
            }
        }
    }

    @Test func `what the model does not know is refused in words, and the other queries are answered`() throws {
        let model = try Self.model(.itemAttributeAffinity)
        let queries = [
            SegmentQuery.item(4000), try Self.attributes("ITEMS.COLOR = \"red\""), try Self.attributes("ITEMS.TAGS = \"red\""),
            try Self.attributes("ITEMS.TAGS = \"odd\" AND ITEMS.TAGS = \"even\""), try Self.attributes("ITEMS.NUMBER = \"red\""),
            try Self.attributes("ITEMS.TAGS = \"odd\""),
        ]
        let answers = try Self.answers(model, queries, SegmentOptions(count: 5))
        for answer in answers.dropLast() {
            #expect(throws: SegmentRefusal.self) { try answer.get() }
        }
        #expect(try #require(answers.last).get().count == 5)
    }

    @Test func `only admitted users are in a segment`() throws {
        let model = try Self.model(.itemAffinity)
        let answers = try Self.answers(model, [.item(3)], SegmentOptions(count: 50, admits: { [3, 8, 21, 9999].contains($0) }))
        #expect(Set(try #require(answers.first).get().map(\.user)) == [3, 8, 21])
    }

    @Test(arguments: [RecipeName.itemAffinity, .itemAttributeAffinity])
    func `held-out users are found far more often than by chance`(_ recipe: RecipeName) throws {
        let planted = PlantedData(usersPerBlock: 100)
        let fitted = try fitAndEvaluate(Self.data(planted), Self.configuration(recipe))
        let recall = try #require(fitted.metrics["recall_at_1_percent"])
        let hits = try #require(fitted.metrics["hits_at_1_percent"])
        #expect(fitted.metrics["coverage"] == 1)
        // Chance finds 1 %. An item has four times as many users in its block as outside; of the values, blocks alone tell users apart.
        #expect(recall >= 0.015)
        #expect(hits > 0 && hits <= 4)
    }

    @Test func `a fit gives the same bytes on one thread and on three`() throws {
        let data = Self.data(PlantedData())
        let one = try fit(data, Self.configuration(.itemAttributeAffinity, threads: 1))
        #expect(try fit(data, Self.configuration(.itemAttributeAffinity, threads: 3)).bytes == one.bytes)
    }

    @Test func `attributes need a category or a number`() {
        var data = Self.data(PlantedData())
        let configuration = Self.configuration(.itemAttributeAffinity)
        #expect(dataShortfall(data, configuration).isEmpty)
        data.itemMetadata?.columns = [MetadataColumn(name: "TITLE", values: .texts([]))]
        #expect(dataShortfall(data, configuration).count == 1)
        data.itemMetadata = nil
        #expect(dataShortfall(data, configuration).count == 1)
        #expect(dataShortfall(data, Self.configuration(.itemAffinity)).isEmpty)
    }

    @Test func `segments can be cancelled, and other recipes make none`() throws {
        let model = try Self.model(.itemAffinity)
        #expect(throws: FitError.cancelled) {
            try model.segments([.item(1)], SegmentOptions(count: 5), progress: { _, _ in false }) { (_, _) throws(FitError) in }
        }
        let other = try PlantedData().model(.popularityCount)
        #expect(throws: FitError.self) { try other.segments([.item(1)], SegmentOptions(count: 5)) { (_, _) throws(FitError) in } }
    }
}

/// The text form of attribute queries.
@Suite struct AttributeQueryTests {
    @Test(arguments: [
        ("ITEMS.genres = \"Comedy\" AND ITEMS.genres = \"Action\"", [("genres", "Comedy"), ("genres", "Action")]),
        ("Items.YEAR=1994", [("YEAR", "1994")]), ("  items.A = 'it is \"so\"'  and ITEMS.B = \"\" ", [("A", "it is \"so\""), ("B", "")]),
        ("ITEMS.PRICE = -1.5e3", [("PRICE", "-1.5e3")]),
    ])
    func `conditions are read`(_ text: String, _ expected: [(String, String)]) throws {
        let query = try AttributeQuery(parsing: text)
        #expect(query.conditions == expected.map { AttributeQuery.Condition(column: $0.0, value: $0.1) })
    }

    @Test(arguments: [
        "", "genres = \"Comedy\"", "ITEMS. = \"x\"", "ITEMS.A > 3", "ITEMS.A = Comedy", "ITEMS.A = \"x",
        "ITEMS.A = \"x\" OR ITEMS.B = \"y\"",
        "ITEMS.A = \"x\" AND", "ITEMS.A = \"x\" ITEMS.B = \"y\"", "USERS.A = \"x\"",
        (0..<11).map { "ITEMS.A\($0) = 1" }.joined(separator: " AND "),
    ])
    func `anything else is refused`(_ text: String) {
        #expect(throws: AttributeQueryError.self) { try AttributeQuery(parsing: text) }
    }
}

/// The conditional logit behind segments.
@Suite struct AudienceCasesTests {
    @Test func `weights that made the choices are found again within their error`() throws {
        let truth: SIMD4<Float> = [1.5, -0.7, 0.4, 0]
        var random = Xorshift(state: 0x9E37_79B9_7F4A_7C15)
        func uniform() -> Float { Float(random.next() >> 40) / Float(1 << 24) }
        let features = (0..<150).map { _ in (0..<400).map { _ in SIMD4<Float>(uniform() * 2, uniform(), uniform() * 3, uniform()) } }
        // Gumbel noise on top of the utilities makes the choice of the best one a logit (McFadden 1974).
        let hits = (0..<400).map { target -> [Int] in
            let utilities = features.map { (truth * $0[target]).sum() - logf(-logf(max(uniform(), 1e-9))) }
            return [utilities.indices.max { utilities[$0] < utilities[$1] } ?? 0]
        }
        let found = AudienceCases(features: features, hits: hits).fitted(from: [1, 0, 0, 0])
        // Standard errors are about 1 / (deviation x sqrt 400): 0.09 for the first and 0.17 for those of one unit's width.
        for (axis, error) in zip(0..<4, [Float(0.09), 0.17, 0.06, 0.17]) { #expect(abs(found[axis] - truth[axis]) < 3.5 * error) }
    }
}
