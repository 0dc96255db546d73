import Foundation
import Testing

@testable import Ranking

/// Histories that are alike, as an ingredient of the blend.
@Suite struct NeighborPartTests {
    private static let whole = SourceRule(kind: .decayed, window: 20, span: 2)
    private static let near = SourceRule(kind: .decayed, window: 20, span: 2, reach: 5)

    private func matrix(_ sequences: [[Int32]]) throws -> InteractionMatrix {
        var data = TrainingData(eventTypeNames: ["view"])
        for (user, sequence) in sequences.enumerated() {
            for (step, item) in sequence.enumerated() {
                data.append(user: Int32(user), item: item, eventType: 0, timestamp: Int64(user * 1000 + step))
            }
        }
        return try InteractionMatrix(data, FitConfiguration(recipe: .userPersonalization))
    }

    private func opened(_ pieces: NeighborFit.Pieces, itemCount: Int, _ rule: SourceRule) throws -> (part: NeighborPart, file: ModelFile) {
        let sections = SectionContent.lists("part", pieces.byItem) + SectionContent.lists("part.pieces", pieces.items)
        let file = try ModelFile(ModelBytes(ModelFormat.encode(sections)))
        let part = try Ingredient.neighbors.open(file, prefix: "part", rule: rule, itemCount: itemCount, properties: [:])
        return (try #require(part as? NeighborPart), file)
    }

    private func history(_ rows: [Int32], itemCount: Int) -> WeightedHistory {
        var history = WeightedHistory()
        history.collect(count: rows.count, itemCount: itemCount, LinearCases.weighting) { (rows[$0], 0, .nan) }
        return history
    }

    private func scores(
        _ fit: NeighborFit, _ matrix: InteractionMatrix, _ rows: [Int32], _ rule: SourceRule
    ) throws -> [Float] {
        let pieces = try #require(try fit.fit(matrix, LinearCases.weighting, LinearCases.span))
        let (part, file) = try opened(pieces, itemCount: matrix.itemCount, rule)
        var space = PartSpace()
        var scores = [Float](repeating: 0, count: matrix.itemCount)
        if part.begin(history(rows, itemCount: matrix.itemCount), &space) != nil { part.addAll(1, &space, allowed: nil, to: &scores) }
        withExtendedLifetime(file) {}
        return scores
    }

    @Test(arguments: [whole, near])
    func `a hand-made answer`(_ rule: SourceRule) throws {
        let found = try scores(NeighborFit(longest: 50), matrix([[0, 1, 2], [3, 0, 1], [4, 5, 6]]), [0, 1], rule)
        let likeness: (Float, Float) = (expf(-0.5) * logf(2.5) / sqrtf(3), logf(2.5) / sqrtf(3))
        let alike = likeness.0 + likeness.1
        // Item 2 stands one place behind item 1 and two behind item 0; item 3 one before 0 and two before 1.
        let behind = (expf(-0.5) * expf(-0.2) + 1) / (expf(-0.5) + 1)
        let before = 0.2 * (expf(-0.5) + expf(-0.2)) / (expf(-0.5) + 1)
        let expected: [Float] = rule.reach == 0 ? [0, 0, alike, alike, 0, 0, 0] : [0, 0, alike * behind, alike * before, 0, 0, 0]
        #expect(largestOf(zip(found, expected).map { $0 - $1 }) < 1e-5)
    }

    @Test func `only the newest pieces of an item are looked up`() throws {
        let matrix = try matrix([[0, 1], [0, 2], [0, 3]])
        #expect(
            try scores(NeighborFit(longest: 50, piecesPerItem: 2), matrix, [0], Self.whole).map { $0 > 0 } == [false, false, true, true])
        #expect(try scores(NeighborFit(longest: 50, entryLimit: 5), matrix, [0], Self.whole).map { $0 > 0 } == [false, false, true, true])
    }

    @Test func `a long history is several pieces, the newest whole`() throws {
        let pieces = try #require(try NeighborFit(longest: 2).fit(matrix([[0, 1, 2, 3, 4]]), LinearCases.weighting, LinearCases.span))
        #expect(pieces.items.rows == [3, 4, 1, 2])
        #expect(pieces.items.offsets == [0, 2, 4])
    }

    @Test(arguments: [[[0]], [[0], [1]], [[0, 0, 0], [0]], [[0, 1]]] as [[[Int32]]])
    func `too few pieces are no ingredient`(_ sequences: [[Int32]]) throws {
        #expect(try NeighborFit(longest: 50).fit(matrix(sequences), LinearCases.weighting, LinearCases.span) == nil)
    }

    @Test func `a history that says nothing gets nothing`() throws {
        let matrix = try matrix([[0, 1], [1, 2], [3, 4]])
        #expect(try scores(NeighborFit(longest: 50), matrix, [], Self.near).allSatisfy { $0 == 0 })
        #expect(try scores(NeighborFit(longest: 50), matrix, [0, 1, 2], Self.whole).allSatisfy { $0 == 0 })
    }

