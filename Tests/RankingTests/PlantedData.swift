import Foundation
import Ranking

/// Interactions with a known structure: users and items fall into blocks, users mostly stay in theirs, and everybody
/// also meets one trap item (the last), which is popular and says nothing.
struct PlantedData {
    var blocks = 4
    var usersPerBlock = 30
    var itemsPerBlock = 25
    var eventsPerUser = 16
    var eventTypeNames = ["view", "purchase"]

    var itemCount: Int { blocks * itemsPerBlock + 1 }
    var trap: Int32 { Int32(blocks * itemsPerBlock) }

    func block(ofItem item: Int32) -> Int { Int(item) / itemsPerBlock }

    /// Event types alternate, purchases being every fourth event.
    func training(idStride: Int32 = 1) -> TrainingData {
        var random = Xorshift(state: 0x2545_F491_4F6C_DD1D)
        var data = TrainingData(eventTypeNames: eventTypeNames)
        for step in 0..<eventsPerUser {
            for user in 0..<blocks * usersPerBlock {
                let block = random.below(10) == 0 ? random.below(blocks) : user % blocks
                let item = step == 3 ? Int(trap) : block * itemsPerBlock + random.below(itemsPerBlock)
                data.append(
                    user: Int32(user), item: Int32(item) * idStride, eventType: step % 4 == 0 ? 1 : 0,
                    timestamp: Int64(1_700_000_000 + step * 10_000 + user))
            }
        }
        return data
    }

    /// A new user's history inside one block.
    func history(block: Int, length: Int = 5) -> [HistoryEvent] {
        (0..<length).map { HistoryEvent(item: Int32(block * itemsPerBlock + $0), timestamp: 1_800_000_000 + Int64($0)) }
    }

    /// A request that suits every recipe.
    func request(block: Int = 1, count: Int = 10) -> RankingRequest {
        RankingRequest(history: history(block: block), item: Int32(block * itemsPerBlock), count: count)
    }

    func fitted(_ recipe: RecipeName, threads: Int = 2) throws -> FittedModel {
        try fit(training(), FitConfiguration(recipe: recipe, threads: threads, createdAt: Date(timeIntervalSince1970: 1_800_000_000)))
    }

    /// Fitted once for all tests.
    func model(_ recipe: RecipeName) throws -> Model { try KeptFits.fitted("\(self)", recipe) { try fitted(recipe) }.opened() }
}

extension RecipeName {
    /// One name for each way of learning: use cases of domains and legacy names are others for the same, with tests of their own.
    static let fits = allCases.filter {
        // Likeness needs metadata, which the planted data has not.
        $0.description.useCase == nil && $0.description.servedBy == nil && !$0.description.isImported && $0 != .semanticSimilarity
            && !$0.description.proposesActions
    }
}

struct Xorshift: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    mutating func below(_ bound: Int) -> Int { Int(next() >> 11) % bound }
}

extension Model {
    /// Ranks with fresh work space.
    func rank(_ request: RankingRequest) -> RankingResult {
        var scratch = RankingScratch()
        return rank(request, scratch: &scratch)
    }
}
