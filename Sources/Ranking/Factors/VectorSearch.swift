import Kernels

/// Work space that finds the rows which stand best by their vectors, for some queries in one pass; one per thread.
struct VectorSearch: Sendable {
    struct Query {
        var vector: [Float]
        /// Of its products; their sign decides which are the best.
        var weight: Float
        /// Rows to find, 1 or more.
        var count: Int
    }

    private var rows: [Int32] = []
    private var scores: [Float] = []
    private var space: [UInt64] = []
    /// Of each query, where its rows are.
    private var ranges: [Range<Int>] = []
    private let path = kernels_best_path()

    /// What the query at this place found last, by ascending row.
    func found(_ place: Int) -> ArraySlice<Int32> { rows[ranges[place]] }

    /// The approximate scores of these rows.
    func foundScores(_ place: Int) -> ArraySlice<Float> { scores[ranges[place]] }

    /// Finds the best admitted rows of each query by approximate scores, fewer where there are not so many.
    mutating func run(_ queries: [Query], in vectors: ItemVectors, allowed: [UInt64]?) {
        var quantized: [Int8] = []
        quantized.reserveCapacity(queries.count * vectors.dimensions)
        let steps = queries.map { query in query.vector.withUnsafeBufferPointer { EightBitBlocks.quantize($0, appendingTo: &quantized) } }
        let room = queries.reduce(0) { max($0, $1.count) }
        let spaceRoom = kernels_best_space(room)
        reserve(queries.count, room, spaceRoom)
        let (path, count) = (path, queries.count)
        var bests: [kernels_best] = []
        rows.withUnsafeMutableBufferPointer { rows in
            scores.withUnsafeMutableBufferPointer { scores in
                space.withUnsafeMutableBufferPointer { space in
                    guard let rows = rows.baseAddress, let scores = scores.baseAddress, let space = space.baseAddress else { return }
                    bests = queries.enumerated().map { place, query in
                        kernels_best(
                            weight: query.weight * steps[place], k: query.count, space: space + place * spaceRoom,
                            scores: scores + place * room, rows: rows + place * room, found: 0)
                    }
                    withWords(allowed) { words in
                        kernels_best_int8(
                            path, vectors.blocks.base, vectors.scales.base, vectors.itemCount, vectors.dimensions / 4, quantized, count,
                            words, &bests)
                    }
                }
            }
        }
        ranges = bests.enumerated().map { place, best in place * room..<place * room + best.found }
    }

    private mutating func reserve(_ queries: Int, _ room: Int, _ spaceRoom: Int) {
        if rows.count < queries * room {
            rows = [Int32](repeating: 0, count: queries * room)
            scores = [Float](repeating: 0, count: queries * room)
        }
        if space.count < queries * spaceRoom { space = [UInt64](repeating: 0, count: queries * spaceRoom) }
    }
}
