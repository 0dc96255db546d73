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
        self.init(count: items, dimensions: dimensions)
        factors.withUnsafeBufferPointer { factors in
            for item in 0..<items { set(item, factors[item * dimensions..<(item + 1) * dimensions]) }
        }
    }

    /// The rows in another order; zeros for places of -1.
    init(_ factors: UnsafeBufferPointer<Float>, dimensions: Int, places: [Int32]) {
        self.init(count: places.count, dimensions: dimensions)
        for (place, row) in places.enumerated() where row >= 0 {
            set(place, factors[Int(row) * dimensions..<(Int(row) + 1) * dimensions])
        }
    }

    private init(count: Int, dimensions: Int) {
        bytes = [UInt8](repeating: 128, count: Self.byteCount(items: count, dimensions: dimensions))
        scales = [Float](repeating: 0, count: count)
    }

    private mutating func set(_ place: Int, _ vector: Slice<UnsafeBufferPointer<Float>>) {
        var largest: Float = 0
        for value in vector { largest = max(largest, abs(value)) }
        let scale = Self.scale(ofLargest: largest)
        guard scale > 0 else { return }
        scales[place] = scale
        let block = place / Self.itemsPerBlock * Self.itemsPerBlock * vector.count
        for (dimension, value) in vector.enumerated() {
            let quantized = Int((value / scale).rounded())
            bytes[block + dimension / 4 * 64 + place % Self.itemsPerBlock * 4 + dimension % 4] = UInt8(quantized + 128)
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
