import Foundation
import Testing

@testable import Ranking

/// Users of two countries and requests of two devices; which blocks they turn to depends on them, or does not.
private struct SituatedData {
    let planted = PlantedData(blocks: 4, usersPerBlock: 60, itemsPerBlock: 20, eventsPerUser: 12)

    /// Users of block 0 and 1 live in "north"; with `hasEffect`, what is met on "mobile" is of the last block.
    func training(contextHasEffect: Bool) -> TrainingData {
        var data = planted.training()
        var random = Xorshift(state: 77)
        var codes: [Int32] = []
        for position in 0..<data.count {
            let isMobile = random.below(2) == 0
            codes.append(isMobile ? 0 : 1)
            if contextHasEffect, isMobile, random.below(10) < 9 {
                data.items[position] = Int32(3 * planted.itemsPerBlock + random.below(planted.itemsPerBlock))
            }
        }
        data.contexts = [ContextColumn(name: "DEVICE", values: ["mobile", "desk"], codes: codes)]
        var countries = CategoryLists()
        let users = (0..<Int32(planted.blocks * planted.usersPerBlock)).map { $0 }
        for user in users { countries.append([Int(user) % planted.blocks < 2 ? "north" : "south"]) }
        data.userMetadata = MetadataTable(
            ids: users,
            columns: [
                MetadataColumn(name: "COUNTRY", values: .categories(countries)),
                MetadataColumn(name: "AGE", values: .numbers(users.map { Float($0 % 60) })),
            ])
        return data
    }

    func model(contextHasEffect: Bool) throws -> FittedModel {
        try fit(training(contextHasEffect: contextHasEffect), DescribedData.configuration())
    }
}

@Suite struct SituationTests {
    private let data = SituatedData()

    @Test func `a newcomer gets what is popular with the like`() throws {
        let model = try data.model(contextHasEffect: false).opened()
        var request = RankingRequest(count: 10)
        request.attributes = ["country": "north"]
        let north = model.rank(request).items.map(\.item)
        request.attributes = ["country": "south"]
        let south = model.rank(request).items.map(\.item)
        func share(_ items: [Int32], _ blocks: ClosedRange<Int>) -> Int {
            items.count { $0 != data.planted.trap && blocks.contains(data.planted.block(ofItem: $0)) }
        }
        #expect(share(north, 0...1) >= 8)
        #expect(share(south, 2...3) >= 8)
        request.attributes = ["country": "nowhere"]
        #expect(model.rank(request).items == model.rank(RankingRequest(count: 10)).items)
    }

    @Test func `a context that matters moves the list, and says by how much`() throws {
        let model = try data.model(contextHasEffect: true).opened()
        #expect(model.usesSituation)
        var request = RankingRequest(history: data.planted.history(block: 0), count: 10, explain: true)
        request.context = ["DEVICE": "mobile"]
        let mobile = model.rank(request).items
        request.context = ["DEVICE": "desk"]
        let desk = model.rank(request).items
        #expect(mobile.count { data.planted.block(ofItem: $0.item) == 3 } > desk.count { data.planted.block(ofItem: $0.item) == 3 })
        #expect(mobile.contains { ($0.situationPart ?? 0) > 0 })
        request.context = [:]
        #expect(model.rank(request).items.allSatisfy { $0.situationPart == nil })
    }

    @Test func `requests in a context look at the same rows together and alone`() throws {
        let planted = PlantedData(itemsPerBlock: 150, eventsPerUser: 40)
        var data = planted.training()
        data.contexts = [ContextColumn(name: "DEVICE", values: ["mobile", "desk"], codes: data.items.map { $0 % 3 == 0 ? 0 : 1 })]
        var configuration = DescribedData.configuration()
        configuration.blend = BlendChoice(
            entries: [(Ingredient.graph, true), (.factors, true), (.spectrum, false)].map {
                .init(ingredient: $0.0, rule: SourceRule(kind: .flat), weight: 1, retrieves: $0.1)
            }, properties: ["situation.context_weight": "0.5"])
        let model = try fit(data, configuration).opened()
        #expect(model.usesSituation)
        let requests = (0..<4).map { number in
            var request = RankingRequest(history: planted.history(block: number), count: 10)
            request.context = ["DEVICE": "mobile"]
            return request
        }
        var scratch = RankingScratch()
        var batch = RankingBatch()
        let together = model.rank(requests, batch: &batch)
        for (place, request) in requests.enumerated() {
            #expect(model.rank(request, scratch: &scratch).items == together[place].items)
            #expect(Set(batch.scratches[place].pool.rows) == Set(scratch.pool.rows))
        }
    }

    @Test func `a context without effect is left out`() throws {
        let fitted = try data.model(contextHasEffect: false)
        let model = try fitted.opened()
        #expect(model.properties["situation.context_weight"] == nil)
        var request = RankingRequest(history: data.planted.history(block: 0), count: 10)
        let plain = model.rank(request).items
        request.context = ["DEVICE": "mobile"]
        #expect(model.rank(request).items == plain)
    }

    @Test func `effects are logarithms of events over expected events, shrunk`() throws {
        var data = TrainingData(eventTypeNames: ["view"])
        var codes: [Int32] = []
        // 40 events on each of two items; on mobile all of the first.
        for index in 0..<80 {
            data.append(user: Int32(index % 20), item: Int32(index / 40), eventType: 0, timestamp: Int64(index))
            codes.append(index < 40 ? 0 : 1)
        }
        data.contexts = [ContextColumn(name: "DEVICE", values: ["mobile", "desk"], codes: codes)]
        let matrix = try InteractionMatrix(data, DescribedData.configuration())
        let file = try ModelFile(ModelBytes(ModelFormat.encode(try #require(SituationFit(matrix: matrix).sections()))))
        let effects = try #require(try SituationEffects.open(file, itemCount: 2, properties: [:]))
        var sums: [Float] = [0, 0]
        #expect(effects.add(["device": "mobile"], .context, weight: 1, to: &sums))
        #expect(abs(sums[0] - log(50 / 30)) < 1e-5 && abs(sums[1] - log(10 / 30)) < 1e-5)
        #expect(!effects.add(["device": "Mobile"], .context, weight: 1, to: &sums))
    }
}
