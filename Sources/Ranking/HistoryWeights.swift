import Foundation

/// How much each item of a history counts, the same in training and in serving.
///
/// weight = event weight x (1 + ln repeats) x (1 + valueConfidence x value / meanValue) x (1 + boost x exp(-age / span)),
/// where age counts the distinct items seen since.
struct HistoryWeights: Sendable {
    /// Weight per event type; 0 leaves the type's events out.
    var eventTypes: [Float]
    /// Weight of types that the model never saw.
    var unknownType: Float
    var valueConfidence: Float
    /// Mean of the positive values, at least a tiny positive number.
    var meanValue: Float
    var recencyBoost: Float
    var recencySpan: Float

    func weight(ofType type: Int) -> Float {
        type >= 0 && type < eventTypes.count ? eventTypes[type] : unknownType
    }

    func recency(age: Int) -> Float { recencyBoost == 0 ? 1 : 1 + recencyBoost * expf(-Float(age) / recencySpan) }

    func confidence(ofValue value: Float) -> Float {
        guard valueConfidence > 0, value.isFinite, value > 0 else { return 1 }
        return 1 + valueConfidence * min(value / meanValue, 4)
    }
}

/// The distinct items of one history, oldest to newest by last event, with their weights.
struct WeightedHistory: Sendable {
    private(set) var rows: [Int32] = []
    private(set) var weights: [Float] = []
    /// The weights without recency.
    private(set) var flatWeights: [Float] = []
    /// The weights without recency and repeats.
    private(set) var bases: [Float] = []
    private var counts: [Int32] = []
    /// Per item row: 1 + index in the arrays above, valid when the index points back at the row.
    private var places: [Int32] = []

    var count: Int { rows.count }

    /// Events must come oldest first; rows must be in 0..<itemCount.
    mutating func collect(
        count eventCount: Int, itemCount: Int, _ weighting: HistoryWeights,
        event: (Int) -> (row: Int32, type: Int, value: Float)
    ) {
        rows.removeAll(keepingCapacity: true)
        weights.removeAll(keepingCapacity: true)
        flatWeights.removeAll(keepingCapacity: true)
        counts.removeAll(keepingCapacity: true)
        bases.removeAll(keepingCapacity: true)
        if places.count < itemCount { places = [Int32](repeating: 0, count: itemCount) }
        // Newest first, so that an item's place is that of its last event.
        for position in stride(from: eventCount - 1, through: 0, by: -1) {
            let (row, type, value) = event(position)
            let typeWeight = weighting.weight(ofType: type)
            guard typeWeight > 0 else { continue }
            let base = typeWeight * weighting.confidence(ofValue: value)
            if let place = place(of: row) {
                counts[place] += 1
                bases[place] = max(bases[place], base)
            } else {
                places[Int(row)] = Int32(rows.count + 1)
                rows.append(row)
                counts.append(1)
                bases.append(base)
            }
        }
        for age in rows.indices {
            let flat = counts[age] == 1 ? bases[age] : bases[age] * (1 + logf(Float(counts[age])))
            flatWeights.append(flat)
            weights.append(flat * weighting.recency(age: age))
        }
        rows.reverse()
        weights.reverse()
        flatWeights.reverse()
        bases.reverse()
        for index in rows.indices { places[Int(rows[index])] = Int32(index + 1) }
    }

    /// Index of a row in the history, nil when it is not there.
    func place(of row: Int32) -> Int? {
        guard Int(row) < places.count else { return nil }
        let place = Int(places[Int(row)]) - 1
        return place >= 0 && place < rows.count && rows[place] == row ? place : nil
    }
}
