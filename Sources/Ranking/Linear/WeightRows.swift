/// Item-to-item weights in compressed rows, each by ascending column, built row by row on several threads.
enum WeightRows {
    /// How many weights an item keeps: fewer in large catalogs, to bound the file.
    static func limit(itemCount: Int) -> Int {
        itemCount <= 20_000 ? 200 : itemCount <= 100_000 ? 150 : itemCount <= 300_000 ? 64 : 24
    }

    static func bytes(items: Int) -> Int { items * min(items, limit(itemCount: items)) * 8 * 3 }

    /// Where items share what they may keep, an item keeps so many times the limit at most.
    static let largestShare = 4
    private static let drawnSources = 256

    /// The `limit` entries of a row that are largest by absolute value, of equal ones the first, by ascending column: sums over a history
    /// are faster when each list goes through memory in one direction. Zeros never, nor what is below `least`.
    struct Pruner {
        private var magnitudes: [Float]
        private var best = BestRows()
        private let limit: Int
        private let least: Float

        init(itemCount: Int, limit: Int, least: Float = 0) {
            magnitudes = [Float](repeating: 0, count: itemCount)
            (self.limit, self.least) = (limit, least)
        }

        mutating func prune(_ row: UnsafePointer<Float>, _ body: (Int32, Float) -> Void) {
            // By pointer: through the array each of the values would ask who else holds it.
            magnitudes.withUnsafeMutableBufferPointer { magnitudes in
                for column in magnitudes.indices { magnitudes[column] = abs(row[column]) }
            }
            let found = best.pick(limit, of: magnitudes, count: magnitudes.count, isOrdered: false)
            for index in 0..<found where best.scores[index] > 0 && best.scores[index] >= least && best.scores[index].isFinite {
                body(best.rows[index], row[Int(best.rows[index])])
            }
        }
    }

    /// Rows of a range of sources at a time: `fill` gets the range and room for its rows, zeroed, `width` values each, and
    /// its own thread's work space. Sources and columns are mapped to items by `items`; nil when they are items already. `sources`,
    /// where not all are wanted, are items themselves.
    ///
    /// - Parameter isShared: `limit` is that of the mean source: the largest weights of all are kept, so that sources with many large ones,
    ///   which histories hold most often, lose no more than others.
    static func build<Space>(
        width: Int, chunk: Int, limit: Int, isShared: Bool = false, itemCount: Int, items: [Int32]?, sources: [Int32]? = nil, threads: Int,
        _ span: ProgressSpan,
        makeSpace: @Sendable @escaping () -> Space,
        fill: @Sendable @escaping (Range<Int>, inout Space, UnsafeMutablePointer<Float>) -> Void
    ) throws(FitError) -> NeighborLists {
        let sourceCount = sources?.count ?? width
        let least = isShared ? floor(width: width, limit: limit, sourceCount: sourceCount, makeSpace: makeSpace, fill: fill) : 0
        let limit = min(isShared ? limit * largestShare : limit, width)
        let counts = SharedArray<Int32>(repeating: 0, count: sourceCount)
        let columns = SharedArray<Int32>(repeating: 0, count: sourceCount * limit)
        let values = SharedArray<Float>(repeating: 0, count: sourceCount * limit)
        try ParallelRows(threads: threads).run(count: sourceCount, chunk: chunk, span: span) {
            let worker = Worker(width: width, chunk: chunk, limit: limit, least: least, space: makeSpace())
            return { range in
                worker.build(range, fill: fill) { source, count, column, value in
                    columns.base[source * limit + count] = items.map { $0[Int(column)] } ?? column
                    values.base[source * limit + count] = value
                    counts.base[source] = Int32(count + 1)
                }
            }
        }
        return assemble(counts, columns, values, limit, itemCount, sources ?? items)
    }

    /// The magnitude that `limit` weights of the mean source reach, by sources spread evenly; to eight bits of its fraction.
    private static func floor<Space>(
        width: Int, limit: Int, sourceCount: Int, makeSpace: () -> Space,
        fill: (Range<Int>, inout Space, UnsafeMutablePointer<Float>) -> Void
    ) -> Float {
        let drawn = min(drawnSources, sourceCount)
        var counts = [Int](repeating: 0, count: 1 << 16)
        var space = makeSpace()
        var row = [Float](repeating: 0, count: width)
        for draw in 0..<drawn {
            let source = draw * sourceCount / drawn
            row.withUnsafeMutableBufferPointer { row in
                row.update(repeating: 0)
                if let base = row.baseAddress { fill(source..<source + 1, &space, base) }
                for value in row where value.isFinite { counts[Int(abs(value).bitPattern >> 15)] += 1 }
            }
        }
        var left = limit * drawn
        for bin in counts.indices.reversed() {
            left -= counts[bin]
            if left <= 0 { return Float(bitPattern: UInt32(bin) << 15) }
        }
        return 0
    }

    /// One thread's work space. Variables that the thread's closure captured instead would never be freed in optimized builds
    /// (Swift 6.3.1, by the leak sanitizer).
    private final class Worker<Space> {
        private let width: Int
        private var space: Space
        private var pruner: Pruner
        private var rows: [Float]

        init(width: Int, chunk: Int, limit: Int, least: Float, space: Space) {
            self.width = width
            self.space = space
            pruner = Pruner(itemCount: width, limit: limit, least: least)
            rows = [Float](repeating: 0, count: chunk * width)
        }

        /// Calls `kept` with each source's weights: source, how many came before, column, weight.
        func build(
            _ range: Range<Int>, fill: (Range<Int>, inout Space, UnsafeMutablePointer<Float>) -> Void,
            kept: (Int, Int, Int32, Float) -> Void
        ) {
            rows.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                base.update(repeating: 0, count: range.count * width)
                fill(range, &space, base)
                for source in range {
                    var count = 0
                    pruner.prune(base + (source - range.lowerBound) * width) { column, value in
                        kept(source, count, column, value)
                        count += 1
                    }
                }
            }
        }
    }

    private static func assemble(
        _ counts: SharedArray<Int32>, _ columns: SharedArray<Int32>, _ values: SharedArray<Float>, _ limit: Int,
        _ itemCount: Int, _ items: [Int32]?
    ) -> NeighborLists {
        var sources = [Int32](repeating: -1, count: itemCount)
        for source in 0..<counts.count { sources[items.map { Int($0[source]) } ?? source] = Int32(source) }
        var lists = NeighborLists()
        let total = (0..<counts.count).reduce(0) { $0 + Int(counts.base[$1]) }
        lists.rows.reserveCapacity(total)
        lists.strengths.reserveCapacity(total)
        lists.offsets.reserveCapacity(itemCount + 1)
        for source in sources {
            if source >= 0 {
                let count = Int(counts.base[Int(source)])
                lists.rows.append(contentsOf: UnsafeBufferPointer(start: columns.base + Int(source) * limit, count: count))
                lists.strengths.append(contentsOf: UnsafeBufferPointer(start: values.base + Int(source) * limit, count: count))
            }
            lists.offsets.append(UInt32(lists.rows.count))
        }
        return lists
    }
}
