import Foundation

/// Vectors made elsewhere, served exactly; a large catalog by inverted lists with measured recall.
///
/// A user's vector is the imported one, else the weighted mean of the vectors of the history's items. score(j) = x . y_j, or the cosine
/// of the two; the best are found by an eight-bit scan whose error is bounded, so that they are those of brute force.
struct VectorRecipe: Recipe {
    let kind = RankedItem.Kind.personalized
    let normalization: ScoreNormalization
    private let itemIDs: MappedArray<Int32>
    let vectors: ItemVectors
    private let userIDs: MappedArray<Int32>
    let users: MappedArray<Float>
    private let isCosine: Bool
    /// Of any component, and of any row's absolute components.
    private let largestValue: Float
    private let largestSum: Float
    var lists: InvertedLists?
    var probes: ListProbes?

    static func fit(
        _ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ span: ProgressSpan, into draft: inout ModelDraft
    ) throws(FitError) {
        throw .unusableData("Models of \(configuration.recipe.rawValue) are imported, not trained: see `tastemaker model import`.")
    }

    static func memoryEstimate(items: Int, users: Int, events: Int, _ configuration: FitConfiguration) -> Int { 0 }

    init(opening file: ModelFile, _ header: ModelHeader) throws(ModelError) {
        itemIDs = header.itemIDs
        vectors = try ItemVectors(opening: file, prefix: "vectors", itemCount: header.itemCount)
        userIDs = try file.array("users.ids", .int32)
        users = try file.floats("users.vectors", count: userIDs.count * vectors.dimensions)
        isCosine = header.properties["metric"] == VectorImport.Metric.cosine.rawValue
        largestValue = try header.number("largest_value")
        largestSum = try header.number("largest_sum")
        probes = try ListProbes(header.properties)
        lists =
            probes == nil
            ? nil
            : try InvertedLists(opening: file, prefix: "vectors", itemCount: header.itemCount, dimensions: vectors.dimensions)
        // An item of usual length scores its mean square with itself; shares of 1 are made on that scale.
        let square = try header.number("mean_square")
        normalization = .softmax(sharpness: square > 0 ? 4 / square : 1)
    }

    func score(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) -> Bool {
        if scratch.spaces.isEmpty { scratch.spaces = [PartSpace()] }
        guard fillQuery(request, scratch.history, &scratch.spaces[0]) else { return false }
        if request.candidates == nil {
            // What is shown must be exact: the history's items may be taken away from the best.
            retrieve(request, needed: min(wanted, request.count + scratch.history.count), atLeast: wanted, &scratch)
            for boost in request.boosts ?? [] where boost.row >= 0 && boost.row < itemIDs.count && request.allows(boost.row) {
                scratch.pool.add(Int32(boost.row))
            }
        }
        rescore(&scratch)
        return true
    }

    /// The user's vector into the query; of length 1 for the cosine. False when there is none.
    private func fillQuery(_ request: RankingRequest, _ history: WeightedHistory, _ space: inout PartSpace) -> Bool {
        let d = vectors.dimensions
        space.query = [Float](repeating: 0, count: d)
        if let user = request.user, let row = firstRow(of: user, in: userIDs.buffer) {
            for dimension in 0..<d { space.query[dimension] = users.at(row * d + dimension) ?? 0 }
        } else {
            let total = history.weights.reduce(0, +)
            guard total > 0 else { return false }
            for (row, weight) in zip(history.rows, history.weights) {
                guard let vector = vectors.vector(row) else { continue }
                for dimension in 0..<d { space.query[dimension] += weight / total * vector[dimension] }
            }
        }
        let length = space.query.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
        guard length > 0, length.isFinite else { return false }
        space.factor = isCosine ? 1 / length : 1
        for dimension in 0..<d { space.query[dimension] *= space.factor }
        return true
    }

