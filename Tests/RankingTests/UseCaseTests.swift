import Ranking
import Testing

/// What the use cases of domains learn from.
@Suite struct UseCaseTests {
    private static let types = ["VIEW", "purchase", "Watch", "Click"]

    private func data(_ rows: [(user: Int32, item: Int32, type: UInt8, time: Int64)]) -> TrainingData {
        var data = TrainingData(eventTypeNames: Self.types)
        for row in rows { data.append(user: row.user, item: row.item, eventType: row.type, timestamp: row.time) }
        return data
    }

    private func popular(_ recipe: RecipeName, _ data: TrainingData) throws -> [Int32] {
        try fit(data, FitConfiguration(recipe: recipe)).opened().rank(RankingRequest(count: 3)).items.map(\.item)
    }

    /// Item 1: ten views by one user. Item 2: six views by six. Item 3: four purchases. Item 4: five watchers. Clicks on 5 count nowhere.
    private func mixed() -> TrainingData {
        let views = (0..<10).map { (Int32(0), Int32(1), UInt8(0), Int64($0)) } + (0..<6).map { (Int32($0), Int32(2), UInt8(0), Int64($0)) }
        let purchases = (0..<4).map { (Int32($0), Int32(3), UInt8(1), Int64($0)) } + [(9, 2, 1, 0)]
        let watches = (0..<5).map { (Int32($0), Int32(4), UInt8(2), Int64($0)) } + (0..<9).map { (Int32(3), Int32(2), UInt8(2), Int64($0)) }
        let clicks = (0..<50).map { (Int32($0), Int32(5), UInt8(3), Int64($0)) }
        return data(views + purchases + watches + clicks)
    }

    @Test func `views and purchases are counted, watchers are people`() throws {
        #expect(try popular(.ecommPopularByViews, mixed()) == [1, 2])
        #expect(try popular(.ecommPopularByPurchases, mixed()) == [3, 2])
        #expect(try popular(.vodMostPopular, mixed()) == [4, 2])
    }

    @Test func `a view is no purchase`() throws {
        let rows = (0..<20).flatMap { user in
            [
                (Int32(user), Int32(0), UInt8(0), Int64(0)), (Int32(user), Int32(1), UInt8(0), Int64(1)),
                (Int32(user), Int32(2), UInt8(1), Int64(2)),
                (Int32(user), Int32(0), UInt8(2), Int64(3)), (Int32(user), Int32(3), UInt8(2), Int64(4)),
            ]
        }
        func related(_ recipe: RecipeName) throws -> [Int32] {
            try fit(data(rows), FitConfiguration(recipe: recipe)).opened().rank(RankingRequest(item: 0)).items.filter {
                $0.kind == .related
            }
            .map(\.item)
        }
        #expect(try related(.ecommAlsoViewed) == [1])
        #expect(try related(.vodBecauseYouWatched) == [3])
        #expect(try related(.vodMoreLike) == [1, 2, 3])
    }

    @Test func `what is bought in one go comes before what the same people buy later`() throws {
        var rows: [(user: Int32, item: Int32, type: UInt8, time: Int64)] = []
        for user in 0..<20 as Range<Int32> {
            let day = Int64(user) * 86_400
            rows += [(user, 0, 1, day), (user, 2, 1, day + 50 * 60)]
            // Only eight of them take item 1 with it, within the half hour.
            if user < 8 { rows.append((user, 1, 1, day + 600)) }
        }
        let items = try fit(data(rows), FitConfiguration(recipe: .ecommBoughtTogether)).opened().rank(RankingRequest(item: 0)).items
        #expect(items.filter { $0.kind == .related }.map(\.item) == [1, 2])
        #expect(items[0].score ?? 0 > items[1].score ?? 1)
    }

    @Test func `too few events of the type are named`() {
        #expect(
            dataShortfall(mixed(), FitConfiguration(recipe: .ecommPopularByPurchases)) == [
                "Dataset has fewer than 1000 interactions after filtering by event type: the recipe "
                    + "aws-ecomm-popular-items-by-purchases learns from Purchase events, of which there are 5."
            ])
        let enough = data((0..<1000).map { (Int32($0), Int32($0 % 7), UInt8(1), Int64($0)) })
        #expect(dataShortfall(enough, FitConfiguration(recipe: .ecommPopularByPurchases)).isEmpty)
        #expect(!dataShortfall(enough, FitConfiguration(recipe: .ecommRecommendedForYou)).isEmpty)
    }

    @Test func `each use case belongs to the domain that its name says`() {
        let cases = RecipeName.allCases.compactMap { recipe in recipe.description.useCase.map { (recipe.rawValue, $0.domain) } }
        #expect(cases.count == 10)
        #expect(cases.allSatisfy { $0.0.hasPrefix($0.1 == .ecommerce ? "aws-ecomm-" : "aws-vod-") })
    }

    @Test func `purchases and watches in any case take items away`() {
        let purchase = RecipeName.ecommRecommendedForYou.description.useCase
        #expect(purchase?.removes("PURCHASE") == true && purchase?.removes("Watch") == false)
        #expect(RecipeName.vodTopPicks.description.useCase?.removes("watch") == true)
        #expect(RecipeName.ecommBoughtTogether.description.useCase?.removes("Purchase") == false)
    }

    @Test func `a parameter without a counterpart is said to have no effect`() throws {
        let data = PlantedData().training()
        let fitted = try fit(data, FitConfiguration(recipe: .hrnnColdstart, featurization: ["cold_start_max_duration": "3"]))
        #expect(fitted.log.contains("cold_start_max_duration is accepted and has no effect on this model."))
        #expect(RecipeName.hrnnColdstart.description.fullSentence.contains("cold_start_max_interactions"))
        let wrong = FitConfiguration(recipe: .hrnnColdstart, featurization: ["cold_start_relative_from": "yesterday"])
        #expect(throws: FitError.self) { try wrong.validate() }
    }

    @Test(arguments: [RecipeName.ecommRecommendedForYou, .vodTopPicks, .hrnn, .hrnnMetadata])
    func `personal use cases and legacy names serve the blend`(_ recipe: RecipeName) throws {
        let planted = PlantedData()
        let items = try planted.model(recipe).rank(planted.request(block: 2)).items
        #expect(items.count { planted.block(ofItem: $0.item) == 2 } >= 9)
    }
}
