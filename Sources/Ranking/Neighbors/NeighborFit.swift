import Foundation

/// The histories that a request's history is compared with: the newest ones, without names, cut into pieces; and for every
/// item the newest pieces that it is in (the index of VMIS-kNN, Kersbergen et al. 2022, "Serenade").
struct NeighborFit: Sendable {
    /// Items of a piece at most: what somebody met within some time.
    var longest: Int
    /// Newest pieces that an item is looked up in: Ludewig and Jannach 2018 lost nothing by 500 of them.
    var piecesPerItem = 500
    /// Items of all pieces together.
    var entryLimit = NeighborFit.maximumEntries

    /// Sixteen bytes each in the model file.
    static let maximumEntries = 2_000_000

    struct Pieces: Sendable {
        /// Per item the pieces it is in, newest first.
        var byItem = NeighborLists()
        /// Per piece its distinct items, oldest first by last event.
        var items = NeighborLists()
    }

    private struct Piece {
        var time: Int64
        /// Tells pieces of the same time apart, by chance.
        var order: UInt64
        var entries: [(row: Int32, weight: Float)] = []
    }

    /// From an item to a piece: ln(1 + pieces / pieces with the item) x weight / length of the piece's weights, so that
    /// sums over a history's items are the cosine of V-SKNN with rarity. From a piece to its items: the weights. Nil when no
    /// two pieces have two items each.
    func fit(_ matrix: InteractionMatrix, _ weighting: HistoryWeights, _ span: ProgressSpan) throws(FitError) -> Pieces? {
        let newest = try newestPieces(matrix, weighting, span.part(0, 0.6))
        guard newest.count > 1 else { return nil }
        var pieces = Pieces()
        var occurrences = [Int](repeating: 0, count: matrix.itemCount)
        for piece in newest {
            for (row, weight) in piece.entries {
                pieces.items.rows.append(row)
                pieces.items.strengths.append(weight)
                occurrences[Int(row)] += 1
            }
            pieces.items.offsets.append(UInt32(pieces.items.rows.count))
        }
        try span.reporter.poll(span.share(0.8))
        pieces.byItem = index(newest, occurrences)
        return pieces
    }

    private func index(_ pieces: [Piece], _ occurrences: [Int]) -> NeighborLists {
        var lists = NeighborLists()
        lists.offsets.reserveCapacity(occurrences.count + 1)
        var total: UInt32 = 0
        for count in occurrences {
            total += UInt32(min(count, piecesPerItem))
            lists.offsets.append(total)
        }
        lists.rows = [Int32](repeating: 0, count: Int(total))
        lists.strengths = [Float](repeating: 0, count: Int(total))
        let rarity = occurrences.map { logf(1 + Float(pieces.count) / Float(max(1, $0))) }
        var next = lists.offsets
        for (number, piece) in pieces.enumerated() {
            let length = piece.entries.reduce(0) { $0 + $1.weight * $1.weight }.squareRoot()
            for (row, weight) in piece.entries where next[Int(row)] < lists.offsets[Int(row) + 1] {
                let place = Int(next[Int(row)])
                next[Int(row)] += 1
                lists.rows[place] = Int32(number)
                lists.strengths[place] = rarity[Int(row)] * weight / length
            }
        }
        return lists
    }

    /// Pieces with two items at least, newest first, as many as may be kept.
    private func newestPieces(
        _ matrix: InteractionMatrix, _ weighting: HistoryWeights, _ span: ProgressSpan
    ) throws(FitError) -> [Piece] {
        var pieces: [Piece] = []
        var lastUser = [Int32](repeating: -1, count: matrix.itemCount)
        for user in 0..<matrix.userCount {
            cut(matrix, user, weighting, &lastUser, into: &pieces)
            try span.reporter.poll(span.share(Double(user) / Double(matrix.userCount)))
        }
        // A user's pieces are there newest first.
        let order = pieces.indices.sorted { (-pieces[$0].time, pieces[$0].order, $0) < (-pieces[$1].time, pieces[$1].order, $1) }
        var left = entryLimit
        let kept = order.prefix { piece in
            left -= pieces[piece].entries.count
            return left >= 0
        }
        return kept.map { pieces[$0] }
    }

    /// Appends a user's pieces, newest first; `lastUser` remembers by item who met it last.
    private func cut(
        _ matrix: InteractionMatrix, _ user: Int, _ weighting: HistoryWeights, _ lastUser: inout [Int32], into pieces: inout [Piece]
    ) {
        let order = RandomSource.mix(UInt64(UInt32(bitPattern: matrix.userIDs[user])))
        var piece = Piece(time: 0, order: order)
        func close() {
            if piece.entries.count > 1 {
                piece.entries.reverse()
                pieces.append(piece)
            }
            piece.entries = []
        }
        for position in (matrix.offsets[user]..<matrix.offsets[user + 1]).reversed() {
            let row = Int(matrix.items[position])
            let weight =
                weighting.weight(ofType: Int(matrix.types[position])) * weighting.confidence(ofValue: matrix.values[position])
            guard weight > 0, lastUser[row] != Int32(user) else { continue }
            lastUser[row] = Int32(user)
            if piece.entries.isEmpty { piece.time = max(-Int64.max, matrix.timestamps[position]) }
            piece.entries.append((Int32(row), weight))
            if piece.entries.count == longest { close() }
        }
        close()
    }
}
