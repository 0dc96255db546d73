import ModelMutation
import Testing

@testable import Ranking

/// A bounded part of `make fuzz`: the same mutations at every run.
@Suite struct ModelFuzzTests {
    @Test(arguments: RecipeName.fits)
    func `mutated model files are refused or answer within bounds`(_ recipe: RecipeName) throws {
        let planted = PlantedData()
        let bytes = try KeptFits.fitted("\(planted)", recipe) { try planted.fitted(recipe) }.bytes
        Self.expectBounds(bytes, mutations: 150)
    }

    /// Mutations of a model file are refused or answer within bounds.
    static func expectBounds(_ bytes: [UInt8], mutations: Int) {
        var scratch = RankingScratch()
        var outcomes: [DamagedModel.Outcome: Int] = [:]
        for seed in 0..<UInt64(mutations) {
            var mutation = ModelMutation(seed: seed)
            let outcome = DamagedModel.ask(mutation.mutate(bytes), scratch: &scratch) { request, result in
                #expect(result.items.count <= max(request.count, request.candidates?.count ?? 0))
                #expect(result.items.allSatisfy { ($0.score ?? 0).isFinite })
            }
            outcomes[outcome, default: 0] += 1
        }
        // Both kinds must be among them, or the mutations do nothing or too much.
        #expect(outcomes[.refused, default: 0] > 20 && outcomes[.answered, default: 0] > 20)
    }

    @Test func `a seed mutates in one way`() {
        let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        var (first, again, other) = (ModelMutation(seed: 5), ModelMutation(seed: 5), ModelMutation(seed: 6))
        let mutated = first.mutate(bytes)
        #expect(mutated != bytes && mutated == again.mutate(bytes) && mutated != other.mutate(bytes))
    }
}
