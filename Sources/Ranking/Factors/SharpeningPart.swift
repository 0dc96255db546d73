import CBLAS
import Foundation
import Kernels

/// The sharpening of BSPM (Choi et al. 2023, "Blurring-Sharpening Process Models for Collaborative Filtering"): with P = R~'R~ the
/// item graph, L its low-pass half as in `SpectrumPart`, and x = r (P + L / 2) what both say of a history r, sharpened is x e^-P, which
/// takes back what everybody gets. In the spectrum P = V diag(lambda) V' the difference to x is
///
/// score = -x V (1 - e^-lambda) V' = -(r V lambda + r D^-1/2 V M / 2) (1 - e^-lambda) V', M = V' D^1/2 V.
///
/// It corrects the graph and the spectrum and says little alone. How strong it is the blend's weight says; the step of 1 and the
/// half are no parameters, for other values with their best weight do alike.
struct SharpeningPart: ProductPart {
    let usesHistory = true
    let vectors: ItemVectors
    private let sourceScales: MappedArray<Float>
    /// Of the eight-bit rows, for v in place of y = sqrt(d) v.
    private let rowScales: MappedArray<Float>
    private let mixing: MappedArray<Float>
    /// 1 - e^-lambda, and lambda times that.
    private let fading: [Float]
    private let pull: [Float]
    private let rule: SourceRule
    private let path = kernels_best_path()

    private static let lowPassShare: Float = 0.5

    init(opening file: ModelFile, prefix: String, rule: SourceRule, itemCount: Int) throws(ModelError) {
        vectors = try ItemVectors(opening: file, prefix: prefix, itemCount: itemCount)
        sourceScales = try file.floats("\(prefix).sources", count: itemCount)
        rowScales = try file.floats("\(prefix).plain_scales", count: itemCount)
        mixing = try file.floats("\(prefix).mixing", count: vectors.dimensions * vectors.dimensions)
        let eigenvalues = try file.floats("\(prefix).eigenvalues", count: vectors.dimensions)
        fading = eigenvalues.buffer.map { 1 - expf(-$0) }
        pull = zip(fading, eigenvalues.buffer).map { $0 * $1 }
        self.rule = rule
    }

    /// What it needs beside the sections of a spectrum whose vectors are `scaled` by the roots of the degrees.
    static func sections(_ spectrum: SpectrumFit.Spectrum, scaled: [Float], prefix: String) -> [SectionContent] {
        let rank = spectrum.eigenvalues.count
        let items = scaled.count / max(1, rank)
        var mixing = [Float](repeating: 0, count: rank * rank)
        let d = Int32(rank)
        cblas_sgemm(
            CblasRowMajor, CblasTrans, CblasNoTrans, d, d, Int32(items), 1, spectrum.vectors, d, scaled, d, 0, &mixing, d)
        let plain = EightBitBlocks.scales(spectrum.vectors, dimensions: rank)
        return [
            SectionContent("\(prefix).eigenvalues", spectrum.eigenvalues), SectionContent("\(prefix).mixing", mixing, columns: rank),
            SectionContent("\(prefix).plain_scales", plain),
        ]
    }

    func begin(_ history: WeightedHistory, _ space: inout PartSpace) -> Float? {
        let d = vectors.dimensions
        var lowPass = [Float](repeating: 0, count: d)
        var graph = lowPass
        rule.forEach(history) { index, weight in
            let row = history.rows[index]
            guard let vector = vectors.vector(row), let scale = sourceScales.at(Int(row)) else { return }
            kernels_add_scaled(path, vector, d, weight * scale, &lowPass)
            kernels_add_scaled(path, vector, d, weight * scale.squareRoot(), &graph)
        }
        let mixed = mix(lowPass)
        space.query = (0..<d).map { -(pull[$0] * graph[$0] + Self.lowPassShare * fading[$0] * mixed[$0]) }
        // V is orthonormal.
        let square = kernels_sum_squares(path, space.query, d)
        let scale = (square / Float(max(1, vectors.itemCount))).squareRoot()
        return scale > 0 && scale.isFinite ? scale : nil
    }

    func addAll(_ weight: Float, _ space: inout PartSpace, allowed: [UInt64]?, to totals: inout [Float]) {
        vectors.addAll(weight, space.query, rowScales: rowScales, allowed: allowed, to: &totals)
    }

    func add(_ weight: Float, _ products: [Float], rows: [Int32], to scores: inout [Float]) {
        for (index, row) in rows.enumerated() { scores[index] += weight * root(row) * products[index] }
    }

    func addParts(
        _ weight: Float, of row: Int32, _ history: WeightedHistory, _ space: inout PartSpace, to parts: inout [Float]
    ) {
        guard let vector = vectors.vector(row) else { return }
        let target = (0..<vectors.dimensions).map { root(row) * vector[$0] }
        let lowPass = mix(zip(fading, target).map { $0 * $1 })
        vectors.products(lowPass, history.rows, &space.products)
        rule.forEach(history) { index, source in
            let scale = sourceScales.at(Int(history.rows[index])) ?? 0
            parts[index] -= weight * source * Self.lowPassShare * scale * space.products[index]
        }
        vectors.products(zip(pull, target).map { $0 * $1 }, history.rows, &space.products)
        rule.forEach(history) { index, source in parts[index] -= weight * source * root(history.rows[index]) * space.products[index] }
    }

    /// 1 / sqrt(d), which turns y into v.
    private func root(_ row: Int32) -> Float { (sourceScales.at(Int(row)) ?? 0).squareRoot() }

    private func mix(_ values: [Float]) -> [Float] {
        let d = Int32(vectors.dimensions)
        var result = [Float](repeating: 0, count: values.count)
        cblas_ssymv(CblasColMajor, CblasLower, d, 1, mixing.base, d, values, 1, 0, &result, 1)
        return result
    }
}
