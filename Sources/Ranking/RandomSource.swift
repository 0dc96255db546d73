import Foundation

/// SplitMix64 (Steele, Lea, Flood 2014): small, seedable, the same on every machine.
struct RandomSource: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// Uniform in (0, 1).
    mutating func uniform() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }

    /// Standard normal, by the Box-Muller transform.
    mutating func normal() -> Float {
        Float((-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()))
    }

    /// A well mixed function of the bits, to hash ids.
    static func mix(_ bits: UInt64) -> UInt64 {
        var z = bits
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
