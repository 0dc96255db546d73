import Foundation

/// SplitMix64 (Steele, Lea, Flood 2014): the demo shop is the same on every machine for a seed.
public struct DemoRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    /// A generator of its own for one thing, so that what one visitor does changes nothing for the next.
    public init(seed: UInt64, _ purpose: StaticString, _ index: Int = 0) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in UnsafeBufferPointer(start: purpose.utf8Start, count: purpose.utf8CodeUnitCount) {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        state = seed ^ hash ^ (UInt64(truncatingIfNeeded: index) &* 0xD6E8_FEB8_6659_FD93)
        _ = next()
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in (0, 1).
    mutating func uniform() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }

    mutating func chance(_ probability: Double) -> Bool { uniform() < probability }

    /// Uniform in 0 ..< count.
    mutating func index(_ count: Int) -> Int { min(count - 1, Int(uniform() * Double(count))) }

    /// Standard normal, by the Box-Muller transform.
    mutating func normal() -> Double { (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()) }

    /// Exponential with a mean.
    mutating func exponential(_ mean: Double) -> Double { -log(uniform()) * mean }

    /// A position drawn in proportion to the weights; nil when all are 0.
    mutating func choose(_ weights: [Double]) -> Int? {
        let total = weights.reduce(0, +)
        guard total > 0 else { return nil }
        var rest = uniform() * total
        for (index, weight) in weights.enumerated() where weight > 0 {
            rest -= weight
            if rest <= 0 { return index }
        }
        return weights.lastIndex { $0 > 0 }
    }

    mutating func pick<T>(_ values: [T]) -> T { values[index(values.count)] }
}
