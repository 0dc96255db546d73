import Foundation
import Kernels

/// An inverted file over item vectors (Jégou, Douze, Schmid 2011): every item stands in the list of its nearest mean, in eight
/// bits, and a query reads the lists that promise most.
///
/// A list promises mean . q + reach x spread x |q|. The mean alone would pass over lists whose items differ much, in which the few
/// with the largest products stand when vectors are of unequal length.
struct InvertedLists: Sendable {
    let listCount: Int
    private let itemCount: Int
    private let dimensions: Int
    private let means: MappedArray<Float>
    /// Per list the root mean square deviation of its items from the mean, along one direction.
    private let spreads: MappedArray<Float>
    /// Model row per place. A list starts at a multiple of 16 places; -1 fills up to the next.
    private let rows: MappedArray<Int32>
    private let blocks: MappedArray<UInt8>
    private let scales: MappedArray<Float>
    /// Places by list.
    private let starts: [Int]
    private let sizes: [Int]
    private let numbers: [Int32]
    private let path = kernels_best_path()

    /// The largest of a thousand normal draws lies 3.2 deviations above their mean, and lists hold some hundreds to thousands.
    private static let reach: Float = 3

    init(opening file: ModelFile, prefix: String, itemCount: Int, dimensions: Int) throws(ModelError) {
        let counts: MappedArray<Int32> = try file.array("\(prefix).lists.sizes", .int32)
        var starts: [Int] = []
        var places = 0
        var items = 0
        for size in counts.buffer {
            guard size >= 0, items + Int(size) <= itemCount else { throw .damaged("its inverted lists hold too many items") }
            starts.append(places)
            items += Int(size)
            places += Self.padded(Int(size))
        }
        guard items == itemCount, !starts.isEmpty else { throw .damaged("its inverted lists do not hold all items") }
        self.starts = starts
        self.itemCount = itemCount
        self.dimensions = dimensions
        sizes = counts.buffer.map { Int($0) }
        listCount = starts.count
        numbers = (0..<Int32(starts.count)).map { $0 }
        means = try file.floats("\(prefix).lists.means", count: listCount * dimensions)
        spreads = try file.floats("\(prefix).lists.spreads", count: listCount)
        rows = try file.array("\(prefix).lists.rows", .int32, count: places)
        blocks = try file.array("\(prefix).lists.int8", .uint8, count: places * dimensions)
        scales = try file.floats("\(prefix).lists.scales", count: places)
    }

    /// Places that a list of `size` items takes.
    static func padded(_ size: Int) -> Int {
        (size + EightBitBlocks.itemsPerBlock - 1) / EightBitBlocks.itemsPerBlock * EightBitBlocks.itemsPerBlock
    }

    /// Reads lists for the best `k` admitted rows by eight-bit products with the query; they are in `space.found` then.
    ///
    /// A filter that lets through one in s is taken to need s times the depth, where s is the less favorable of its share of all
    /// items and of those in the lists. False, with nothing found, when no number of lists is known to find so much: everything
    /// has to be looked at then.
    ///
    /// - Parameters:
    ///   - depth: how many rows the request is to find, at most `k`.
    ///   - words: the filter's bitmap, a word for every 64 rows; `share` of the items are admitted.
    func read(
        _ k: Int, _ query: [Float], depth: Int, allowed words: [UInt64]?, share: Double, _ probes: ListProbes, _ space: inout ListSpace
    ) -> Bool {
        space.found.removeAll(keepingCapacity: true)
        space.itemsRead = 0
        guard query.count == dimensions, let first = probes.lists(depth: Double(depth) / share) else { return false }
        promise(query, &space)
        var share = share
        var count = first
        while true {
            choose(count, &space)
            if let words { share = min(share, admit(words, &space)) }
            guard let needed = probes.lists(depth: Double(depth) / share) else {
                space.itemsRead = 0
                return false
            }
            if needed <= count { break }
            count = needed
        }
        scan(query, isFiltered: words != nil, &space)
        return pick(k, &space)
    }

    private func promise(_ query: [Float], _ space: inout ListSpace) {
        if space.promises.count != listCount { space.promises = [Float](repeating: 0, count: listCount) }
        kernels_dot_rows(path, means.base, dimensions, query, numbers, listCount, &space.promises)
        let step = Self.reach * kernels_sum_squares(path, query, dimensions).squareRoot()
        for list in 0..<listCount { space.promises[list] += step * spreads.buffer[list] }
    }

