/// One scorer of a blend, on a model's memory. Its raw scores are a function of the history alone, so that filters and
/// candidate lists never change the order of items.
protocol BlendPart: Sendable {
    /// Takes in the history. The root mean square of the raw scores over all items; nil when the history says nothing here.
    func begin(_ history: WeightedHistory, _ space: inout PartSpace) -> Float?

    /// Adds weight x raw score to every row's total; may be approximate, and may pass over rows that are not admitted.
    func addAll(_ weight: Float, _ space: inout PartSpace, allowed: [UInt64]?, to totals: inout [Float])

    /// Adds weight x exact raw score of each row to the score at the same index.
    func addExactly(_ weight: Float, _ space: inout PartSpace, rows: [Int32], to scores: inout [Float])

    /// Adds weight x the part that each history item has in the row's raw score; these add up to the raw score.
    func addParts(
        _ weight: Float, of row: Int32, _ history: WeightedHistory, _ space: inout PartSpace, to parts: inout [Float])

    /// Does the score depend on the history?
    var usesHistory: Bool { get }

    /// Are the raw scores, after `begin`, those of `space.sums`, and zero for most rows?
    var isSparse: Bool { get }

    /// Of a part whose scores are the same for every history, the rows it scores highest, best first: all, or a bounded number.
    var fixedOrder: [Int32]? { get }
}

/// A part whose raw score is a product of `space.query` with the item's vector, times what the item alone decides.
protocol ProductPart: BlendPart {
    var vectors: ItemVectors { get }

    /// Adds weight x raw score of each row to the score at the same index, given the product of each.
    func add(_ weight: Float, _ products: [Float], rows: [Int32], to scores: inout [Float])
}

/// A part whose raw scores are the products alone.
protocol VectorPart: ProductPart {}

extension ProductPart {
    func addExactly(_ weight: Float, _ space: inout PartSpace, rows: [Int32], to scores: inout [Float]) {
        vectors.products(space.query, rows, &space.products)
        add(weight, space.products, rows: rows, to: &scores)
    }
}

extension VectorPart {
    func add(_ weight: Float, _ products: [Float], rows: [Int32], to scores: inout [Float]) {
        for index in rows.indices { scores[index] += weight * products[index] }
    }
}

extension BlendPart {
    var isSparse: Bool { false }
    var fixedOrder: [Int32]? { nil }
}

/// Work space of one part of a blend.
struct PartSpace: Sendable {
    /// Weight over scale, for the history at hand; 0 when the part has nothing to say.
    var factor: Float = 0
    /// The same for items without events, in its place.
    var coldFactor: Float = 0
    var sums = ScoreSums()
    var query: [Float] = []
    var products: [Float] = []
    var lists = ListSpace()
    var solver: ShortRowSolver?
    var neighbors = NeighborSpace()
    var equations: NormalEquations?
    /// Does `equations` hold the factor for the history at hand?
    var isWholeSystemSolved = false
}
