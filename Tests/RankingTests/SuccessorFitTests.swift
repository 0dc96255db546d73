import Foundation
import Testing

@testable import Ranking

@Suite struct SuccessorFitTests {
    /// Few items, whose sums are dense, and many, whose sums are not.
    static let itemCounts: [Int32] = [30, 3000]

    private func matrix(items: Int32) throws -> InteractionMatrix {
        var random = RandomSource(seed: 11)
        var data = TrainingData(eventTypeNames: ["view"])
        for user in 0..<Int32(40) {
            for step in 0..<Int64(user % 13 + 1) {
                data.append(user: user, item: Int32(random.next() % UInt64(items)), eventType: 0, timestamp: step)
            }
        }
        return try InteractionMatrix(data, FitConfiguration(recipe: .userPersonalization))
    }

    /// By the definition: sum over pairs of events of one user, nearer ones weighing more, over what the two occur.
    private func strengths(_ fit: SuccessorFit, _ matrix: InteractionMatrix, _ events: [Float]) -> [[Float]] {
        var sums = [[Double]](repeating: [Double](repeating: 0, count: matrix.itemCount), count: matrix.itemCount)
        for user in 0..<matrix.userCount {
            let items = matrix.items[matrix.offsets[user]..<matrix.offsets[user + 1]].map { Int($0) }
            for (place, item) in items.enumerated() {
                for (other, follower) in items.enumerated() where other != place && abs(other - place) <= fit.window {
                    let weight = exp(-Double(abs(other - place) - 1) / Double(fit.span))
                    sums[item][follower] += other > place ? weight : weight * Double(fit.backward)
                }
            }
        }
        return sums.enumerated().map { item, sums in
            sums.enumerated().map { follower, sum in
                item == follower || sum == 0
                    ? 0 : Float(sum / (Double(events[item] + fit.prior) * pow(Double(events[follower]), Double(fit.popularityDiscount))))
            }
        }
    }

    @Test(arguments: itemCounts, [SuccessorFit(threads: 2), SuccessorFit(window: 2, span: 1, backward: 0, threads: 2)])
    func `strengths are those of the definition`(itemCount: Int32, fit: SuccessorFit) throws {
        let matrix = try matrix(items: itemCount)
        let events = matrix.popularity().events
        let lists = try fit.fit(matrix, events: events, LinearCases.span)
        #expect(largestDifference(lists.dense(matrix.itemCount), strengths(fit, matrix, events)) < 1e-6)
        for item in 0..<matrix.itemCount {
            let rows = lists.rows[Int(lists.offsets[item])..<Int(lists.offsets[item + 1])]
            #expect(zip(rows, rows.dropFirst()).allSatisfy { $0 < $1 })
        }
    }
}