    /// The lists that promise most.
    private func choose(_ count: Int, _ space: inout ListSpace) {
        let found = space.best.pick(min(count, listCount), of: space.promises, count: listCount, isOrdered: false)
        space.lists.removeAll(keepingCapacity: true)
        space.lists.append(contentsOf: space.best.rows[..<found])
        space.placeCount = 0
        space.itemsRead = 0
        for list in space.lists {
            space.placeCount += Self.padded(sizes[Int(list)])
            space.itemsRead += sizes[Int(list)]
        }
    }

    /// Brings the bitmap into the order of the chosen lists, each from a word of its own; returns the share that is admitted.
    private func admit(_ words: [UInt64], _ space: inout ListSpace) -> Double {
        space.words.removeAll(keepingCapacity: true)
        var admitted = 0
        for list in space.lists.map({ Int($0) }) {
            for first in stride(from: starts[list], to: starts[list] + sizes[list], by: 64) {
                var word: UInt64 = 0
                for place in first..<min(first + 64, starts[list] + sizes[list]) {
                    let row = Int(rows.buffer[place])
                    guard row >= 0, row < itemCount else { continue }
                    word |= (words[row / 64] >> UInt64(row % 64) & 1) << UInt64(place - first)
                }
                admitted += word.nonzeroBitCount
                space.words.append(word)
            }
        }
        return space.itemsRead > 0 ? Double(admitted) / Double(space.itemsRead) : 0
    }

    /// Products of the chosen lists' items, list after list; -inf for what is not admitted.
    private func scan(_ query: [Float], isFiltered: Bool, _ space: inout ListSpace) {
        if space.totals.count < space.placeCount { space.totals = [Float](repeating: 0, count: space.placeCount) }
        space.query.removeAll(keepingCapacity: true)
        let step = query.withUnsafeBufferPointer { EightBitBlocks.quantize($0, appendingTo: &space.query) }
        let (lists, quantized, count) = (space.lists, space.query, space.placeCount)
        space.totals.withUnsafeMutableBufferPointer { totals in
            guard let base = totals.baseAddress, let blocks = blocks.base, let scales = scales.base else { return }
            base.update(repeating: 0, count: count)
            withWords(isFiltered ? space.words : nil) { words in
                var (at, word) = (0, 0)
                for list in lists.map({ Int($0) }) {
                    let size = sizes[list]
                    kernels_add_int8(
                        path, blocks + starts[list] * dimensions, scales + starts[list], size, dimensions / 4, quantized, 1,
                        words.map { $0 + word }, [step], 0, [base + at])
                    if let words { Self.exclude(words + word, size, base + at) }
                    for place in size..<Self.padded(size) { base[at + place] = -.infinity }
                    at += Self.padded(size)
                    word += (size + 63) / 64
                }
            }
        }
    }

    private static func exclude(_ words: UnsafePointer<UInt64>, _ size: Int, _ totals: UnsafeMutablePointer<Float>) {
        for word in 0..<(size + 63) / 64 {
            var left = ~words[word]
            while left != 0 {
                let place = word * 64 + left.trailingZeroBitCount
                if place < size { totals[place] = -.infinity }
                left &= left - 1
            }
        }
    }

    /// The rows of the best places; false when there are fewer than asked for, though the model has more.
    private func pick(_ k: Int, _ space: inout ListSpace) -> Bool {
        let count = space.best.pick(k, of: space.totals, count: space.placeCount, isOrdered: false)
        guard count == min(k, itemCount) else {
            space.itemsRead = 0
            return false
        }
        var ends: [Int] = []
        var end = 0
        for list in space.lists {
            end += Self.padded(sizes[Int(list)])
            ends.append(end)
        }
        for place in space.best.rows[..<count].map({ Int($0) }) {
            let position = ends.partitioningIndex { $0 > place }
            let list = Int(space.lists[position])
            let row = rows.buffer[starts[list] + place - (ends[position] - Self.padded(sizes[list]))]
            if row >= 0, Int(row) < itemCount { space.found.append(row) }
        }
        return true
    }
}

/// Work space for reading inverted lists.
struct ListSpace: Sendable {
    /// Rows that the last reading found.
    var found: [Int32] = []
    /// Items of the lists that the last reading took in; 0 when it found nothing.
    var itemsRead = 0
    fileprivate var promises: [Float] = []
    fileprivate var lists: [Int32] = []
    fileprivate var placeCount = 0
    fileprivate var words: [UInt64] = []
    fileprivate var totals: [Float] = []
    fileprivate var query: [Int8] = []
    fileprivate var best = BestRows()
}

extension Array {
    /// Of the first element that satisfies what all behind it satisfy; `count` when none does.
    fileprivate func partitioningIndex(_ belongsBehind: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if belongsBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
