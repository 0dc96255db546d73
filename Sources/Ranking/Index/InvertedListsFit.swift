import CBLAS
import Foundation
import Kernels

/// Sorts item vectors into inverted lists: Lloyd's k-means on a bounded sample, then every item to its nearest mean.
///
/// Means are near by Euclidean distance of the vectors as they are. Long vectors, which most of the largest products belong to,
/// get lists of their own that way; with vectors brought to one length more than ten times as many items had to be read for the
/// same recall.
struct InvertedListsFit: Sendable {
    var seed: UInt64
    var threads: Int

    /// Up to here a query reads all vectors in some 4 ms of CPU, and needs no second copy of them.
    static let usualThreshold = 1_000_000
    private static let samplePerList = 64
    private static let rounds = 8
    private static let chunk = 256

    /// Twice the square root of the items: as many means as items are read then, when one list in some fifty is.
    static func listCount(items: Int) -> Int { max(1, min(items, Int(2 * Double(items).squareRoot()))) }

    /// What the fit and the choice of probes take beside the vectors: a copy in eight bits, twice while it is opened, rows and lists,
    /// and the sample.
    static func peakBytes(items: Int, dimensions: Int, threads: Int) -> Int {
        let lists = listCount(items: items)
        return items * (2 * dimensions + 32) + lists * dimensions * 4 * (samplePerList + 8) + threads * (chunk * lists * 4 + items * 16)
    }

    /// The sections that `InvertedLists` opens.
    func fit(_ vectors: ItemVectors, prefix: String, _ span: ProgressSpan) throws(FitError) -> [SectionContent] {
        NormalEquations.useOneThreadInside()
        let d = vectors.dimensions
        let drawn = SharedArray(drawn(vectors))
        let sample = MappedArray(buffer: UnsafeBufferPointer(start: drawn.base, count: drawn.count))
        var means = firstMeans(sample.buffer, d, lists: min(Self.listCount(items: vectors.itemCount), max(1, sample.count / d)))
        for round in 0..<Self.rounds {
            let part = span.part(Double(round) * 0.06, Double(round + 1) * 0.06)
            means = moved(means, sample.buffer, d, to: try nearest(sample, to: means, d, part))
        }
        withExtendedLifetime(drawn) {}
        let assigned = try nearest(vectors.factors, to: means, d, span.part(0.5, 0.95))
        return try sections(vectors, assigned, lists: means.count / d, prefix: prefix, span.part(0.95, 1))
    }

    /// One vector from each of as many stretches of rows, row-major; those without length say nothing.
    private func drawn(_ vectors: ItemVectors) -> [Float] {
        let (items, d) = (vectors.itemCount, vectors.dimensions)
        let wanted = min(items, Self.samplePerList * Self.listCount(items: items))
        var random = RandomSource(seed: seed ^ 0x6C69_7374_7331)
        var sample: [Float] = []
        sample.reserveCapacity(wanted * d)
        for stretch in 0..<wanted {
            let range = stretch * items / wanted..<(stretch + 1) * items / wanted
            let row = range.lowerBound + Int(random.uniform() * Double(range.count))
            let vector = vectors.factors.buffer[row * d..<(row + 1) * d]
            if vector.contains(where: { $0 != 0 }) { sample += vector }
        }
        return sample
    }

    private func firstMeans(_ sample: UnsafeBufferPointer<Float>, _ d: Int, lists: Int) -> [Float] {
        let count = sample.count / d
        if count == 0 { return [Float](repeating: 0, count: d) }
        return (0..<lists).flatMap { list in
            let row = list * count / lists
            return sample[row * d..<(row + 1) * d]
        }
    }

    /// The list of each vector: that with the greatest vector . mean - |mean|^2 / 2.
    private func nearest(_ vectors: MappedArray<Float>, to means: [Float], _ d: Int, _ span: ProgressSpan) throws(FitError) -> [Int32] {
        let lists = means.count / d
        let path = kernels_best_path()
        let halves = (0..<lists).map { list in
            means.withUnsafeBufferPointer { -kernels_sum_squares(path, $0.baseAddress.map { $0 + list * d }, d) / 2 }
        }
        let count = vectors.count / d
        let assigned = SharedArray<Int32>(repeating: 0, count: count)
        try ParallelRows(threads: threads).run(count: count, chunk: Self.chunk, span: span) {
            var products = [Float](repeating: 0, count: Self.chunk * lists)
            var best = BestRows()
            return { range in
                products.withUnsafeMutableBufferPointer { products in
                    guard let base = products.baseAddress, let rows = vectors.base else { return }
                    for row in 0..<range.count { (base + row * lists).update(from: halves, count: lists) }
                    cblas_sgemm(
                        CblasRowMajor, CblasNoTrans, CblasTrans, Int32(range.count), Int32(lists), Int32(d), 1,
                        rows + range.lowerBound * d, Int32(d), means, Int32(d), 1, base, Int32(lists))
                    for row in 0..<range.count {
                        let found = best.pick(1, of: base + row * lists, count: lists, isOrdered: false)
                        assigned.base[range.lowerBound + row] = found > 0 ? best.rows[0] : 0
                    }
                }
            }
        }
        return Array(UnsafeBufferPointer(start: assigned.base, count: count))
    }

