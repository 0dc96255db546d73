import Kernels

/// Item-to-item weights out of features alone: how much an item of a history speaks for an item, whether or not anybody met it.
///
/// Two forms. Likeness is the cosine of two items' features. The ridge regresses every user's history (1 for items that the
/// user met, 0 for others) on the features, x_u = F w_u, and so learns which features carry taste: score = F w_u with
/// w_u = (F'F + ridge I)^-1 F'x_u. That is linear in the history: the weight from item i to item j is f_j' M f_i with
/// M = (F'F + ridge I)^-1 over the items that have events. Weights of an item are kept for the sources that matter most to it,
/// so that items without events get as many as any.
struct ContentFit: Sendable {
    let features: FeatureRows
    /// Sources that one item keeps.
    let limit: Int
    let threads: Int

    /// Catalogs above this keep only the sums that occur, and leave out features that too many items have.
    static let denseItems = 60_000
    /// Multiplications that all weights together may take.
    private static let workLimit = 4e10

    private var itemCount: Int { features.rows.rowCount }

    /// Weights by source, for the targets alone; the features' cosines.
    func likeness(targets: [Bool], _ span: ProgressSpan) throws(FitError) -> NeighborLists {
        let items = itemCount
        let unit = features.rows.withUnitRows()
        var byFeature = unit.transposed(columnCount: features.featureCount)
        byFeature.dropRows(longerThan: rowLimit(byFeature))
        let kept = byFeature
        let byTarget: NeighborLists
        if items > Self.denseItems {
            byTarget = try sparseLikeness(unit, kept, targets, span.part(0, 0.9))
        } else {
            let product = SparseProduct(kept, leftWidth: items, kept, rightWidth: items)
            byTarget = try WeightRows.build(
                width: items, chunk: 1, limit: limit, itemCount: items, items: nil, threads: threads, span.part(0, 0.9), makeSpace: {}
            ) { range, _, out in
                for target in range where targets[target] {
                    product.add(target, to: out + (target - range.lowerBound) * items)
                    out[(target - range.lowerBound) * items + target] = 0
                }
            }
        }
        return byTarget.transposed()
    }

    private func sparseLikeness(
        _ unit: SparseRows, _ byFeature: SparseRows, _ targets: [Bool], _ span: ProgressSpan
    ) throws(FitError) -> NeighborLists {
        let limit = limit
        return try NeighborLists.build(itemCount: itemCount, limit: limit, threads: threads, span) { item, accumulator in
            guard targets[item] else { return [] }
            for entry in unit.offsets[item]..<unit.offsets[item + 1] {
                let feature = Int(unit.columns[entry])
                for position in byFeature.offsets[feature]..<byFeature.offsets[feature + 1] {
                    accumulator.add(byFeature.columns[position], unit.values[entry] * byFeature.values[position])
                }
            }
            return accumulator.drain(limit: limit) { row, sum, _ in Int(row) == item ? 0 : sum }
        }
    }

    /// The longest a feature's list of items may be for the sum of squares to stay within the work limit.
    private func rowLimit(_ byFeature: SparseRows) -> Int {
        let lengths = (0..<byFeature.rowCount).map { byFeature.offsets[$0 + 1] - byFeature.offsets[$0] }.sorted()
        var work = 0.0
        for length in lengths {
            work += Double(length) * Double(length)
            if work > Self.workLimit { return max(1, length - 1) }
        }
        return lengths.last ?? 0
    }
}

/// The ridge, solved: M over the features that most items have.
struct ContentRidge: Sendable {
    /// Items x places, the features beyond the limit dropped.
    private let rows: SparseRows
    /// M, places x places.
    private let inverse: SharedArray<Float>
    private let size: Int

    /// - Parameter learned: the items whose events count. Nil when the matrix cannot be inverted or there is no feature.
    init?(
        _ features: FeatureRows, learned: [Bool], ridge: Float, featureLimit: Int, threads: Int, _ span: ProgressSpan
    ) throws(FitError) {
        rows = features.rows.keepingCommonColumns(featureLimit, columnCount: features.featureCount)
        let size = min(featureLimit, features.featureCount)
        self.size = size
        guard size > 0 else { return nil }
        let known = rows.keepingRows(learned)
        inverse = try SparseProduct(known, leftWidth: size, known, rightWidth: size).dense(
            rows: size, threads: threads, span.part(0, 0.2))
        for index in 0..<size { inverse.base[index * size + index] += ridge }
        guard try SymmetricInverse(matrix: inverse, size: size, threads: threads).invert(span.part(0.2, 1)) else { return nil }
    }

    /// M f of one item into `out`, zeroed before.
    private func project(_ item: Int, _ out: UnsafeMutablePointer<Float>) {
        for index in 0..<size { out[index] = 0 }
        for position in rows.offsets[item]..<rows.offsets[item + 1] {
            kernels_add_scaled(
                kernels_best_path(), inverse.base + Int(rows.columns[position]) * size, size, rows.values[position], out)
        }
    }

    private func product(_ item: Int, _ vector: UnsafePointer<Float>) -> Float {
        var sum: Float = 0
        for position in rows.offsets[item]..<rows.offsets[item + 1] {
            sum += rows.values[position] * vector[Int(rows.columns[position])]
        }
        return sum
    }

