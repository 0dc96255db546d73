import Testing

@testable import Ranking

@Suite struct LikenessGraphTests {
    private var span: ProgressSpan { LinearCases.span }

    /// Users 0 and 1 met items 0 and 1, users 2 and 3 items 2 and 3; nobody met items 4, 5 and 6.
    private func graph(limit: Int = 10) -> LikenessGraph {
        let half = Float(0.5)
        var rows = SparseRows()
        for columns: [Int32] in [[0, 1], [0, 1], [2, 3], [2, 3]] {
            rows.columns += columns
            rows.values += [half, half]
            rows.offsets.append(rows.columns.count)
        }
        return LikenessGraph(normalized: rows, limit: limit, threads: 2)
    }

    private func lists(_ rows: [[(Int32, Float)]]) -> NeighborLists {
        var lists = NeighborLists()
        for row in rows {
            lists.rows += row.map(\.0)
            lists.strengths += row.map(\.1)
            lists.offsets.append(UInt32(lists.rows.count))
        }
        return lists
    }

    @Test func `an unmet item goes with what goes with its like`() throws {
        // Item 4 is like item 0, item 5 three times as much like item 0 as like item 2, item 6 like nothing.
        let alike = lists([[], [], [], [], [(0, 0.2)], [(0, 0.6), (2, 0.2)], []])
        let found = try graph().fit([4, 5, 6], alike, span)
        func weight(_ item: Int, _ source: Int32) -> Float {
            let range = Int(found.offsets[item])..<Int(found.offsets[item + 1])
            return range.first { found.rows[$0] == source }.map { found.strengths[$0] } ?? 0
        }
        // u = (0.1, 0.1, 0, 0), of which the length goes: 2 x 0.5 / root 2.
        #expect(abs(weight(4, 0) - 0.707_107) < 1e-5 && abs(weight(4, 1) - 0.707_107) < 1e-5)
        #expect(weight(4, 2) == 0 && weight(4, 3) == 0)
        #expect(abs(weight(5, 1) / weight(5, 3) - 3) < 1e-4)
        #expect(found.offsets[7] == found.offsets[6] && found.offsets[4] == 0)
    }

    @Test func `the strongest sources stay`() throws {
        let found = try graph(limit: 2).fit([5], lists([[], [], [], [], [], [(0, 0.6), (2, 0.2)], []]), span)
        #expect(Set(found.rows) == [0, 1])
    }

    @Test func `lists of some items are those of all, by dense and by sparse sums, and hold only what may be there`() throws {
        var categories = CategoryLists()
        for item in 0..<60 { categories.append(["a\(item % 7)", "b\(item % 5)", "c\(item % 3)"]) }
        let ids = Array(0..<Int32(60))
        let features = FeatureRows(
            MetadataTable(ids: ids, columns: [MetadataColumn(name: "X", values: .categories(categories))]), itemIDs: ids)
        let dense = ContentFit(features: features, limit: 8, threads: 2)
        let sparse = ContentFit(features: features, limit: 8, threads: 2, denseItems: 10)
        let all = try dense.alike(ids, span)
        let some = try dense.alike([3, 17], span)
        let others = try sparse.alike([3, 17], span)
        for item in 0..<60 {
            func strengths(_ lists: NeighborLists) -> [Float] {
                Array(lists.strengths[Int(lists.offsets[item])..<Int(lists.offsets[item + 1])])
            }
            let expected = [3, 17].contains(item) ? strengths(all) : []
            #expect(strengths(some) == expected)
            #expect(strengths(others).count == expected.count)
            #expect(zip(strengths(others), expected).allSatisfy { abs($0 - $1) < 1e-5 })
        }
        let even = try dense.alike([3], among: ids.map { $0 % 2 == 0 }, span)
        #expect(!even.rows.isEmpty && even.rows.allSatisfy { $0 % 2 == 0 })
        #expect(try sparse.alike([3], among: ids.map { $0 % 2 == 0 }, span).rows.sorted() == even.rows.sorted())
    }
}
