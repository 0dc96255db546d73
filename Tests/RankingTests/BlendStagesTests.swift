import Testing

@testable import Ranking

/// Which parts look at all items, and that several requests at once get what each gets alone.
@Suite struct BlendStagesTests {
    let planted = PlantedData(itemsPerBlock: 150, eventsPerUser: 40)

    private func model(_ entries: [(Ingredient, retrieves: Bool)], properties: [String: String] = [:]) throws -> Model {
        var configuration = FitConfiguration(recipe: .userPersonalizationV2)
        configuration.blend = BlendChoice(
            entries: entries.map { .init(ingredient: $0.0, rule: SourceRule(kind: .flat), weight: 1, retrieves: $0.retrieves) },
            properties: properties)
        return try fit(planted.training(), configuration).opened()
    }

    private func requests() -> [RankingRequest] {
        var requests = (0..<21).map { number in
            RankingRequest(
                history: planted.history(block: number % 4, length: 1 + number), count: 5 + number, excludeHistory: number % 2 == 0)
        }
        requests[3].allowed = rowBitmap((0..<planted.itemCount).filter { $0 % 5 == 0 }, count: planted.itemCount)
        requests[4].candidates = [3, 100, 9999, 7]
        requests[5].history = []
        requests[6].explain = true
        requests[7].boosts = [.init(row: 9, factor: 3)]
        return requests
    }

    static let blends: [[(Ingredient, retrieves: Bool)]] = [
        [(.graph, true), (.spectrum, true), (.factors, true), (.popularity, true)],
        [(.graph, true), (.spectrum, true), (.sharpening, false), (.factors, true)],
        [(.graph, true), (.spectrum, true), (.sharpening, true)],
        [(.graph, true), (.spectrum, false), (.factors, true)],
        [(.graph, true), (.ease, true), (.factors, false), (.popularity, false)],
        [(.factors, true)],
    ]

    @Test(arguments: blends.indices)
    func `several requests at once get what each gets alone`(_ blend: Int) throws {
        let model = try model(Self.blends[blend])
        let requests = requests()
        var scratch = RankingScratch()
        var batch = RankingBatch()
        // The second time the work space is used again.
        for _ in 0..<2 {
            for start in stride(from: 0, to: requests.count, by: RankingBatch.width) {
                let part = Array(requests[start..<min(requests.count, start + RankingBatch.width)])
                for (request, result) in zip(part, model.rank(part, batch: &batch)) {
                    let alone = model.rank(request, scratch: &scratch)
                    #expect(result.items == alone.items)
                    #expect(result.consideredCount == alone.consideredCount)
                    #expect(!result.items.isEmpty)
                }
            }
        }
    }

    @Test(arguments: [false, true]) func `beside popularity few rows are looked at, and the best are those of all`(isFiltered: Bool) throws
    {
        let planted = PlantedData(itemsPerBlock: 400, eventsPerUser: 40)
        var configuration = FitConfiguration(recipe: .userPersonalizationV2)
        configuration.blend = BlendChoice(
            entries: [(Ingredient.graph, 1), (.popularity, 3)].map { .init(ingredient: $0.0, rule: SourceRule(kind: .flat), weight: $0.1) })
        let model = try fit(planted.training(), configuration).opened()
        var scratch = RankingScratch()
        for block in 0..<4 {
            for length in 1...2 {
                var request = RankingRequest(history: planted.history(block: block, length: length), count: 100, excludeHistory: true)
                if isFiltered { request.allowed = rowBitmap((0..<planted.itemCount).filter { $0 % 2 == 0 }, count: planted.itemCount) }
                let found = model.rank(request, scratch: &scratch)
                #expect(found.consideredCount < planted.itemCount / 2)
                request.candidates = (0..<Int32(planted.itemCount)).map { $0 }
                let all = model.rank(request, scratch: &scratch)
                #expect(found.items.map(\.item) == all.items.prefix(100).map(\.item))
                #expect(found.items.map(\.score) == all.items.prefix(100).map(\.score))
            }
        }
    }

    @Test func `what only scores changes the order and finds nothing of its own`() throws {
        let whole = try model([(.graph, true), (.spectrum, true)])
        let staged = try model([(.graph, true), (.spectrum, false)])
        let graph = try model([(.graph, true)])
        var scratch = RankingScratch()
        var agreement = 0
        for block in 0..<4 {
            let request = RankingRequest(history: planted.history(block: block, length: 12), count: 20, excludeHistory: true)
            let items = staged.rank(request, scratch: &scratch).items
            agreement += Set(items.map(\.item)).intersection(whole.rank(request, scratch: &scratch).items.map(\.item)).count
            #expect(items != graph.rank(request, scratch: &scratch).items)
            // Scores are those of the whole blend, up to the common scale.
            let wholeItems = whole.rank(request, scratch: &scratch).items
            let scores = Dictionary(uniqueKeysWithValues: wholeItems.map { ($0.item, $0.score ?? 0) })
            let shared = items.filter { scores[$0.item] != nil }
            let ratios = shared.map { ($0.score ?? 0) / (scores[$0.item] ?? .nan) }
            #expect(largestOf(ratios.map { $0 - ratios[0] }) < 1e-3)
        }
        #expect(agreement >= 72)
    }

