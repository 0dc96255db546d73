import Foundation

/// The best neighbors of every item as compressed rows: strongest first, equal strengths by ascending row, unless whoever makes them
/// says otherwise.
struct NeighborLists: Sendable {
    var offsets: [UInt32] = [0]
    var rows: [Int32] = []
    var strengths: [Float] = []

    /// Each list by ascending row, as sums are fastest.
    func byRow() -> NeighborLists {
        var result = self
        for list in 0..<offsets.count - 1 {
            let range = Int(offsets[list])..<Int(offsets[list + 1])
            // As one number, row first, rows being no less than 0.
            let pairs = range.map { UInt64(UInt32(bitPattern: rows[$0])) << 32 | UInt64(strengths[$0].bitPattern) }.sorted()
            for (place, pair) in zip(range, pairs) {
                result.rows[place] = Int32(truncatingIfNeeded: pair >> 32)
                result.strengths[place] = Float(bitPattern: UInt32(truncatingIfNeeded: pair))
            }
        }
        return result
    }
}

/// Adds up strengths towards other items for one item at a time, then keeps the best.
struct NeighborAccumulator {
    private var sums: [Float]
    private var counts: [Int32]
    private(set) var touched: [Int32] = []
    private var best = BestRows()

    init(itemCount: Int) {
        sums = [Float](repeating: 0, count: itemCount)
        counts = [Int32](repeating: 0, count: itemCount)
    }

    mutating func add(_ row: Int32, _ strength: Float) {
        let index = Int(row)
        if counts[index] == 0 { touched.append(row) }
        counts[index] += 1
        sums[index] += strength
    }

    /// Empties the accumulator into at most `limit` pairs. `strength` maps (row, sum, count) to a strength; rows of
    /// strength 0 or below are dropped.
    mutating func drain(limit: Int, strength: (Int32, Float, Int32) -> Float) -> [(row: Int32, strength: Float)] {
        for row in touched {
            let index = Int(row)
            let value = strength(row, sums[index], counts[index])
            sums[index] = value > 0 && value.isFinite ? value : -.infinity
        }
        let found = best.pick(limit, of: sums, among: touched, isOrdered: true)
        for row in touched {
            sums[Int(row)] = 0
            counts[Int(row)] = 0
        }
        touched.removeAll(keepingCapacity: true)
        return (0..<found).map { (best.rows[$0], best.scores[$0]) }
    }
}

extension NeighborLists {
    /// Fits lists on own threads, those of some items or of all; `list` gets an item and the thread's accumulator.
    /// - Parameter width: of the accumulator, where it is to hold something else than items as well.
    static func build(
        itemCount: Int, of items: [Int32]? = nil, width: Int = 0, limit: Int, threads: Int, _ span: ProgressSpan,
        list: @Sendable @escaping (Int, inout NeighborAccumulator) -> [(row: Int32, strength: Float)]
    ) throws(FitError) -> NeighborLists {
        let listCount = items?.count ?? itemCount
        var rows = [Int32](repeating: 0, count: listCount * limit)
        var strengths = [Float](repeating: 0, count: listCount * limit)
        var counts = [Int32](repeating: 0, count: listCount)
        var failure: FitError?
        rows.withUnsafeMutableBufferPointer { rowBuffer in
            strengths.withUnsafeMutableBufferPointer { strengthBuffer in
                counts.withUnsafeMutableBufferPointer { countBuffer in
                    guard let rowBase = rowBuffer.baseAddress, let strengthBase = strengthBuffer.baseAddress,
                        let countBase = countBuffer.baseAddress
                    else { return }
                    let rowOut = SharedBuffer(pointer: rowBase)
                    let strengthOut = SharedBuffer(pointer: strengthBase)
                    let countOut = SharedBuffer(pointer: countBase)
                    do throws(FitError) {
                        try ParallelRows(threads: threads).run(count: listCount, chunk: 16, span: span) {
                            var accumulator = NeighborAccumulator(itemCount: max(itemCount, width))
                            return { range in
                                for place in range {
                                    let best = list(items.map { Int($0[place]) } ?? place, &accumulator)
                                    countOut.pointer[place] = Int32(best.count)
                                    for (index, entry) in best.enumerated() {
                                        rowOut.pointer[place * limit + index] = entry.row
                                        strengthOut.pointer[place * limit + index] = entry.strength
                                    }
                                }
                            }
                        }
                    } catch { failure = error }
                }
            }
        }
        if let failure { throw failure }
        var lists = NeighborLists()
        lists.offsets.reserveCapacity(itemCount + 1)
        var places = [Int](repeating: -1, count: itemCount)
        for place in 0..<listCount { places[items.map { Int($0[place]) } ?? place] = place }
        for place in places {
            if place >= 0 {
                let range = place * limit..<place * limit + Int(counts[place])
                lists.rows.append(contentsOf: rows[range])
                lists.strengths.append(contentsOf: strengths[range])
            }
            lists.offsets.append(UInt32(lists.rows.count))
        }
        return lists
    }

    /// How many neighbors an item keeps: fewer in very large catalogs, to bound the memory.
    static func limit(itemCount: Int) -> Int { itemCount <= 200_000 ? 100 : itemCount <= 1_000_000 ? 40 : 16 }
}

/// Related items by the users they share.
struct CointeractionFit: Sendable {
    /// 0 ranks by common users alone, 0.5 is the cosine, 1 discounts popularity fully.
    var popularityDiscount: Float
    var minimumCount: Int
    /// Added to the denominator, so that few common users prove little.
    var shrinkage: Float
    var threads: Int

    /// strength(i, j) = c_ij / ((n_i n_j)^discount + shrinkage), c common users, n users; 0 below the minimum count.
    func fit(_ byUser: SparseRows, itemCount: Int, _ span: ProgressSpan) throws(FitError) -> NeighborLists {
        let byItem = byUser.transposed(columnCount: itemCount)
        let discounted = (0..<itemCount).map { item in
            powf(Float(byItem.offsets[item + 1] - byItem.offsets[item]), popularityDiscount)
        }
        let limit = NeighborLists.limit(itemCount: itemCount)
        return try NeighborLists.build(itemCount: itemCount, limit: limit, threads: threads, span) { item, accumulator in
            for entry in byItem.offsets[item]..<byItem.offsets[item + 1] {
                let user = Int(byItem.columns[entry])
                for position in byUser.offsets[user]..<byUser.offsets[user + 1] {
                    accumulator.add(byUser.columns[position], 1)
                }
            }
            return accumulator.drain(limit: limit) { row, sum, count in
                if Int(row) == item || Int(count) < minimumCount { return 0 }
                return sum / (discounted[item] * discounted[Int(row)] + shrinkage)
            }
        }
    }
}
