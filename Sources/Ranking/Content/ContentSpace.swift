import CBLAS
import Kernels

/// What metadata says of items, taken apart: the directions that many items share, and what is left of each feature.
///
/// With V the strongest right singular vectors of F, items x features, items lie at Z = F V (latent semantic analysis, Deerwester et
/// al. 1990). The share of a feature's length that V leaves, 1 - |Z V_f| ^2 / |F_f|^2, is near 0 for a genre and near 1 for a word
/// that only the parts of one series have in their titles. Regressions need the first, which they weigh against each other in `rank`
/// dimensions; the second are few for each item and speak for themselves.
struct ContentSpace: Sendable {
    let itemCount: Int
    let rank: Int
    let featureCount: Int
    /// Z, items x rank, row-major.
    private let places: SharedArray<Float>
    /// Items x features, every value times the root of the share that V leaves of its feature.
    let rest: SparseRows
    private let threads: Int

    /// Of the regressions, where the catalog is small and where it is not.
    private static let ranks = 64...256
    /// What vectors should take in a model file at five bytes a number, and what they may take.
    private static let vectorBytes = (wanted: 24 << 20, most: 64 << 20)
    /// Features that directions are looked for in, commonest first.
    static let featureLimit = 1 << 16
    /// A feature of which less is left is described by the directions.
    private static let leastShare: Float = 0.02
    private static let chunk = 256

    static func rank(items: Int, features: Int) -> Int {
        func room(_ bytes: Int) -> Int { bytes / 5 / max(1, items) / 16 * 16 }
        let wanted = min(ranks.upperBound, max(ranks.lowerBound, room(vectorBytes.wanted)))
        return max(16, min(wanted, room(vectorBytes.most), (features + 15) / 16 * 16))
    }

    /// What making one takes at most.
    static func peakBytes(_ features: FeatureRows) -> Int {
        let count = min(featureLimit, features.featureCount)
        let rank = rank(items: features.rows.rowCount, features: count)
        return features.rows.columns.count * 24 + (count + features.rows.rowCount) * rank * 8
    }

    init(_ features: FeatureRows, seed: UInt64, threads: Int, _ span: ProgressSpan) throws(FitError) {
        let rows = features.rows.keepingCommonColumns(Self.featureLimit, columnCount: features.featureCount)
        featureCount = min(Self.featureLimit, features.featureCount)
        itemCount = rows.rowCount
        rank = Self.rank(items: itemCount, features: featureCount)
        self.threads = threads
        let axes = try SpectrumFit(rank: rank, seed: seed, threads: threads)
            .fit(rows, itemCount: featureCount, span.part(0, 0.9)).vectors
        let places = SharedArray<Float>(repeating: 0, count: itemCount * rank)
        let path = kernels_best_path()
        let width = rank
        try ParallelRows(threads: threads).run(count: itemCount, chunk: 64, span: span.part(0.9, 1)) {
            { range in
                axes.withUnsafeBufferPointer { axes in
                    guard let base = axes.baseAddress else { return }
                    for row in range {
                        rows.forEach(in: row) { kernels_add_scaled(path, base + $0 * width, width, $1, places.base + row * width) }
                    }
                }
            }
        }
        self.places = places
        let wanted = [Bool](repeating: true, count: itemCount)
        let shares = Self.shares(rows, axes, Self.gram(places, rank: rank, wanted), featureCount: featureCount)
        rest = rows.scalingColumns(shares.map { $0 < Self.leastShare ? 0 : $0.squareRoot() })
    }

    /// Vectors y, items x rank, whose products are the ridge regression of a history on the directions: y_i'y_j = z_i'(Z'Z + ridge I)^-1 z_j,
    /// Z'Z over the learned items alone.
    func regression(learned: [Bool], ridge: Float, _ span: ProgressSpan) throws(FitError) -> [Float]? {
        guard let turn = Self.inverseRoot(Self.gram(places, rank: rank, learned), rank: rank, ridge: ridge) else { return nil }
        let result = SharedArray<Float>(repeating: 0, count: itemCount * rank)
        let (places, rank) = (places, Int32(rank))
        try ParallelRows(threads: threads).run(count: itemCount, chunk: Self.chunk, span: span) {
            { range in
                let start = range.lowerBound * Int(rank)
                cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(range.count), rank, rank, 1, places.base + start, rank, turn, rank, 0,
                    result.base + start, rank)
            }
        }
        return Array(UnsafeBufferPointer(start: result.base, count: result.count))
    }

    /// E (S + ridge I)^-1/2 of Z'Z = E S E', row-major.
    private static func inverseRoot(_ gram: [Float], rank: Int, ridge: Float) -> [Float]? {
        var vectors = gram
        var values = [Float](repeating: 0, count: rank)
        var (size, info) = (Int32(rank), Int32(0))
        var workSize = Int32(rank * 40 + 64)
        var work = [Float](repeating: 0, count: Int(workSize))
        ssyev_("V", "L", &size, &vectors, &size, &values, &work, &workSize, &info)
        guard info == 0, values.allSatisfy(\.isFinite) else { return nil }
        var turn = [Float](repeating: 0, count: rank * rank)
        for column in 0..<rank {
            let scale = 1 / (max(0, values[column]) + ridge).squareRoot()
            // LAPACK's columns are our rows.
            for row in 0..<rank { turn[row * rank + column] = vectors[column * rank + row] * scale }
        }
        return turn
    }

    /// Z'Z over the wanted items; all of it, symmetric.
    private static func gram(_ places: SharedArray<Float>, rank: Int, _ wanted: [Bool]) -> [Float] {
        NormalEquations.useOneThreadInside()
        var gram = [Float](repeating: 0, count: rank * rank)
        var buffer = [Float](repeating: 0, count: chunk * rank)
        var filled = 0
        let d = Int32(rank)
        for item in wanted.indices {
            if wanted[item] {
                for index in 0..<rank { buffer[filled * rank + index] = places.base[item * rank + index] }
                filled += 1
            }
            guard filled == chunk || item == wanted.count - 1, filled > 0 else { continue }
            cblas_ssyrk(CblasColMajor, CblasLower, CblasNoTrans, d, Int32(filled), 1, buffer, d, 1, &gram, d)
            filled = 0
        }
        for row in 0..<rank { for column in 0..<row { gram[row * rank + column] = gram[column * rank + row] } }
        return gram
    }

    /// Per feature what V leaves of its squared length.
    private static func shares(_ rows: SparseRows, _ axes: [Float], _ gram: [Float], featureCount: Int) -> [Float] {
        let rank = axes.count / max(1, featureCount)
        var lengths = [Float](repeating: 0, count: featureCount)
        for position in rows.columns.indices { lengths[Int(rows.columns[position])] += rows.values[position] * rows.values[position] }
        var products = [Float](repeating: 0, count: chunk * rank)
        let d = Int32(rank)
        var result = [Float](repeating: 0, count: featureCount)
        for start in stride(from: 0, to: featureCount, by: chunk) {
            let count = min(chunk, featureCount - start)
            axes.withUnsafeBufferPointer { axes in
                guard let base = axes.baseAddress.map({ $0 + start * rank }) else { return }
                cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(count), d, d, 1, base, d, gram, d, 0, &products, d)
                for place in 0..<count {
                    let described = cblas_sdot(d, base + place * rank, 1, Array(products[place * rank..<(place + 1) * rank]), 1)
                    let length = lengths[start + place]
                    result[start + place] = length > 0 ? max(0, min(1, 1 - described / length)) : 0
                }
            }
        }
        return result
    }
}
