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
            // Below this the scale would vanish, and such a row scores nothing anyway.
            guard largest > 1e-30, largest.isFinite else { continue }
            let scale = largest / 127
            scales[item] = scale
            let block = item / Self.itemsPerBlock * Self.itemsPerBlock * dimensions
            for dimension in 0..<dimensions {
                let quantized = Int((factors[item * dimensions + dimension] / scale).rounded())
                bytes[block + dimension / 4 * 64 + item % Self.itemsPerBlock * 4 + dimension % 4] = UInt8(quantized + 128)
            }
        }
    }

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
