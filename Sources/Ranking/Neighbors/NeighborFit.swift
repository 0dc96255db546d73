import Foundation

/// The histories that a request is compared with, without names: the newest ones, cut into pieces, and for every item the
/// newest pieces that it is in (the data of VMIS-kNN, Kersbergen et al. 2022, "Serenade").
struct NeighborFit: Sendable {
    /// Items of a piece at most.
    var longest: Int
    /// Newest pieces that an item is looked up in.
    var piecesPerItem = 1000
    /// Items of all pieces together.
    var entries = NeighborFit.maximumEntries

    /// Sixteen bytes each.
    static let maximumEntries = 2_000_000

    /// Per item the pieces it is in, newest first, and per piece its distinct items, oldest first by last event.
    struct Pieces {
        var byItem = NeighborLists()
        var items = NeighborLists()
    }

    /// An item in a piece has the strength ln(1 + pieces / pieces with it) x weight / |piece|, seen from the item; and its
    /// weight, seen from the piece.
    func fit(_ matrix: InteractionMatrix, _ weighting: HistoryWeights, _ span: ProgressSpan) throws(FitError) -> Pieces? {
        let cuts = try cut(matrix, weighting, span.part(0, 0.5))
        guard cuts.count > 1 else { return nil }
        var pieces = Pieces()
        var occurrences = [Float](repeating: 0, count: matrix.itemCount)
        for piece in cuts {
            for (row, weight) in piece.entries {
                pieces.items.rows.append(row)
                pieces.items.strengths.append(weight)
                occurrences[Int(row)] += 1
            }
            pieces.items.offsets.append(UInt32(pieces.items.rows.count))
        }
        try span.reporter.poll(span.share(0.7))
        let rarity = occurrences.map { $0 > 0 ? logf(1 + Float(cuts.count) / $0) : 0 }
        let sizes = occurrences.map { min(Int($0), piecesPerItem) }
        pieces.byItem.offsets = sizes.reduce(into: [0]) { $0.append($0[$0.count - 1] + UInt32($1)) }
        let total = Int(pieces.byItem.offsets.last ?? 0)
        pieces.byItem.rows = [Int32](repeating: 0, count: total)
        pieces.byItem.strengths = [Float](repeating: 0, count: total)
        var next = pieces.byItem.offsets
        for (index, piece) in cuts.enumerated() {
            let length = piece.entries.reduce(0) { $0 + $1.weight * $1.weight }.squareRoot()
            for (row, weight) in piece.entries where next[Int(row)] < pieces.byItem.offsets[Int(row) + 1] {
                let place = Int(next[Int(row)])
                next[Int(row)] += 1
                pieces.byItem.rows[place] = Int32(index)
                pieces.byItem.strengths[place] = rarity[Int(row)] * weight / length
            }
        }
        return pieces
    }

    private struct Piece {
        var time: Int64
        /// Between pieces of the same time.
        var order: UInt64
        var entries: [(row: Int32, weight: Float)]
    }

    /// All pieces with at least two items, newest first, as many as may be kept.
    private func cut(_ matrix: InteractionMatrix, _ weighting: HistoryWeights, _ span: ProgressSpan) throws(FitError) -> [Piece] {
        var pieces: [Piece] = []
        var lastUser = [Int32](repeating: -1, count: matrix.itemCount)
        for user in 0..<matrix.userCount {
            var piece: Piece?
            func close(_ piece: inout Piece?) {
                if var full = piece, full.entries.count > 1 {
                    full.entries.reverse()
                    pieces.append(full)
                }
                piece = nil
            }
            for position in (matrix.offsets[user]..<matrix.offsets[user + 1]).reversed() {
                let row = Int(matrix.items[position])
                let weight = weighting.weight(ofType: Int(matrix.types[position])) * weighting.confidence(ofValue: matrix.values[position])
                guard weight > 0, lastUser[row] != Int32(user) else { continue }
                lastUser[row] = Int32(user)
                let order = RandomSource.mix(UInt64(matrix.userIDs[user])) 
                if piece == nil { piece = Piece(time: matrix.timestamps[position], order: order, entries: []) }
                piece?.entries.append((Int32(row), weight))
                if let full = piece, full.entries.count >= longest { close(&piece) }
            }
            close(&piece)
            if user % 1000 == 0 { try span.reporter.poll(span.share(Double(user) / Double(matrix.userCount))) }
        }
        let order = pieces.indices.sorted { (pieces[$1].time, pieces[$1].order, $0) < (pieces[$0].time, pieces[$0].order, $1) }
        var kept: [Piece] = []
        var left = entries
        for index in order {
            left -= pieces[index].entries.count
            if left < 0 { break }
            kept.append(pieces[index])
        }
        return kept
    }
}
