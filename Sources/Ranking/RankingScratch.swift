/// Work space of `Model.rank`, to be kept and used again by one thread at a time, with any number of models.
public struct RankingScratch: Sendable {
    var history = WeightedHistory()
    var pool = CandidatePool()
    var totals: [Float] = []
    var sums = ScoreSums()
    var best = BestRows()
    /// Of a blend's parts, in their order.
    var spaces: [PartSpace] = []
    /// Per item what attributes and context add; empty when they say nothing.
    var situation: [Float] = []
    /// What the blend's parts said to the history, when they were asked ahead of the ranking.
    var begun: Bool?
    /// Do the totals hold the scores of the vectors already?
    var holdsVectors = false
    var search = VectorSearch()
    /// The rows that vectors find, when they were looked for ahead of the ranking.
    var found: [Int32]?
    /// Every item of the history, where those are to be left out.
    var seen = CandidatePool()

    public init() {}

    /// Sets the totals of so many items to zero.
    mutating func clearTotals(_ itemCount: Int) {
        reserveTotals(itemCount)
        totals.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
    }

    /// Makes room for so many totals, whatever they hold.
    mutating func reserveTotals(_ itemCount: Int) {
        if totals.count != itemCount { totals = [Float](repeating: 0, count: itemCount) }
    }
}

/// Work space for a few requests at a time, to be kept and used again by one thread.
public struct RankingBatch: Sendable {
    /// Requests that share a pass over a model's vectors.
    public static let width = 8
    var scratches = [RankingScratch](repeating: RankingScratch(), count: width)
    var search = VectorSearch()

    public init() {}
}

/// The rows under consideration, each once, with what was added up for them.
struct CandidatePool: Sendable {
    private(set) var rows: [Int32] = []
    var scores: [Float] = []
    /// Per row: 1 + index, valid when that index points back at the row.
    private var places: [Int32] = []

    var count: Int { rows.count }

    mutating func clear(itemCount: Int) {
        rows.removeAll(keepingCapacity: true)
        scores.removeAll(keepingCapacity: true)
        if places.count < itemCount { places = [Int32](repeating: 0, count: itemCount) }
    }

    func place(of row: Int32) -> Int? {
        guard row >= 0, Int(row) < places.count else { return nil }
        let place = Int(places[Int(row)]) - 1
        return place >= 0 && place < rows.count && rows[place] == row ? place : nil
    }

    mutating func add(_ rows: some Sequence<Int32>) { for row in rows { add(row) } }

    /// As above for rows that differ.
    mutating func add(distinct rows: ArraySlice<Int32>) {
        guard self.rows.isEmpty else { return add(rows) }
        self.rows.append(contentsOf: rows)
        scores.append(contentsOf: repeatElement(0, count: rows.count))
        places.withUnsafeMutableBufferPointer { places in
            for (place, row) in self.rows.enumerated() { places[Int(row)] = Int32(place + 1) }
        }
    }

    /// Index of the row, added with score 0 when new. The row must be below the `itemCount` given to `clear`.
    @discardableResult
    mutating func add(_ row: Int32, score: Float = 0) -> Int {
        if let place = place(of: row) { return place }
        rows.append(row)
        scores.append(score)
        places[Int(row)] = Int32(rows.count)
        return rows.count - 1
    }
}