    @Test(arguments: [SourceRule(), whole, near])
    func `the parts of a history add up to the score`(_ rule: SourceRule) throws {
        let matrix = try InteractionMatrix(PlantedData().training(), FitConfiguration(recipe: .userPersonalization))
        let pieces = try #require(try NeighborFit(longest: 10, piecesPerItem: 40).fit(matrix, LinearCases.weighting, LinearCases.span))
        let (part, file) = try opened(pieces, itemCount: matrix.itemCount, rule)
        var space = PartSpace()
        var rowsWithScore = 0
        for user in stride(from: 0, to: matrix.userCount, by: 23) {
            var history = WeightedHistory()
            matrix.collectHistory(user, LinearCases.weighting, into: &history)
            guard let scale = part.begin(history, &space) else { continue }
            let rows = (0..<Int32(matrix.itemCount)).map { $0 }
            var scores = [Float](repeating: 0, count: rows.count)
            part.addExactly(1 / scale, &space, rows: rows, to: &scores)
            for row in rows {
                var parts = [Float](repeating: 0, count: history.count)
                part.addParts(1 / scale, of: row, history, &space, to: &parts)
                #expect(abs(parts.reduce(0, +) - scores[Int(row)]) < 1e-3)
                if scores[Int(row)] > 0 { rowsWithScore += 1 }
            }
        }
        #expect(rowsWithScore > 0)
        withExtendedLifetime(file) {}
    }

    @Test func `a damaged file gives an answer and no crash`() throws {
        var pieces = try #require(
            try NeighborFit(longest: 50).fit(matrix([[0, 1, 2], [2, 1, 0], [0, 2]]), LinearCases.weighting, LinearCases.span))
        pieces.items.rows = pieces.items.rows.indices.map { [-1, .max, .min, 1][$0 % 4] }
        pieces.byItem.rows = pieces.byItem.rows.indices.map { [2, -7, .max, 0][$0 % 4] }
        pieces.byItem.strengths[0] = .nan
        let (part, file) = try opened(pieces, itemCount: 3, Self.near)
        var space = PartSpace()
        let history = history([0, 2], itemCount: 3)
        var scores: [Float] = [0, 0, 0]
        if part.begin(history, &space) != nil {
            part.addAll(1, &space, allowed: nil, to: &scores)
            part.addParts(1, of: 1, history, &space, to: &scores)
        }
        #expect(scores.count == 3)
        withExtendedLifetime(file) {}
    }

    @Test func `a rule with a reach is read back, and nonsense is refused`() throws {
        #expect(SourceRule(Self.near.text) == Self.near)
        #expect(SourceRule("flat 0 0.0") == SourceRule())
        for text in ["flat 0 0 -1", "flat 0 0 nan", "flat 0 0 1 1", "flat 0 0 x"] { #expect(SourceRule(text) == nil) }
    }

    /// Successors know six users of ten; one reading of neighbors knows the same, the other what they do not.
    @Test func `the reading that adds most is chosen, not the best one alone`() throws {
        let columns: [(ingredient: Ingredient, rule: SourceRule)] = [
            (.successors, SourceRule()), (.neighbors, Self.whole), (.neighbors, Self.near),
        ]
        let cases = (0..<50).map { number in
            let isKnown = number % 10 < 6
            let (right, wrong): ([Float], [Float]) = ([3] + [Float](repeating: 0, count: 11), [0] + [Float](repeating: 1, count: 11))
            let scores = isKnown ? right + right + wrong : wrong + wrong + right
            return ValidationCase(rowCount: 12, relevant: [0], truthCount: 1, scores: scores)
        }
        let search = BlendSearch(columns: columns, cases: cases)
        let weights = try search.weights([0, 1, 2], search.alone(), smooths: false)
        #expect(weights[0] > 0 && weights[1] == 0 && weights[2] > 0)
        #expect(try search.quality(weights).ndcg == 1)
    }

    @Test func `held-out items count less the later they come`() throws {
        let matrix = try matrix((0..<60).map { user in (0..<30).map { Int32(($0 * 7 + user) % 40) } })
        let split = ValidationSplit(matrix, seed: 1, hasClock: true, demotesHistory: false)
        for user in split.users {
            let events = (0..<30).map { Int32(($0 * 7 + Int(matrix.userIDs[user.row])) % 40) }.suffix(5)
            #expect(user.truth == Set(events))
            let gains = events.map { user.gains[$0] ?? 1 }
            #expect(gains.first == 1)
            #expect(zip(gains, gains.dropFirst()).allSatisfy { $0 > $1 })
        }
        #expect(!split.users.isEmpty)
    }
}
