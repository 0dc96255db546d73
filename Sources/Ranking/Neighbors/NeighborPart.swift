import Foundation

/// What those did whose histories overlap most with the one at hand.
struct NeighborPart: BlendPart {
    let itemCount: Int
    /// Item -> pieces.
    let byItem: MappedLists
    /// Piece -> items.
    let pieces: MappedLists
    let rule: SourceRule
    let usesHistory = true
    let isSparse = true
    static let env = ProcessInfo.processInfo.environment
    let k = Int(NeighborPart.env["NK"] ?? "200")!
    let skipSeen = NeighborPart.env["NSEEN"] == "0"
    let power = Float(NeighborPart.env["NPOW"] ?? "1")!
    let back = Float(NeighborPart.env["NBACK"] ?? "0.5")!

    private var pieceCount: Int { pieces.offsets.count - 1 }

    func begin(_ history: WeightedHistory, _ space: inout PartSpace) -> Float? {
        find(history, &space.neighbors)
        var additions = 0
        for index in 0..<space.neighbors.count { additions += pieces.range(of: Int(space.neighbors.best.rows[index])).count }
        space.sums.start(itemCount: itemCount, additions: additions)
        guard let rows = pieces.rows.base else { return nil }
        for index in 0..<space.neighbors.count {
            let piece = Int(space.neighbors.best.rows[index])
            let range = pieces.range(of: piece)
            guard spread(piece, history, &space.neighbors) else { continue }
            var w = space.neighbors.best.scores[index]
            if power != 1 { w = powf(w, power) }
            space.sums.add(rows + range.lowerBound, space.neighbors.values, count: range.count, weight: w)
        }
        space.sums.settle()
        let scale = (space.sums.sumOfSquares / Float(max(1, itemCount))).squareRoot()
        return scale > 0 && scale.isFinite ? scale : nil
    }

    /// The pieces most alike.
    private func find(_ history: WeightedHistory, _ space: inout NeighborSpace) {
        space.count = 0
        space.sources.removeAll(keepingCapacity: true)
        space.sources.append(contentsOf: repeatElement(0, count: history.count))
        guard let rows = byItem.rows.base, let values = byItem.strengths.base else { return }
        var additions = 0
        rule.forEach(history) { index, _ in additions += byItem.range(of: Int(history.rows[index])).count }
        space.sums.start(itemCount: pieceCount, additions: additions)
        rule.forEach(history) { index, weight in
            let range = byItem.range(of: Int(history.rows[index]))
            space.sums.add(rows + range.lowerBound, values + range.lowerBound, count: range.count, weight: weight)
            space.sources[index] = weight
        }
        space.sums.settle()
        if let touched = space.sums.touched {
            space.count = space.best.pick(min(k, touched.count), of: space.sums.totals, among: touched)
        } else {
            space.count = space.best.pick(min(k, pieceCount), of: space.sums.totals, count: pieceCount, isOrdered: false)
        }
    }

    /// What a piece says of its items; false when it has no others than the history.
    private func spread(_ piece: Int, _ history: WeightedHistory, _ space: inout NeighborSpace) -> Bool {
        let range = pieces.range(of: piece)
        space.values.removeAll(keepingCapacity: true)
        var isNew = false
        if rule.reach == 0 {
            for position in range {
                let seen = history.place(of: pieces.rows.at(position) ?? -1) != nil
                isNew = isNew || !seen
                space.values.append(skipSeen && seen ? 0 : (pieces.strengths.at(position) ?? 0))
            }
            return isNew
        }
        let fall = expf(-1 / rule.reach)
        var carried: Float = 0
        var total: Float = 0
        for position in range {
            space.values.append(carried)
            let place = history.place(of: pieces.rows.at(position) ?? -1)
            isNew = isNew || place == nil
            let w = place.map { space.sources[$0] } ?? 0
            total += w
            carried = carried * fall + w
        }
        guard isNew, total > 0 else { return false }
        carried = 0
        for position in range.reversed() {
            let index = position - range.lowerBound
            let place = history.place(of: pieces.rows.at(position) ?? -1)
            space.values[index] = (space.values[index] + back * carried) / total * (pieces.strengths.at(position) ?? 0)
            if skipSeen, place != nil { space.values[index] = 0 }
            carried = carried * fall + (place.map { space.sources[$0] } ?? 0)
        }
        return true
    }

    func addAll(_ weight: Float, _ space: inout PartSpace, allowed: [UInt64]?, to totals: inout [Float]) {
        space.sums.add(weight, to: &totals)
    }

    func addExactly(_ weight: Float, _ space: inout PartSpace, rows: [Int32], to scores: inout [Float]) {
        for (index, row) in rows.enumerated() { scores[index] += weight * space.sums.totals[Int(row)] }
    }

    func addParts(
        _ weight: Float, of row: Int32, _ history: WeightedHistory, _ space: inout PartSpace, to parts: inout [Float]
    ) {
    }
}

/// Work space of `NeighborPart`.
struct NeighborSpace: Sendable {
    var sums = ScoreSums()
    var best = BestRows()
    var count = 0
    var sources: [Float] = []
    var values: [Float] = []
}