    @Test(arguments: [150..<600, 450..<500])
    func `where what finds rows knows few of those admitted, they are ranked all the same`(_ admitted: Range<Int>) throws {
        let staged = try model([(.graph, true), (.factors, false)])
        let whole = try model([(.graph, true), (.factors, true)])
        let request = RankingRequest(
            history: planted.history(block: 0, length: 2), allowed: rowBitmap(admitted, count: planted.itemCount), count: 20)
        let items = staged.rank(request).items.map(\.item)
        #expect(items.count == 20)
        #expect(items.allSatisfy { admitted.contains(Int($0)) })
        #expect(items == whole.rank(request).items.map(\.item))
        // Exact: scoring the admitted rows as candidates gives the same.
        let candidates = RankingRequest(history: request.history, candidates: admitted.map { Int32($0) }, count: 20)
        #expect(items == staged.rank(candidates).items.prefix(20).map(\.item))
    }

    @Test func `the fewest scans are tried first, and something always reads the history`() {
        #expect(BlendStages.options([.graph, .spectrum, .factors, .popularity]) == [[.spectrum, .factors], [.spectrum], []])
        #expect(BlendStages.options([.spectrum, .factors, .popularity]) == [[.spectrum], []])
        #expect(BlendStages.options([.ease, .factors]) == [[.factors], []])
        #expect(BlendStages.options([.factors, .popularity]) == [[]])
        #expect(BlendStages.options([.graph]) == [[]])
        // What corrects others finds rows only where all do.
        #expect(
            BlendStages.options([.graph, .spectrum, .sharpening, .factors])
                == [[.spectrum, .sharpening, .factors], [.spectrum, .sharpening], [.sharpening], []])
    }

    @Test func `each choice of scans is tried with more rows, where those take less time than another scan`() {
        func stages(_ items: Int) -> [BlendStages.Stage] { BlendStages.stages([.graph, .spectrum, .factors], itemCount: items) }
        func stage(_ scoring: Set<Ingredient>, _ factor: Double) -> BlendStages.Stage { .init(scoring: scoring, poolFactor: factor) }
        #expect(stages(1000) == [stage([.spectrum, .factors], 1), stage([.spectrum], 1), stage([], 1)])
        #expect(
            stages(40_000) == [[.spectrum, .factors], [.spectrum]].flatMap { part in [1, 1.5, 2].map { stage(part, $0) } } + [stage([], 1)])
    }

    @Test func `with a larger pool what only scores gets more rows, and finds at least as much`() throws {
        let entries: [(Ingredient, retrieves: Bool)] = [(.graph, true), (.spectrum, false), (.factors, false)]
        let plain = try model(entries)
        let deep = try model(entries, properties: [BlendWeights.poolFactorProperty: "1.5"])
        let whole = try model(entries.map { ($0.0, true) })
        var scratch = RankingScratch()
        var found = (plain: 0, deep: 0)
        for block in 0..<4 {
            let request = RankingRequest(history: planted.history(block: block, length: 12), count: 20)
            let results = [plain, deep, whole].map { $0.rank(request, scratch: &scratch) }
            #expect(results[0].consideredCount == 213 && results[1].consideredCount == 319)
            let best = Set(results[2].items.map(\.item))
            found.plain += best.intersection(results[0].items.map(\.item)).count
            found.deep += best.intersection(results[1].items.map(\.item)).count
        }
        #expect(found.deep >= found.plain && found.deep >= 72)
        #expect(throws: FitError.self) { try model(entries, properties: [BlendWeights.poolFactorProperty: "1e9"]) }
    }

    @Test func `users are drawn with all their events, about as many as asked for`() throws {
        let matrix = try InteractionMatrix(planted.training(), FitConfiguration(recipe: .userPersonalization))
        let part = matrix.drawingUsers(maximumEvents: matrix.eventCount / 3, seed: 4)
        #expect(part.eventCount > matrix.eventCount / 5 && part.eventCount < matrix.eventCount / 2)
        #expect(part.itemIDs == matrix.itemIDs)
        for (row, id) in part.userIDs.enumerated() {
            let other = try #require(matrix.userIDs.firstIndex(of: id))
            #expect(
                part.items[part.offsets[row]..<part.offsets[row + 1]] == matrix.items[matrix.offsets[other]..<matrix.offsets[other + 1]])
        }
        #expect(part.userIDs != matrix.drawingUsers(maximumEvents: matrix.eventCount / 3, seed: 5).userIDs)
        #expect(matrix.drawingUsers(maximumEvents: matrix.eventCount, seed: 4).eventCount == matrix.eventCount)
    }
}
