/// Item-to-item weights out of features alone: how much an item of a history speaks for an item, whether or not anybody met it.
///
/// The weight is the product of two items' rows: their cosine, or of what `ContentSpace` leaves. Every item keeps the sources that
/// matter most to it, so that items without events get as many as any.
struct ContentFit: Sendable {
    private let rows: SparseRows
    private let featureCount: Int
    /// Sources that one item keeps.
    let limit: Int
    let threads: Int

    /// Catalogs above this keep only the sums that occur.
    private var denseItems = 60_000
    /// Multiplications that all weights together may take; features that too many items have are left out.
    static let workLimit = 3e9

    private var itemCount: Int { rows.rowCount }

    /// Weights are the features' cosines.
    init(features: FeatureRows, limit: Int, threads: Int, denseItems: Int = 60_000) {
        self.denseItems = denseItems
        (rows, featureCount) = (features.rows.withUnitRows(), features.featureCount)
        (self.limit, self.threads) = (limit, threads)
    }

    /// Weights are what the directions of a space do not tell.
    init(space: ContentSpace, limit: Int, threads: Int) {
        (rows, featureCount) = (space.rest, space.featureCount)
        (self.limit, self.threads) = (limit, threads)
    }

    /// By source, for the targets alone.
    func likeness(targets: [Int32], _ span: ProgressSpan) throws(FitError) -> NeighborLists {
        try alike(targets, span).transposed()
    }

    /// What is most like each of some items, by ascending row; the others have no lists.
    /// - Parameter sources: what may be in the lists; everything when nil.
    func alike(_ wanted: [Int32], among sources: [Bool]? = nil, _ span: ProgressSpan) throws(FitError) -> NeighborLists {
        let items = itemCount
        var lengths = [Int](repeating: 0, count: featureCount)
        for feature in rows.columns { lengths[Int(feature)] += 1 }
        let longest = Self.longest(lengths)
        let kept = (sources.map { rows.keepingRows($0) } ?? rows).transposed(columnCount: featureCount)
            .keepingRows(lengths.map { $0 <= longest })
        if items > denseItems { return try sparselyAlike(wanted, kept, span) }
        let product = SparseProduct(turned: rows, kept, width: items)
        return try WeightRows.build(
            width: items, chunk: 1, limit: limit, itemCount: items, items: nil, sources: wanted, threads: threads, span, makeSpace: {}
        ) { range, _, out in
            for place in range {
                let row = out + (place - range.lowerBound) * items
                product.add(Int(wanted[place]), to: row)
                row[Int(wanted[place])] = 0
            }
        }
    }

    private func sparselyAlike(_ wanted: [Int32], _ byFeature: SparseRows, _ span: ProgressSpan) throws(FitError) -> NeighborLists {
        let (rows, limit) = (rows, limit)
        return try NeighborLists.build(itemCount: itemCount, of: wanted, limit: limit, threads: threads, span) { item, accumulator in
            for entry in rows.offsets[item]..<rows.offsets[item + 1] {
                let feature = Int(rows.columns[entry])
                for position in byFeature.offsets[feature]..<byFeature.offsets[feature + 1] {
                    accumulator.add(byFeature.columns[position], rows.values[entry] * byFeature.values[position])
                }
            }
            return accumulator.drain(limit: limit) { row, sum, _ in Int(row) == item ? 0 : sum }
        }.byRow()
    }

    /// The longest a feature's list of items may be for the sum of squares to stay within the work limit.
    private static func longest(_ lengths: [Int]) -> Int {
        var work = 0.0
        for length in lengths.sorted() {
            work += Double(length) * Double(length)
            if work > workLimit { return max(1, length - 1) }
        }
        return lengths.max() ?? 0
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

    /// Every value times its column's scale; zeros are dropped.
    func scalingColumns(_ scales: [Float]) -> SparseRows {
        var result = SparseRows()
        result.offsets.reserveCapacity(offsets.count)
        for row in 0..<rowCount {
            forEach(in: row) { column, value in
                guard scales[column] != 0 else { return }
                result.columns.append(Int32(column))
                result.values.append(value * scales[column])
            }
            result.offsets.append(result.columns.count)
        }
        return result
    }

    /// Rows that are not wanted become empty.
    func keepingRows(_ wanted: [Bool]) -> SparseRows {
        var result = SparseRows()
        result.offsets.reserveCapacity(offsets.count)
        result.columns.reserveCapacity(columns.count)
        result.values.reserveCapacity(values.count)
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
