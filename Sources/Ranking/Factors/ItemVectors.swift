import CBLAS
import Foundation
import Kernels

/// Item vectors of a model with their eight-bit copy: products of all items with one query.
struct ItemVectors: Sendable {
    let itemCount: Int
    let dimensions: Int
    let factors: MappedArray<Float>
    /// Y'Y
    let gram: MappedArray<Float>
    /// As `EightBitBlocks` lays them out.
    let blocks: MappedArray<UInt8>
    let scales: MappedArray<Float>
    private let path = kernels_best_path()

    init(opening file: ModelFile, prefix: String, itemCount: Int) throws(ModelError) {
        self.itemCount = itemCount
        dimensions = file.section("\(prefix).factors")?.columns ?? 0
        guard dimensions > 0, dimensions % 16 == 0, dimensions <= 4096 else {
            throw .damaged("its factors have an impossible number of dimensions")
        }
        factors = try file.floats("\(prefix).factors", count: itemCount * dimensions)
        blocks = try file.array(
            "\(prefix).int8", .uint8, count: EightBitBlocks.byteCount(items: itemCount, dimensions: dimensions))
        scales = try file.floats("\(prefix).scales", count: itemCount)
        gram = try file.floats("\(prefix).gram", count: dimensions * dimensions)
        NormalEquations.useOneThreadInside()
    }

    /// The sections that `init` opens.
    static func sections(_ factors: [Float], dimensions: Int, prefix: String) -> [SectionContent] {
        let blocks = EightBitBlocks(factors, dimensions: dimensions)
        let gram = factors.withUnsafeBufferPointer { buffer -> [Float] in
            guard let base = buffer.baseAddress else { return [] }
            return NormalEquations.gram(base, rows: factors.count / max(1, dimensions), dimensions: dimensions)
        }
        return [
            SectionContent("\(prefix).factors", factors, columns: dimensions), SectionContent("\(prefix).int8", blocks.bytes),
            SectionContent("\(prefix).scales", blocks.scales), SectionContent("\(prefix).gram", gram, columns: dimensions),
        ]
    }

    func vector(_ row: Int32) -> UnsafePointer<Float>? {
        guard row >= 0, Int(row) < itemCount, let base = factors.base else { return nil }
        return base + Int(row) * dimensions
    }

    /// Root mean square of the products over all items: sqrt(q'Gq / items).
    func rootMeanSquare(_ space: inout PartSpace) -> Float? {
        let d = Int32(dimensions)
        if space.products.count < dimensions { space.products = [Float](repeating: 0, count: dimensions) }
        cblas_ssymv(CblasColMajor, CblasLower, d, 1, gram.base, d, space.query, 1, 0, &space.products, 1)
        let square = cblas_sdot(d, space.query, 1, space.products, 1)
        let scale = (square / Float(max(1, itemCount))).squareRoot()
        return scale > 0 && scale.isFinite ? scale : nil
    }

    /// Adds weight x approximate product with the query to every row's total.
    /// - Parameter rowScales: of the eight-bit rows, where each row is to count otherwise than as it is.
    func addAll(
        _ weight: Float, _ query: [Float], rowScales: MappedArray<Float>? = nil, allowed: [UInt64]?, to totals: inout [Float]
    ) {
        totals.withUnsafeMutableBufferPointer {
            addAll([weight], [query], rowScales: rowScales, allowed: allowed, to: [$0.baseAddress])
        }
    }

    /// As above for several queries in one pass, each with totals of its own.
    /// - Parameter begins: the totals hold nothing yet, and are set.
    func addAll(
        _ weights: [Float], _ queries: [[Float]], rowScales: MappedArray<Float>? = nil, allowed: [UInt64]?, begins: Bool = false,
        to totals: [UnsafeMutablePointer<Float>?]
    ) {
        var quantized: [Int8] = []
        quantized.reserveCapacity(queries.count * dimensions)
        var steps = weights
        for (index, query) in queries.enumerated() {
            steps[index] *= query.withUnsafeBufferPointer { EightBitBlocks.quantize($0, appendingTo: &quantized) }
        }
        withWords(allowed) { words in
            kernels_add_int8(
                path, blocks.base, (rowScales ?? scales).base, itemCount, dimensions / 4, quantized, queries.count, words, steps,
                begins ? 1 : 0, totals)
        }
    }

    func products(_ query: [Float], _ rows: [Int32], _ products: inout [Float]) {
        if products.count < rows.count { products = [Float](repeating: 0, count: rows.count) }
        kernels_dot_rows(path, factors.base, dimensions, query, rows, rows.count, &products)
    }

    /// The products with two queries, in one pass over the rows.
    func products(_ queries: ([Float], [Float]), _ rows: [Int32], _ first: inout [Float], _ second: inout [Float]) {
        if first.count < rows.count { first = [Float](repeating: 0, count: rows.count) }
        if second.count < rows.count { second = [Float](repeating: 0, count: rows.count) }
        kernels_dot_rows_twice(
            path, factors.base, dimensions, queries.0, queries.1, rows, rows.count, &first, &second)
    }
}
