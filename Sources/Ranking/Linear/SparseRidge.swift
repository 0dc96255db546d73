import CBLAS

/// Ridge regressions of every target item on the few sources that tell most of it: the closed forms of EASE and of the
/// next-item model where an item-by-item matrix would be too large (the neighborhoods of Ning and Karypis 2011, "SLIM",
/// section 3.2, with a quadratic penalty alone). w_j = (G_NN + ridge I)^-1 c_j over j's neighborhood N; with all sources in
/// N it is the dense solution.
struct SparseRidge: Sendable {
    var ridge: Float
    /// Sources per target, 255 at most.
    var neighbors: Int
    var threads: Int
    /// Weights below this share of a target's strongest do not pay for their memory.
    var leastShare: Float = 0.01

    /// `targets` has the rows of the sources. `excludesSelf` keeps an item from foretelling itself. `scales` are per
    /// target. `items` maps columns to the item rows of the result.
    func fit(
        _ gram: HalfGram, targets: SparseRows, excludesSelf: Bool, scales: [Float], items: [Int32], itemCount: Int,
        _ span: ProgressSpan
    ) throws(FitError) -> NeighborLists {
        NormalEquations.useOneThreadInside()
        let width = gram.columns.count
        let byTarget = targets.transposed(columnCount: width)
        let limit = min(neighbors, width, Int(UInt8.max))
        let counts = SharedArray<Int32>(repeating: 0, count: width)
        let sources = SharedArray<Int32>(repeating: 0, count: width * limit)
        let weights = SharedArray<Float>(repeating: 0, count: width * limit)
        let (ridge, leastShare) = (ridge, leastShare)
        try ParallelRows(threads: threads).run(count: width, chunk: 8, span: span) {
            var regression = SparseRegression(width: width, limit: limit, ridge: ridge)
            return { range in
                for target in range {
                    regression.choose(gram, byTarget, target, excluding: excludesSelf ? gram.places[target] : -1)
                    guard regression.solve(gram) else { continue }
                    var count = 0
                    regression.forEachWeight(gram, above: leastShare) { place, weight in
                        sources.base[target * limit + count] = gram.columns[Int(place)]
                        weights.base[target * limit + count] = weight * scales[target]
                        count += 1
                    }
                    counts.base[target] = Int32(count)
                }
            }
        }
        return Self.bySource(counts, sources, weights, limit, items, itemCount)
    }

    /// Lists per source item, targets ascending.
    private static func bySource(
        _ counts: SharedArray<Int32>, _ sources: SharedArray<Int32>, _ weights: SharedArray<Float>, _ limit: Int,
        _ items: [Int32], _ itemCount: Int
    ) -> NeighborLists {
        var lists = NeighborLists()
        lists.offsets = [UInt32](repeating: 0, count: itemCount + 1)
        for target in 0..<counts.count {
            for position in target * limit..<target * limit + Int(counts.base[target]) {
                lists.offsets[Int(items[Int(sources.base[position])]) + 1] += 1
            }
        }
        for item in 0..<itemCount { lists.offsets[item + 1] += lists.offsets[item] }
        let total = Int(lists.offsets[itemCount])
        lists.rows = [Int32](repeating: 0, count: total)
        lists.strengths = [Float](repeating: 0, count: total)
        var next = lists.offsets
        for target in items.indices {
            for position in target * limit..<target * limit + Int(counts.base[target]) {
                let source = Int(items[Int(sources.base[position])])
                let place = Int(next[source])
                next[source] += 1
                lists.rows[place] = items[target]
                lists.strengths[place] = weights.base[position]
            }
        }
        return lists
    }
}

/// One target's regression after another; one per thread.
private struct SparseRegression {
    private let limit: Int
    private let ridge: Float
    private var sums: ColumnSums
    private var gains: [Float] = []
    private var best = BestRows()
    /// Places of the neighborhood, ascending.
    private var neighborhood: [Int32] = []
    /// Per place: 1 + index in the neighborhood, 0 outside. In bytes, so that it stays in the nearest cache while long lists are looked up.
    private let index: SharedArray<UInt8>
    private let matrix: SharedArray<Float>
    private var solution: [Float]

    init(width: Int, limit: Int, ridge: Float) {
        self.limit = limit
        self.ridge = ridge
        sums = ColumnSums(width: width)
        index = SharedArray(repeating: 0, count: width)
        matrix = SharedArray(repeating: 0, count: limit * limit)
        solution = [Float](repeating: 0, count: limit)
    }

    /// The sources that would lower the loss most on their own: c^2 / (G_ii + ridge).
    mutating func choose(_ gram: HalfGram, _ byTarget: SparseRows, _ target: Int, excluding own: Int32) {
        let rows = gram.rows
        for entry in byTarget.offsets[target]..<byTarget.offsets[target + 1] {
            let row = Int(byTarget.columns[entry])
            for position in rows.offsets[row]..<rows.offsets[row + 1] where rows.columns[position] != own {
                sums.add(rows.columns[position], byTarget.values[entry] * rows.values[position])
            }
        }
        gains.removeAll(keepingCapacity: true)
        for place in sums.touched {
            let cross = sums.values.base[Int(place)]
            gains.append(cross * cross / (gram.diagonal[Int(place)] + ridge))
        }
        let found = best.pick(limit, of: gains, count: gains.count, isOrdered: false)
        neighborhood.removeAll(keepingCapacity: true)
        for rank in 0..<found { neighborhood.append(sums.touched[Int(best.rows[rank])]) }
        neighborhood.sort()
        for (position, place) in neighborhood.enumerated() { solution[position] = sums.values.base[Int(place)] }
        sums.clear()
    }

    /// Gathers the matrix and solves. False when there is nothing to solve.
    mutating func solve(_ gram: HalfGram) -> Bool {
        let count = neighborhood.count
        guard count > 0 else { return false }
        matrix.base.update(repeating: 0, count: count * count)
        for (position, place) in neighborhood.enumerated() { index.base[Int(place)] = UInt8(position + 1) }
        for (position, place) in neighborhood.enumerated() {
            matrix.base[position * count + position] = gram.diagonal[Int(place)] + ridge
            let (others, values) = (gram.others.base, gram.values.base)
            for entry in gram.offsets[Int(place)]..<gram.offsets[Int(place) + 1] {
                let other = Int(index.base[Int(others[entry])]) - 1
                if other >= 0 { matrix.base[other * count + position] = values[entry] }
            }
        }
        for place in neighborhood { index.base[Int(place)] = 0 }
        var n = Int32(count)
        var one = Int32(1)
        var info = Int32(0)
        sposv_("U", &n, &one, matrix.base, &n, &solution, &n, &info)
        return info == 0
    }

    /// Calls `body` with place and weight of the weights that count.
    func forEachWeight(_ gram: HalfGram, above leastShare: Float, _ body: (Int32, Float) -> Void) {
        // A weight acts as often as its source occurs.
        var strongest: Float = 0
        for (position, place) in neighborhood.enumerated() {
            strongest = max(strongest, abs(solution[position]) * gram.diagonal[Int(place)].squareRoot())
        }
        let least = strongest * leastShare
        for (position, place) in neighborhood.enumerated() {
            let strength = abs(solution[position]) * gram.diagonal[Int(place)].squareRoot()
            if strength > least, strength.isFinite { body(place, solution[position]) }
        }
    }
}
