import Foundation
import Testing

/// Stored results of public packages; their origin stands in the files.
enum Reference {
    struct Values: Decodable {
        struct Welch: Decodable {
            let a, b: [Double]
            let p, df, lower, upper: Double
        }
        struct ChiSquare: Decodable {
            let observed: [Int]
            let weights: [Double]
            let statistic, p: Double
        }
        struct Adjusted: Decodable {
            let p, holm, bh: [Double]
        }
        struct Power: Decodable {
            let effect, n1, ratio, power: Double
        }
        struct Size: Decodable {
            let effect, power, n1: Double
        }
        struct SequentialRatio: Decodable {
            let observed: [Int]
            let weights: [Double]
            let k, log: Double
        }
        struct CupedRatio: Decodable {
            let rows: [[Double]]
            let estimate, lower, upper, p: Double
        }
        struct Test: Decodable {
            let estimate, lower, upper, p: Double
        }
        struct Percentile: Decodable {
            let values: [Double]
            let fraction, result: Double

            init(from decoder: any Decoder) throws {
                var row = try decoder.unkeyedContainer()
                values = try row.decode([Double].self)
                fraction = try row.decode(Double.self)
                result = try row.decode(Double.self)
            }
        }

        let tUpperTail, tQuantile, normalQuantile, normalCumulative, beta, logBeta, gammaUpper, wilson, newcombe, conversion: [[Double]]
        let chiSquare: [ChiSquare]
        let welch: [Welch]
        let adjust: Adjusted
        let power: [Power]
        let sampleSize: [Size]
        let sequentialSrm: [SequentialRatio]
        let percentile: [Percentile]
        let cupedRatio: CupedRatio
        let cupedRelative: Test
    }

    static func values() throws -> Values {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Values.self, from: data("reference-values"))
    }

    static func data(_ name: String) throws -> Data {
        let url = try #require(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Resources"))
        return try Data(contentsOf: url)
    }
}

extension Double {
    /// Whether two numbers agree to a relative tolerance, or absolutely to `floor`.
    func isClose(to other: Double, _ tolerance: Double, floor: Double = 0) -> Bool {
        self == other || abs(self - other) <= Swift.max(tolerance * abs(other), floor)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func uniform() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }
}
