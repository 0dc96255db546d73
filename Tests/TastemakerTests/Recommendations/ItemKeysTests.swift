import Testing

@testable import Tastemaker

struct ItemKeysTests {
    @Test func `ids are found by bytes, whatever Unicode says of them`() {
        var keys = ItemKeys()
        keys.append(id: 0, Array("caf\u{E9}".utf8))
        keys.append(id: 1, Array("cafe\u{301}".utf8))
        #expect(keys.id("caf\u{E9}") == 0)
        #expect(keys.id("cafe\u{301}") == 1)
        #expect(keys.id("cafe") == nil)
    }

    @Test func `gaps stay empty and many ids are found again`() {
        var keys = ItemKeys()
        for id in stride(from: Int32(0), to: 3000, by: 3) { keys.append(id: id, Array("item-\(id)".utf8)) }
        #expect(keys.count == 2998)
        #expect(keys.keyCount == 1000)
        for id in stride(from: Int32(0), to: 3000, by: 3) {
            #expect(keys.id("item-\(id)") == id)
            #expect(keys.text(id) == "item-\(id)")
        }
        #expect(keys.text(1) == nil)
        #expect(keys.id("item-1") == nil)
    }
}

struct PromotedShareTests {
    let rest = (0..<8).map { Recommending.ChosenItem(candidate: Candidate(item: Int32($0), score: nil, kind: .personal)) }
    let promoted = (100..<104).map { Candidate(item: Int32($0), score: nil, kind: .personal) }

    @Test(arguments: [(25, 10, 3), (100, 7, 7), (1, 500, 5), (1, 1, 1)])
    func `a share is rounded up`(percent: Int, total: Int, places: Int) {
        #expect(PromotedShare.count(of: total, percent: percent) == places)
    }

    @Test func `both parts keep their order, and the seed gives the same places again`() {
        let woven = PromotedShare.weave(promoted, into: rest, seed: 7)
        #expect(woven.filter(\.isRequestPromoted).map(\.candidate.item) == [100, 101, 102, 103])
        #expect(woven.filter { !$0.isRequestPromoted }.map(\.candidate.item) == Array(0..<8))
        #expect(PromotedShare.weave(promoted, into: rest, seed: 7).map(\.candidate.item) == woven.map(\.candidate.item))
        let others = (0..<20).map { PromotedShare.weave(promoted, into: rest, seed: UInt32($0)).map(\.candidate.item) }
        #expect(Set(others).count > 10)
    }
}
