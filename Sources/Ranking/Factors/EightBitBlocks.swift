/// Item factors in eight bits, laid out for the scan kernel: blocks of 16 items, four dimensions of one item together,
/// values biased by 128, one scale per row (value = (byte - 128) x scale).
struct EightBitBlocks: Sendable {
    var bytes: [UInt8]
    var scales: [Float]

    static let itemsPerBlock = 16

    /// Bytes that `items` rows take.
    static func byteCount(items: Int, dimensions: Int) -> Int {
        (items + itemsPerBlock - 1) / itemsPerBlock * itemsPerBlock * dimensions
    }

    init(_ factors: [Float], dimensions: Int) {
        let items = factors.count / max(1, dimensions)
        bytes = [UInt8](repeating: 128, count: Self.byteCount(items: items, dimensions: dimensions))
        scales = [Float](repeating: 0, count: items)
        for item in 0..<items {
            var largest: Float = 0
            for value in factors[item * dimensions..<(item + 1) * dimensions] { largest = max(largest, abs(value)) }
            let scale = Self.scale(ofLargest: largest)
            guard scale > 0 else { continue }
            scales[item] = scale
            let block = item / Self.itemsPerBlock * Self.itemsPerBlock * dimensions
            for dimension in 0..<dimensions {
                let quantized = Int((factors[item * dimensions + dimension] / scale).rounded())
                bytes[block + dimension / 4 * 64 + item % Self.itemsPerBlock * 4 + dimension % 4] = UInt8(quantized + 128)
            }
        }
    }

    /// Each row's scale, as `init` chooses it.
    static func scales(_ factors: [Float], dimensions: Int) -> [Float] {
        (0..<factors.count / max(1, dimensions)).map { item in
            scale(ofLargest: factors[item * dimensions..<(item + 1) * dimensions].reduce(0) { max($0, abs($1)) })
        }
    }

    /// Below the bound the scale would vanish, and such a row scores nothing anyway.
    private static func scale(ofLargest largest: Float) -> Float { largest > 1e-30 && largest.isFinite ? largest / 127 : 0 }

    /// A query in eight bits; gives the worth of one step.
    static func quantize(_ query: UnsafeBufferPointer<Float>, appendingTo target: inout [Int8]) -> Float {
        var largest: Float = 0
        for value in query { largest = max(largest, abs(value)) }
        let scale = largest > 1e-30 && largest.isFinite ? 127 / largest : 0
        for value in query {
            let scaled = value * scale
            target.append(scaled.isFinite ? Int8(max(-127, min(127, scaled.rounded()))) : 0)
        }
        return scale > 0 ? largest / 127 : 0
    }
}
