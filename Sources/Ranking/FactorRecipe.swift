import Foundation
import Kernels

/// Personalization: implicit ALS with fold-in of the request's history, blended with what followed the last items of
/// such a history.
///
/// score = (x . y) / factorScale + successorShare x (sum of decayed successor strengths) / successorScale. Both scales
/// are the mean best value over training users, so that the fixed blend means the same on any data.
struct FactorRecipe: Recipe {
    let kind = RankedItem.Kind.personalized
    let normalization = ScoreNormalization.softmax(sharpness: 4)

    private let itemIDs: MappedArray<Int32>
    private let dimensions: Int
    private let factors: MappedArray<Float>
    private let blocks: MappedArray<UInt8>
    private let scales: MappedArray<Float>
    private let gram: MappedArray<Float>
    private let successors: MappedLists
    private let als: ImplicitALS
    private let factorScale: Float
    private let successorScale: Float
    private let successorShare: Float
    private let path: kernels_path

    /// Newest items of a history whose successors count, and the fall of their weight per step back.
    private static let successorItems = 10
    private static let successorDecay: Float = 0.8

    init(opening file: ModelFile, _ header: ModelHeader) throws(ModelError) {
        itemIDs = header.itemIDs
        let items = header.itemCount
        dimensions = file.section("factors")?.columns ?? 0
        guard dimensions > 0, dimensions % 16 == 0, dimensions <= 4096 else {
            throw .damaged("its factors have an impossible number of dimensions")
        }
        factors = try file.floats("factors", count: items * dimensions)
        blocks = try file.array("factors.int8", .uint8, count: EightBitBlocks.byteCount(items: items, dimensions: dimensions))
        scales = try file.floats("factors.scales", count: items)
        gram = try file.floats("gram", count: dimensions * dimensions)
        successors = try file.lists("successors", itemCount: items)
        als = ImplicitALS(
            dimensions: dimensions, iterations: 0, unobservedWeight: try header.number("unobserved_weight"),
            regularization: try header.number("regularization"),
            regularizationExponent: try header.number("regularization_exponent"), seed: 0, threads: 1)
        factorScale = max(try header.number("factor_scale"), 1e-6)
        successorScale = max(try header.number("successor_scale"), 1e-9)
        successorShare = try header.number("successor_share")
        path = kernels_best_path()
        NormalEquations.useOneThreadInside()
    }

    func score(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) -> Bool {
        guard scratch.history.count > 0, foldIn(&scratch) else { return false }
        if request.candidates == nil {
            scan(request, wanted: max(200, wanted), &scratch)
            for boost in request.boosts ?? [] where boost.row >= 0 && boost.row < itemIDs.count && request.allows(boost.row) {
                scratch.pool.add(Int32(boost.row))
            }
        }
        addSuccessors(request, &scratch)
        scoreFactors(&scratch)
        for index in 0..<scratch.pool.count {
            scratch.pool.scores[index] =
                scratch.values[index] / factorScale + successorShare * scratch.pool.extras[index] / successorScale
        }
        return true
    }

    /// The user's factors into `scratch.query`, from the weighted history.
    func foldIn(_ scratch: inout RankingScratch) -> Bool {
        guard let gram = gram.base, let factors = factors.base else { return false }
        var equations = scratch.equations ?? NormalEquations(dimensions: dimensions)
        scratch.equations = nil
        if equations.dimensions != dimensions { equations = NormalEquations(dimensions: dimensions) }
        if scratch.query.count != dimensions { scratch.query = [Float](repeating: 0, count: dimensions) }
        let history = scratch.history
        let isSolved = scratch.query.withUnsafeMutableBufferPointer { query -> Bool in
            guard let query = query.baseAddress else { return false }
            return equations.solve(
                gram: gram, unobservedWeight: als.unobservedWeight,
                regularization: als.regularization(weightSum: history.weights.reduce(0, +), otherRows: itemIDs.count),
                factors: factors, rows: history.rows, weights: history.weights, count: history.count, solution: query)
        }
        scratch.equations = equations
        return isSolved
    }

