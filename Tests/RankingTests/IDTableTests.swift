import Testing

@testable import Ranking

@Suite struct IDTableTests {
    @Test func `ids are numbered by first appearance and found again through growth`() {
        var table = IDTable()
        let ids = (0..<5000).map { "item-\($0 * 7)" }
        #expect(ids.map { table.intern($0.utf8) } == (0..<5000).map { Int32($0) })
        #expect(ids.map { table.intern($0.utf8) } == (0..<5000).map { Int32($0) })
        #expect(ids.map { table.find($0.utf8) } == (0..<5000).map { Int32($0) })
        #expect(table.find("item-1".utf8) == nil)
        #expect(Array(table.bytes(of: 4999)) == Array(ids[4999].utf8))
        #expect(table.count == 5000)
        #expect(table.size > 5000 * 10 && table.size < 5000 * 60)
    }

    @Test func `ids that differ in case, length, zeros or normal form are different`() {
        var table = IDTable()
        let ids = ["a", "A", "", "\0", "\0\0", "aaaaaaaa", "aaaaaaaaa", "\u{E9}", "e\u{301}"]
        #expect(ids.map { table.intern($0.utf8) } == ids.indices.map { Int32($0) })
    }
}
