import Foundation

/// What others met beside, or near, what the history has: nearest neighbors among pieces of histories, after V-SKNN and STAN
/// (Ludewig and Jannach 2018; Garg et al. 2019).
///
/// score(j) = sum over the nearest pieces n of alike(n) x near(n, j), for items j outside the history. alike(n) = sum over
/// history items i in n of weight(i) x strength(i, n). near(n, j) is j's weight in n; with a reach, times the mean over the
/// history's items in n, by their weights, of exp(-(d - 1) / reach) for d places behind them, and a fifth of that before
/// them. Known items are left out, for a history finds itself among the pieces; who comes back to what is another part's.
struct NeighborPart: BlendPart {
    let itemCount: Int
    /// Item to pieces.
    let byItem: MappedLists
    /// Piece to items.
    let pieces: MappedLists
    let rule: SourceRule
    let usesHistory = true
    let isSparse = true

    /// Pieces that have a say; more change little and cost in proportion (Ludewig and Jannach 2018 use 50 to 500).
    static let nearest = 100
    static let backward: Float = 0.2

    func begin(_ history: WeightedHistory, _ space: inout PartSpace) -> Float? {
        find(history, &space.neighbors)
        let found = space.neighbors.count
        var additions = 0
        for index in 0..<found { additions += pieces.range(of: Int(space.neighbors.best.rows[index])).count }
        space.sums.start(itemCount: itemCount, additions: additions)
        for index in 0..<found {
            spread(Int(space.neighbors.best.rows[index]), history, &space.neighbors)
            space.sums.add(
                space.neighbors.rows, space.neighbors.values, count: space.neighbors.met,
                weight: space.neighbors.best.scores[index])
        }
        space.sums.settle()
        let scale = (space.sums.sumOfSquares / Float(max(1, itemCount))).squareRoot()
        return scale > 0 && scale.isFinite ? scale : nil
    }

    /// The pieces most alike, newer ones first among equal ones.
    private func find(_ history: WeightedHistory, _ space: inout NeighborSpace) {
        let pieceCount = pieces.offsets.count - 1
        space.count = 0
        space.sources.removeAll(keepingCapacity: true)
        space.sources.append(contentsOf: repeatElement(0, count: history.count))
        guard let numbers = byItem.rows.base, let strengths = byItem.strengths.base else { return }
        var additions = 0
        rule.forEach(history) { index, weight in
            space.sources[index] = weight
            additions += byItem.range(of: Int(history.rows[index])).count
        }
        space.alike.start(itemCount: pieceCount, additions: additions)
        for (index, weight) in space.sources.enumerated() where weight > 0 {
            let range = byItem.range(of: Int(history.rows[index]))
            space.alike.add(numbers + range.lowerBound, strengths + range.lowerBound, count: range.count, weight: weight)
        }
        space.alike.settle()
        if let touched = space.alike.touched {
            space.count = space.best.pick(min(Self.nearest, touched.count), of: space.alike.totals, among: touched, isOrdered: true)
        } else {
            space.count = space.best.pick(min(Self.nearest, pieceCount), of: space.alike.totals, count: pieceCount, isOrdered: true)
        }
        while space.count > 0, space.best.scores[space.count - 1] <= 0 { space.count -= 1 }
    }

    /// Into the space: the items of a piece that the history does not have, and near(n, j) of each.
    private func spread(_ piece: Int, _ history: WeightedHistory, _ space: inout NeighborSpace) {
        let range = pieces.range(of: piece)
        if space.rows.count < range.count {
            space.rows = [Int32](repeating: 0, count: 2 * range.count)
            space.values = [Float](repeating: 0, count: 2 * range.count)
            space.passing = space.values
        }
        space.met = spread(range, history, space.sources, &space.rows, &space.values, &space.passing)
    }

    /// How many items the history does not have. `passing` is work space; all have room for the range.
    private func spread(
        _ range: Range<Int>, _ history: WeightedHistory, _ sources: [Float], _ rows: UnsafeMutablePointer<Int32>,
        _ values: UnsafeMutablePointer<Float>, _ passing: UnsafeMutablePointer<Float>
    ) -> Int {
        guard let items = pieces.rows.base, let strengths = pieces.strengths.base else { return 0 }
        var met = 0
        // What is carried along, and how much of the history was passed.
        var carried: Float = 0
        var passed: Float = 0
        let fall = rule.reach > 0 ? expf(-1 / rule.reach) : 0
        for position in range {
            let row = items[position]
            guard let place = row < 0 ? nil : history.place(of: row) else {
                rows[met] = row
                values[met] = rule.reach > 0 ? carried : strengths[position]
                passing[position - range.lowerBound] = -1
                met += 1
                carried *= fall
                continue
            }
            let source = sources[place]
            passing[position - range.lowerBound] = source
            passed += source
            carried = carried * fall + source
        }
        guard rule.reach > 0 else { return met }
        carried = 0
        var next = met
        for position in range.reversed() {
            let source = passing[position - range.lowerBound]
            if source >= 0 {
                carried = carried * fall + source
            } else {
                next -= 1
                let mean = passed > 0 ? (values[next] + Self.backward * carried) / passed : 0
                values[next] = mean * strengths[position]
                carried *= fall
            }
        }
        return met
    }

    func addAll(_ weight: Float, _ space: inout PartSpace, allowed: [UInt64]?, to totals: inout [Float]) {
        space.sums.add(weight, to: &totals)
    }

    func addExactly(_ weight: Float, _ space: inout PartSpace, rows: [Int32], to scores: inout [Float]) {
        for (index, row) in rows.enumerated() { scores[index] += weight * space.sums.totals[Int(row)] }
    }

    /// A piece's likeness is a sum over the history's items, and so is the score, the nearest pieces being what they are.
    func addParts(
        _ weight: Float, of row: Int32, _ history: WeightedHistory, _ space: inout PartSpace, to parts: inout [Float]
    ) {
        guard history.place(of: row) == nil else { return }
        for index in 0..<space.neighbors.count {
            let piece = space.neighbors.best.rows[index]
            let range = pieces.range(of: Int(piece))
            guard range.contains(where: { pieces.rows.at($0) == row }) else { continue }
            spread(Int(piece), history, &space.neighbors)
            guard let place = space.neighbors.rows.prefix(space.neighbors.met).firstIndex(of: row) else { continue }
            let near = weight * space.neighbors.values[place]
            for position in range {
                guard let item = pieces.rows.at(position), item >= 0, let source = history.place(of: item) else { continue }
                parts[source] += near * space.neighbors.sources[source] * strength(of: Int(item), in: piece)
            }
        }
    }

    /// 0 when the piece is not among the newest with the item.
    private func strength(of item: Int, in piece: Int32) -> Float {
        let range = byItem.range(of: item)
        guard let place = firstRow(of: piece, in: UnsafeBufferPointer(rebasing: byItem.rows.buffer[range])) else { return 0 }
        return byItem.strengths.at(range.lowerBound + place) ?? 0
    }
}

/// Work space of `NeighborPart`.
struct NeighborSpace: Sendable {
    /// Over all pieces.
    var alike = ScoreSums()
    /// The nearest pieces and their likeness, of which the first `count` hold.
    var best = BestRows()
    var count = 0
    /// Weights of the history's items.
    var sources: [Float] = []
    /// Of one piece, of which the first `met` hold.
    var rows: [Int32] = []
    var values: [Float] = []
    var met = 0
    /// Per place of the piece, the weight of the history's item there; negative for another item.
    var passing: [Float] = []
}