    /// The best rows by eight-bit scores, as many as `wanted`, into the pool.
    private func scan(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) {
        let items = itemIDs.count
        let k = min(wanted, items)
        scratch.query.withUnsafeBufferPointer { EightBitBlocks.quantize($0, into: &scratch.quantized) }
        if scratch.topScores.count < k {
            scratch.topScores = [Float](repeating: 0, count: k)
            scratch.topRows = [Int32](repeating: 0, count: k)
        }
        var words: [UInt64]?
        if let allowed = request.allowed {
            let needed = (items + 63) / 64
            words = allowed.count >= needed ? allowed : allowed + [UInt64](repeating: 0, count: needed - allowed.count)
        }
        let found: Int
        if let words {
            found = kernels_top_int8(
                path, blocks.base, scales.base, items, dimensions / 4, scratch.quantized, words, k, &scratch.topScores,
                &scratch.topRows)
        } else {
            found = kernels_top_int8(
                path, blocks.base, scales.base, items, dimensions / 4, scratch.quantized, nil, k, &scratch.topScores,
                &scratch.topRows)
        }
        for index in 0..<found { scratch.pool.add(scratch.topRows[index]) }
    }

    /// Calls `body` with the index of each of the newest history items and its weight as a source of successors.
    private func forEachSource(_ history: WeightedHistory, _ body: (Int, Float) -> Void) {
        var weight: Float = 1
        for index in history.rows.indices.reversed().prefix(Self.successorItems) {
            body(index, weight)
            weight *= Self.successorDecay
        }
    }

    private func addSuccessors(_ request: RankingRequest, _ scratch: inout RankingScratch) {
        guard successorShare > 0 else { return }
        let isRestricted = request.candidates != nil
        let items = Int32(itemIDs.count)
        var pool = scratch.pool
        scratch.pool = CandidatePool()
        forEachSource(scratch.history) { index, weight in
            for position in successors.range(of: Int(scratch.history.rows[index])) {
                guard let row = successors.rows.at(position), let strength = successors.strengths.at(position),
                    row >= 0, row < items
                else { continue }
                if let place = pool.place(of: row) {
                    pool.extras[place] += weight * strength
                } else if !isRestricted, request.allows(Int(row)) {
                    let place = pool.add(row)
                    pool.extras[place] = weight * strength
                }
            }
        }
        scratch.pool = pool
    }

    /// Exact factor products of the pool into `scratch.values`.
    private func scoreFactors(_ scratch: inout RankingScratch) {
        let count = scratch.pool.count
        if scratch.values.count < count { scratch.values = [Float](repeating: 0, count: count) }
        kernels_dot_rows(path, factors.base, dimensions, scratch.query, scratch.pool.rows, count, &scratch.values)
    }

    /// The exact additive decomposition of x.y over the history (Hu, Koren, Volinsky 2008, section 5): the part of item i
    /// is w_i y_i' A^-1 y with A the user's normal matrix; plus i's part of the successor strength.
    func parts(of row: Int32, _ request: RankingRequest, _ scratch: inout RankingScratch) -> [(item: Int32, part: Float)] {
        guard let equations = scratch.equations, let base = factors.base, row >= 0, Int(row) < itemIDs.count else { return [] }
        let history = scratch.history
        var solved = Array(UnsafeBufferPointer(start: base + Int(row) * dimensions, count: dimensions))
        equations.solveAgain(&solved)
        var products = [Float](repeating: 0, count: history.count)
        kernels_dot_rows(path, base, dimensions, solved, history.rows, history.count, &products)
        for index in products.indices { products[index] *= history.weights[index] / factorScale }
        if successorShare > 0 {
            forEachSource(history) { index, weight in
                for position in successors.range(of: Int(history.rows[index])) where successors.rows.at(position) == row {
                    products[index] += successorShare * weight * (successors.strengths.at(position) ?? 0) / successorScale
                }
            }
        }
        return products.indices.map { (itemIDs.at(Int(history.rows[$0])) ?? -1, products[$0]) }
    }

    /// Best factor product and best successor sum among items outside the history, for the scales of the blend.
    func bestValues(_ scratch: inout RankingScratch) -> (factor: Float, successor: Float)? {
        guard scratch.history.count > 0, foldIn(&scratch) else { return nil }
        scratch.pool.clear(itemCount: itemIDs.count)
        scan(RankingRequest(), wanted: 50 + scratch.history.count, &scratch)
        addSuccessors(RankingRequest(), &scratch)
        scoreFactors(&scratch)
        var best: (factor: Float, successor: Float) = (0, 0)
        for index in 0..<scratch.pool.count where scratch.history.place(of: scratch.pool.rows[index]) == nil {
            best.factor = max(best.factor, scratch.values[index])
            best.successor = max(best.successor, scratch.pool.extras[index])
        }
        return best
    }
}
