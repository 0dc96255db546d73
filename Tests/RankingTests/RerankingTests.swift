import Foundation
import Testing

@testable import Ranking

@Suite struct RerankingTests {
    /// Scores 1, 1/e, 1/e², …: their logarithms fall evenly.
    private static func candidates(_ count: Int, _ change: (Int, inout RerankingCandidate) -> Void = { _, _ in }) -> [RerankingCandidate] {
        (0..<count).map { index in
            var candidate = RerankingCandidate(score: exp(-Double(index)))
            change(index, &candidate)
            return candidate
        }
    }

    @Test func `lambda 1 without caps and value keeps the order`() {
        let order = Reranking(RerankingRule(), Self.candidates(9)).order(count: 5)
        #expect(order == .init(places: [0, 1, 2, 3, 4], relaxed: 0))
    }

    /// Six candidates, u = 1, .8, .6, .4, .2, 0; the first three of one kind. With lambda .5 the second place is worth .4 − .5 for
    /// candidates 1 and 2 and .2 for candidate 3, and so on.
    @Test func `marginal relevance gives the order worked out by hand`() {
        let candidates = Self.candidates(6) { index, candidate in candidate.kinds = [index < 3 ? 0 : Int32(index)] }
        let order = Reranking(RerankingRule(lambda: 0.5), candidates).order(count: 6)
        #expect(order.places == [0, 3, 4, 5, 1, 2])
        #expect(Reranking(RerankingRule(lambda: 0.9), candidates).order(count: 6).places == [0, 1, 2, 3, 4, 5])
        // 1: .72 − .2 = .52 · 3: .32 with lambda .8; .6·.8 − .4 = .08 · .6·.4 = .24 with lambda .6
        #expect(Reranking(RerankingRule(lambda: 0.6), candidates).order(count: 2).places == [0, 3])
    }

    @Test func `vectors count by their cosine`() {
        let vectors: [Float] = [1, 0, 1, 0, 0.6, 0.8, 0, 1]
        let candidates = (0..<4).map { _ in RerankingCandidate(score: 1) }
        let order = Reranking(RerankingRule(lambda: 0.5), candidates, vectors: (vectors, 2)).order(count: 4)
        #expect(order.places == [0, 3, 2, 1])
    }

    @Test func `a cap holds while there is something else, and yields for a full list`() {
        let candidates = Self.candidates(8) { index, candidate in candidate.capped = [[index < 6 ? 1 : 2]] }
        let rule = RerankingRule(caps: [2])
        #expect(Reranking(rule, candidates).order(count: 4) == .init(places: [0, 1, 6, 7], relaxed: 0))
        #expect(Reranking(rule, candidates).order(count: 6) == .init(places: [0, 1, 6, 7, 2, 3], relaxed: 2))
    }

    @Test func `fixed places stay and count for caps from the start`() {
        let candidates = Self.candidates(8) { index, candidate in candidate.capped = [[index % 2 == 0 ? 1 : 2]] }
        let order = Reranking(RerankingRule(caps: [1]), candidates).order(count: 3, fixed: [2: 0])
        #expect(order.places == [1, 2, 0])
        #expect(order.relaxed == 1)
        let woven = Reranking(RerankingRule(caps: [1]), candidates).order(count: 1, present: [0])
        #expect(woven.places == [1])
    }

    @Test func `value pulls dear items up or down, and an unknown one stands in the middle`() {
        let values: [Double?] = [10, 1000, nil, 100]
        let candidates = values.map { RerankingCandidate(score: 1, value: $0) }
        #expect(Reranking(RerankingRule(valueWeight: 1), candidates).order(count: 4).places == [1, 2, 3, 0])
        #expect(Reranking(RerankingRule(valueWeight: -1), candidates).order(count: 4).places == [0, 2, 3, 1])
        #expect(Reranking(RerankingRule(valueWeight: 0.01), candidates).order(count: 1).places == [1])
    }

    @Test func `money in another unit changes nothing`() {
        let prices = [3.0, 80, 7, 19, 250, 12]
        func places(_ unit: Double) -> [Int] {
            let candidates = Self.candidates(6) { index, candidate in candidate.value = prices[index] * unit }
            return Reranking(RerankingRule(valueWeight: 0.4), candidates).order(count: 6).places
        }
        #expect(places(1) == places(100))
        #expect(places(1) != [0, 1, 2, 3, 4, 5])
    }

    /// Random candidates and rules: a list has as many different items as asked for, keeps its caps unless it says so, and less lambda
    /// never makes neighbours more alike on the whole.
    @Test(arguments: 0..<20) func `every list is full, without doubles, and within its caps or says so`(seed: UInt64) {
        var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func next(_ bound: UInt64) -> Int {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return Int(random % bound)
        }
        let candidates = Self.candidates(60) { index, candidate in
            candidate.score = next(10) == 0 ? nil : exp(-Double(index) / 10)
            candidate.capped = [[Int32(next(6))], next(3) == 0 ? [] : [Int32(next(4))]]
            candidate.kinds = [Int32(next(5)), Int32(5 + next(3))]
            candidate.value = next(5) == 0 ? nil : Double(next(1000))
        }
        let rule = RerankingRule(lambda: Double(next(11)) / 10, caps: [3, 4], valueWeight: Double(next(21)) / 10 - 1)
        let reranking = Reranking(rule, candidates)
        for count in [0, 1, 12, 60, 100] {
            let order = reranking.order(count: count, fixed: [3: 40])
            #expect(order.places.count == min(count, 60))
            #expect(Set(order.places).count == order.places.count)
            if count > 3 { #expect(order.places[3] == 40) }
            var beyond = 0
            for (cap, most) in rule.caps.enumerated() {
                var counts: [Int32: Int] = [:]
                for place in order.places { for value in candidates[place].capped[cap] { counts[value, default: 0] += 1 } }
                beyond += counts.values.reduce(0) { $0 + max(0, $1 - most) }
            }
            #expect((beyond > 0) == (order.relaxed > 0))
        }
    }
}