    /// Weights by source, for the targets alone. In catalogs too large for all pairs, only those of `candidates`, which are
    /// lists by source too.
    func weights(
        targets: [Bool], limit: Int, candidates: NeighborLists?, threads: Int, _ span: ProgressSpan
    ) throws(FitError) -> NeighborLists {
        let items = rows.rowCount
        let size = size
        if let candidates { return try weights(of: candidates, threads: threads, span) }
        return try WeightRows.build(
            width: items, chunk: 1, limit: limit, itemCount: items, items: nil, threads: threads, span.part(0, 0.95),
            makeSpace: { [Float](repeating: 0, count: size) }
        ) { range, space, out in
            space.withUnsafeMutableBufferPointer { space in
                guard let vector = space.baseAddress else { return }
                for target in range where targets[target] {
                    project(target, vector)
                    let row = out + (target - range.lowerBound) * items
                    for item in 0..<items where item != target { row[item] = product(item, vector) }
                }
            }
        }.transposed()
    }

    private func weights(of candidates: NeighborLists, threads: Int, _ span: ProgressSpan) throws(FitError) -> NeighborLists {
        var result = candidates
        let values = SharedArray<Float>(repeating: 0, count: candidates.rows.count)
        let size = size
        try ParallelRows(threads: threads).run(count: rows.rowCount, chunk: 16, span: span) {
            var space = [Float](repeating: 0, count: size)
            return { range in
                space.withUnsafeMutableBufferPointer { space in
                    guard let vector = space.baseAddress else { return }
                    for source in range where candidates.offsets[source] < candidates.offsets[source + 1] {
                        project(source, vector)
                        for position in Int(candidates.offsets[source])..<Int(candidates.offsets[source + 1]) {
                            values.base[position] = product(Int(candidates.rows[position]), vector)
                        }
                    }
                }
            }
        }
        result.strengths = Array(UnsafeBufferPointer(start: values.base, count: candidates.rows.count))
        return result
    }

    /// The ridge's estimate of a level per item from the levels of the learned items: mean + f' M F'(y - mean), not below 0.
    func levels(_ known: [Float], learned: [Bool]) -> [Float] {
        var sum: Float = 0
        var count: Float = 0
        for item in known.indices where learned[item] {
            sum += known[item]
            count += 1
        }
        let mean = sum / max(1, count)
        var moment = [Float](repeating: 0, count: size)
        for item in known.indices where learned[item] {
            for position in rows.offsets[item]..<rows.offsets[item + 1] {
                moment[Int(rows.columns[position])] += rows.values[position] * (known[item] - mean)
            }
        }
        var solved = [Float](repeating: 0, count: size)
        for place in 0..<size where moment[place] != 0 {
            kernels_add_scaled(kernels_best_path(), inverse.base + place * size, size, moment[place], &solved)
        }
        return known.indices.map { max(0, mean + product($0, solved)) }
    }
}

extension SparseRows {
    /// Every row divided by its length.
    func withUnitRows() -> SparseRows {
        var result = self
        for row in 0..<rowCount {
            let range = offsets[row]..<offsets[row + 1]
            let length = range.reduce(Float(0)) { $0 + values[$1] * values[$1] }.squareRoot()
            if length > 0 { for position in range { result.values[position] /= length } }
        }
        return result
    }

    mutating func dropRows(longerThan limit: Int) {
        self = keepingRows((0..<rowCount).map { offsets[$0 + 1] - offsets[$0] <= limit })
    }

    /// Rows that are not wanted become empty.
    func keepingRows(_ wanted: [Bool]) -> SparseRows {
        var result = SparseRows()
        result.offsets.reserveCapacity(offsets.count)
        for row in 0..<rowCount {
            if wanted[row] {
                result.columns.append(contentsOf: columns[offsets[row]..<offsets[row + 1]])
                result.values.append(contentsOf: values[offsets[row]..<offsets[row + 1]])
            }
            result.offsets.append(result.columns.count)
        }
        return result
    }

    /// The columns with the most entries, renumbered from 0 in their order; of equal ones the first.
    func keepingCommonColumns(_ limit: Int, columnCount: Int) -> SparseRows {
        guard columnCount > limit else { return self }
        var counts = [Int32](repeating: 0, count: columnCount)
        for column in columns { counts[Int(column)] += 1 }
        let kept = counts.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }.prefix(limit).sorted()
        var places = [Int32](repeating: -1, count: columnCount)
        for (place, column) in kept.enumerated() { places[column] = Int32(place) }
        var result = SparseRows()
        result.offsets.reserveCapacity(offsets.count)
        for row in 0..<rowCount {
            for position in offsets[row]..<offsets[row + 1] where places[Int(columns[position])] >= 0 {
                result.columns.append(places[Int(columns[position])])
                result.values.append(values[position])
            }
            result.offsets.append(result.columns.count)
        }
        return result
    }
}

extension NeighborLists {
    /// Lists by the other side: of a square matrix its transpose, rows in ascending order.
    func transposed() -> NeighborLists {
        var rows = SparseRows()
        rows.offsets = offsets.map { Int($0) }
        rows.columns = self.rows
        rows.values = strengths
        let turned = rows.transposed(columnCount: offsets.count - 1)
        var result = NeighborLists()
        result.offsets = turned.offsets.map { UInt32($0) }
        result.rows = turned.columns
        result.strengths = turned.values
        return result
    }
}
