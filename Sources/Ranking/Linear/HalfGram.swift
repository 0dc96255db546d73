/// The upper half of X'X of sparse rows. Columns are ordered by how many rows they are in, fewest first: so the frequent
/// ones, which nearly every regression reads, have the shortest rows here (the ordering of triangle counting).
struct HalfGram: Sendable {
    /// X, its columns as places in the order, ascending within a row.
    let rows: SparseRows
    /// Column of X per place, and place per column.
    let columns: [Int32]
    let places: [Int32]
    /// Diagonal of X'X by place.
    let diagonal: [Float]
    /// Row p, right of the diagonal, is at offsets[p]..<offsets[p + 1].
    private(set) var offsets: [Int] = [0]
    private(set) var others = SharedArray<Int32>(repeating: 0, count: 0)
    private(set) var values = SharedArray<Float>(repeating: 0, count: 0)
    private let byPlace: SparseRows

    init(_ sources: SparseRows, width: Int) {
        var counts = [Int32](repeating: 0, count: width)
        for column in sources.columns { counts[Int(column)] += 1 }
        columns = (0..<Int32(width)).sorted { (counts[Int($0)], $0) < (counts[Int($1)], $1) }
        var places = [Int32](repeating: 0, count: width)
        for (place, column) in columns.enumerated() { places[Int(column)] = Int32(place) }
        self.places = places
        var relabelled = sources
        for position in relabelled.columns.indices { relabelled.columns[position] = places[Int(relabelled.columns[position])] }
        byPlace = relabelled.transposed(columnCount: width)
        // Transposed twice, the columns of every row ascend.
        rows = byPlace.transposed(columnCount: sources.rowCount)
        var diagonal = [Float](repeating: 0, count: width)
        for position in rows.columns.indices { diagonal[Int(rows.columns[position])] += rows.values[position] * rows.values[position] }
        self.diagonal = diagonal
    }

    /// Multiplies. False, with nothing held, when the half would take more than `budgetBytes`.
    mutating func multiply(threads: Int, budgetBytes: Int, _ span: ProgressSpan) throws(FitError) -> Bool {
        let width = columns.count
        let counts = SharedArray<Int32>(repeating: 0, count: width)
        let operands = (byPlace, rows)
        try ParallelRows(threads: threads).run(count: width, chunk: 32, span: span.part(0, 0.4)) {
            var sums = SparseSums(width: width)
            return { range in
                for place in range {
                    Self.collect(place, operands.0, operands.1, &sums)
                    counts.base[place] = Int32(sums.touched.count)
                    sums.clear()
                }
            }
        }
        let offsets = prefixTotals(counts)
        guard let total = offsets.last, total * 8 <= budgetBytes else { return false }
        let others = SharedArray<Int32>(repeating: 0, count: total)
        let values = SharedArray<Float>(repeating: 0, count: total)
        try ParallelRows(threads: threads).run(count: width, chunk: 32, span: span.part(0.4, 1)) {
            var sums = SparseSums(width: width)
            return { range in
                for place in range {
                    Self.collect(place, operands.0, operands.1, &sums)
                    for (index, other) in sums.touched.enumerated() {
                        others.base[offsets[place] + index] = other
                        values.base[offsets[place] + index] = sums.values[Int(other)]
                    }
                    sums.clear()
                }
            }
        }
        self.offsets = offsets
        self.others = others
        self.values = values
        return true
    }

    private static func collect(_ place: Int, _ byPlace: SparseRows, _ rows: SparseRows, _ sums: inout SparseSums) {
        for entry in byPlace.offsets[place]..<byPlace.offsets[place + 1] {
            let row = Int(byPlace.columns[entry])
            var position = rows.offsets[row + 1] - 1
            while Int(rows.columns[position]) > place {
                sums.add(rows.columns[position], byPlace.values[entry] * rows.values[position])
                position -= 1
            }
        }
    }

    private func prefixTotals(_ counts: SharedArray<Int32>) -> [Int] {
        var offsets = [0]
        offsets.reserveCapacity(columns.count + 1)
        var total = 0
        for place in columns.indices {
            total += Int(counts.base[place])
            offsets.append(total)
        }
        return offsets
    }
}

/// Sums by column of which few are not zero.
struct SparseSums {
    private(set) var values: [Float]
    private(set) var touched: [Int32] = []
    private var isTouched: [Bool]

    init(width: Int) {
        values = [Float](repeating: 0, count: width)
        isTouched = [Bool](repeating: false, count: width)
    }

    mutating func add(_ column: Int32, _ value: Float) {
        let index = Int(column)
        if !isTouched[index] {
            isTouched[index] = true
            touched.append(column)
        }
        values[index] += value
    }

    mutating func clear() {
        for column in touched {
            values[Int(column)] = 0
            isTouched[Int(column)] = false
        }
        touched.removeAll(keepingCapacity: true)
    }
}