    /// Reads the inverted lists where they find so much behind the request's filter, else all vectors.
    func retrieve(_ request: RankingRequest, needed: Int, atLeast wanted: Int, _ scratch: inout RankingScratch) {
        guard let lists, let probes else { return scan(request, needed: needed, atLeast: wanted, &scratch) }
        let words = paddedFilter(request)
        let admitted = words.map { $0.reduce(0) { $0 + $1.nonzeroBitCount } } ?? itemIDs.count
        let share = Double(admitted) / Double(max(1, itemIDs.count))
        let k = min(wanted, itemIDs.count)
        guard
            lists.read(
                k, scratch.spaces[0].query, depth: max(1, needed), allowed: words, share: share, probes, &scratch.spaces[0].lists)
        else { return scan(request, needed: needed, atLeast: wanted, &scratch) }
        scratch.pool.add(scratch.spaces[0].lists.found)
    }

    private func paddedFilter(_ request: RankingRequest) -> [UInt64]? {
        let words = (itemIDs.count + 63) / 64
        return request.allowed.map { $0.count < words ? $0 + [UInt64](repeating: 0, count: words - $0.count) : $0 }
    }

    /// Rows whose approximate scores are best into the pool, so many that nothing outside can be among the best `needed`.
    private func scan(_ request: RankingRequest, needed: Int, atLeast wanted: Int, _ scratch: inout RankingScratch) {
        let items = itemIDs.count
        let allowed = paddedFilter(request)
        let bound = errorBound(scratch.spaces[0].query)
        var k = min(items, max(1, wanted))
        while items > 0 {
            let query = VectorSearch.Query(vector: scratch.spaces[0].query, weight: 1, count: k)
            scratch.search.run([query], in: vectors, allowed: allowed)
            scratch.pool.add(distinct: scratch.search.found(0))
            guard scratch.search.found(0).count == k, k < items, let last = scratch.search.foundScores(0).min() else { return }
            rescore(&scratch)
            let exact = scratch.pool.scores.sorted(by: >)
            if needed > 0, needed <= exact.count, exact[needed - 1] > last + bound { return }
            k = min(items, 4 * k)
        }
    }

    func rescore(_ scratch: inout RankingScratch) {
        vectors.products(scratch.spaces[0].query, scratch.pool.rows, &scratch.spaces[0].products)
        scratch.pool.scores = Array(scratch.spaces[0].products.prefix(scratch.pool.count))
    }

    /// How far an approximate score can be from the exact one. With values rounded to steps of s in the items and t in the query,
    /// |q.y - q'.y'| <= |q|_1 s / 2 + t / 2 (|y|_1 + d s / 2); and the sums of d products in single precision add their own.
    private func errorBound(_ query: [Float]) -> Float {
        let d = Float(vectors.dimensions)
        let sum = query.reduce(Float(0)) { $0 + abs($1) }
        let s = largestValue / 127
        let t = (query.map { abs($0) }.max() ?? 0) / 127
        let rounding = sum * s / 2 + t / 2 * (largestSum + d * s / 2)
        return rounding + 2 * d * Float.ulpOfOne * sum * largestValue
    }

    /// Of a mean, what each item of the history brings; nothing of a vector that was imported for the user.
    func parts(of row: Int32, _ request: RankingRequest, _ scratch: inout RankingScratch) -> [(item: Int32, part: Float)] {
        if let user = request.user, firstRow(of: user, in: userIDs.buffer) != nil { return [] }
        let history = scratch.history
        let total = history.weights.reduce(0, +)
        guard total > 0, let vector = vectors.vector(row) else { return [] }
        let target = Array(UnsafeBufferPointer(start: vector, count: vectors.dimensions))
        vectors.products(target, history.rows, &scratch.spaces[0].products)
        return history.rows.indices.map { index in
            let part = history.weights[index] / total * scratch.spaces[0].products[index] * scratch.spaces[0].factor
            return (itemIDs.at(Int(history.rows[index])) ?? -1, part)
        }
    }
}
