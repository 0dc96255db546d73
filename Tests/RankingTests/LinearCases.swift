import Foundation
import Testing

@testable import Ranking

/// Closed forms made with numpy, in Resources, and the interactions they were made from.
struct LinearCases: Decodable {
    var items: Int
    var sequences: [[Int32]]
    var ridge: Float
    var window: Int
    var span: Float
    var targetSpan: Float
    var popularityExponent: Float
    var ease: [[Float]]
    var nextItem: [[Float]]
    var graph: [[Float]]
    var projection: [[Float]]

    static func load() throws -> LinearCases {
        let url = try #require(Bundle.module.url(forResource: "Resources/linear-cases", withExtension: "json"))
        return try JSONDecoder().decode(LinearCases.self, from: Data(contentsOf: url))
    }

    func matrix() throws -> InteractionMatrix {
        var data = TrainingData(eventTypeNames: ["view"])
        for step in 0..<items {
            for (user, sequence) in sequences.enumerated() where step < sequence.count {
                data.append(user: Int32(user), item: sequence[step], eventType: 0, timestamp: Int64(step * 1000 + user))
            }
        }
        return try InteractionMatrix(data, FitConfiguration(recipe: .userPersonalization))
    }

    static let weighting = HistoryWeights(
        eventTypes: [1], unknownType: 1, valueConfidence: 0, meanValue: 1, recencyBoost: 0, recencySpan: 1)

    static var span: ProgressSpan { ProgressSpan(reporter: ProgressReporter { _, _ in true }, start: 0, end: 1) }
}

extension NeighborLists {
    func dense(_ count: Int) -> [[Float]] {
        (0..<count).map { row in
            var line = [Float](repeating: 0, count: count)
            for position in Int(offsets[row])..<Int(offsets[row + 1]) { line[Int(rows[position])] = strengths[position] }
            return line
        }
    }
}

/// Infinite when the shapes differ or a difference is not a number.
func largestDifference(_ left: [[Float]], _ right: [[Float]]) -> Float {
    guard !left.isEmpty, left.map(\.count) == right.map(\.count) else { return .infinity }
    return largestOf(zip(left.joined(), right.joined()).map { $0 - $1 })
}

/// By absolute value; infinite when one is not a number.
func largestOf(_ numbers: some Sequence<Float>) -> Float {
    var largest: Float = 0
    for number in numbers { largest = number.isNaN ? .infinity : max(largest, abs(number)) }
    return largest
}

extension InteractionMatrix {
    func userItems(_ weighting: HistoryWeights) throws -> SparseRows { try userItems(weighting, threads: 2, LinearCases.span) }
}