    /// Means of what is assigned to each list. A list that got nothing takes half of the largest: both start beside its mean.
    private func moved(_ means: [Float], _ sample: UnsafeBufferPointer<Float>, _ d: Int, to assigned: [Int32]) -> [Float] {
        let lists = means.count / d
        var (sums, counts) = Self.sums(sample, assigned, d, lists: lists)
        for list in 0..<lists where counts[list] > 0 {
            for index in list * d..<(list + 1) * d { sums[index] /= Double(counts[list]) }
        }
        for list in 0..<lists where counts[list] == 0 {
            guard let largest = counts.indices.max(by: { counts[$0] < counts[$1] }) else { continue }
            for index in 0..<d {
                let value = sums[largest * d + index]
                let step = index % 2 == 0 ? 1.0 / 1024 : -1.0 / 1024
                sums[list * d + index] = value * (1 + step)
                sums[largest * d + index] = value * (1 - step)
            }
            counts[list] = counts[largest] / 2
            counts[largest] -= counts[list]
        }
        return sums.map { Float($0) }
    }

    private static func sums(
        _ vectors: UnsafeBufferPointer<Float>, _ assigned: [Int32], _ d: Int, lists: Int
    ) -> (sums: [Double], counts: [Int]) {
        var sums = [Double](repeating: 0, count: lists * d)
        var counts = [Int](repeating: 0, count: lists)
        for (row, list) in assigned.enumerated().lazy.map({ ($0, Int($1)) }) {
            counts[list] += 1
            for index in 0..<d { sums[list * d + index] += Double(vectors[row * d + index]) }
        }
        return (sums, counts)
    }

    private func sections(
        _ vectors: ItemVectors, _ assigned: [Int32], lists: Int, prefix: String, _ span: ProgressSpan
    ) throws(FitError) -> [SectionContent] {
        let d = vectors.dimensions
        let (sums, counts) = Self.sums(vectors.factors.buffer, assigned, d, lists: lists)
        let means = sums.indices.map { Float(sums[$0] / Double(max(1, counts[$0 / d]))) }
        try span.reporter.poll(span.share(0.2))
        let spreads = spreads(vectors, assigned, means, counts)
        try span.reporter.poll(span.share(0.4))
        let rows = places(assigned, counts)
        let blocks = EightBitBlocks(vectors.factors.buffer, dimensions: d, places: rows)
        try span.reporter.poll(span.share(1))
        return [
            SectionContent("\(prefix).lists.sizes", counts.map { Int32($0) }),
            SectionContent("\(prefix).lists.means", means, columns: d), SectionContent("\(prefix).lists.spreads", spreads),
            SectionContent("\(prefix).lists.rows", rows), SectionContent("\(prefix).lists.int8", blocks.bytes),
            SectionContent("\(prefix).lists.scales", blocks.scales),
        ]
    }

    private func spreads(_ vectors: ItemVectors, _ assigned: [Int32], _ means: [Float], _ counts: [Int]) -> [Float] {
        let d = vectors.dimensions
        var squares = [Double](repeating: 0, count: counts.count)
        for (row, list) in assigned.enumerated().lazy.map({ ($0, Int($1)) }) {
            for index in 0..<d {
                let difference = Double(vectors.factors.buffer[row * d + index] - means[list * d + index])
                squares[list] += difference * difference
            }
        }
        return squares.indices.map { Float((squares[$0] / Double(max(1, counts[$0]) * d)).squareRoot()) }
    }

    /// Rows list after list, each in ascending order, with -1 up to the start of the next.
    private func places(_ assigned: [Int32], _ counts: [Int]) -> [Int32] {
        var next: [Int] = []
        var end = 0
        for count in counts {
            next.append(end)
            end += InvertedLists.padded(count)
        }
        var rows = [Int32](repeating: -1, count: end)
        for (row, list) in assigned.enumerated().lazy.map({ ($0, Int($1)) }) {
            rows[next[list]] = Int32(row)
            next[list] += 1
        }
        return rows
    }
}
