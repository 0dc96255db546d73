import Foundation
import Testing

@testable import Ranking

/// Half of what a user meets is of the user's taste and rated high, half is anything and rated low; in the end users meet what they like.
@Suite struct ValueTests {
    private static let users = 300
    private static let blocks = 5
    private static let itemsPerBlock = 24

    private func data(tellsTaste: Bool) -> TrainingData {
        var state = Xorshift(state: 0xA5A5_1234_9876_0F0F)
        var data = TrainingData(eventTypeNames: ["rating"])
        for step in 0..<20 {
            for user in 0..<Self.users {
                let isLiked = step >= 17 || state.below(10) < 2
                let block = isLiked ? user % Self.blocks : state.below(Self.blocks)
                let value: Float = tellsTaste ? (isLiked ? 5 : 0.5) : (state.below(2) == 0 ? 5 : 0.5)
                data.append(
                    user: Int32(user), item: Int32(block * Self.itemsPerBlock + state.below(Self.itemsPerBlock)), eventType: 0,
                    value: value,
                    timestamp: Int64(1_700_000_000 + step * 86_400 + user))
            }
        }
        return data
    }

    private func fitted(_ data: TrainingData) throws -> FittedModel {
        try fit(
            data,
            FitConfiguration(
                recipe: .userPersonalizationV2, hyperparameters: ["ingredients": "ease"], threads: 2,
                createdAt: Date(timeIntervalSince1970: 1_800_000_000)))
    }

    private func sentence(_ model: FittedModel) -> String? { model.log.first { $0.hasPrefix("Events weighted by their values") } }

    @Test func `values that tell what is liked weigh in the fit`() throws {
        let fitted = try fitted(data(tellsTaste: true))
        #expect(try #require(sentence(fitted)).hasSuffix(", kept."))
        #expect(try fitted.opened().properties["blend.0.weighs_values"] == "true")
    }

    @Test func `values that tell nothing are tried and left out`() throws {
        let fitted = try fitted(data(tellsTaste: false))
        #expect(try #require(sentence(fitted)).hasSuffix(", not kept."))
        #expect(try fitted.opened().properties["blend.0.weighs_values"] == nil)
    }

    @Test func `without values, or with all alike, nothing more is fitted`() throws {
        var data = data(tellsTaste: true)
        data.values = data.values.map { _ in 3 }
        #expect(try sentence(fitted(data)) == nil)
        data.values = data.values.map { _ in .nan }
        #expect(try sentence(fitted(data)) == nil)
    }
}
