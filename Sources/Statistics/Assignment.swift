/// Deterministic assignment of units to the arms of an experiment, person by person equal to GrowthBook's hash version 2.
public enum Assignment {
    /// Where a unit falls for a seed: a multiple of 1/10,000 in 0 ..< 1.
    ///
    /// n = fnv1a32(decimal(fnv1a32(seed + unit))) mod 10,000 / 10,000, over UTF-16 code units as GrowthBook's JavaScript and Python SDKs
    /// hash (growthbook 4.0.0). Version 1 of that hash gives dependent assignments across experiments and must not be used.
    public static func bucket(seed: String, unit: String) -> Double {
        let inner = fnv1a32(unit.utf16, from: fnv1a32(seed.utf16))
        return Double(fnv1a32(String(inner).utf16) % 10_000) / 10_000
    }

    /// The slot of a namespace that a unit belongs to: 0 ..< slots. Experiments that own different slots share no unit.
    public static func namespaceSlot(namespaceSeed: String, unit: String, slots: Int) -> Int {
        Int(bucket(seed: "ns:" + namespaceSeed, unit: unit) * Double(slots))
    }

    /// Whether a hold-out keeps a unit out of all experiments of its group.
    /// - Parameter share: part of the units held out, 0 ... 1.
    public static func isHeldOut(groupSeed: String, unit: String, share: Double) -> Bool {
        bucket(seed: "hold:" + groupSeed, unit: unit) < share
    }

    /// FNV-1a with 32 bits (Fowler, Noll, Vo), each code unit taken as one step.
    static func fnv1a32(_ codeUnits: String.UTF16View, from start: UInt32 = 0x811C_9DC5) -> UInt32 {
        var hash = start
        for codeUnit in codeUnits { hash = (hash ^ UInt32(codeUnit)) &* 0x0100_0193 }
        return hash
    }
}

/// How an experiment divides its units among its arms. Arm i owns the band [w₁ + … + wᵢ₋₁, that + coverage · wᵢ) of the bucket.
///
/// Bands grow at their upper end: with more coverage nobody who was in leaves and nobody changes arm. Other weights need another seed.
public struct ArmBands: Sendable {
    public let seed: String
    /// Shares of the arms; sum 1.
    public let weights: [Double]
    /// Part of the units that take part, 0 ... 1.
    public let coverage: Double

    /// - Parameters:
    ///   - weights: not negative; scaled to sum 1.
    ///   - coverage: clamped to 0 ... 1.
    /// - Returns: nil when no weight is positive, or one is negative or not finite.
    public init?(seed: String, weights: [Double], coverage: Double = 1) {
        let total = weights.reduce(0, +)
        guard total > 0, total.isFinite, weights.allSatisfy({ $0 >= 0 }), !coverage.isNaN else { return nil }
        self.seed = seed
        // Already scaled weights stay as they are, so that the borders are the ones that GrowthBook's SDKs compute.
        self.weights = abs(total - 1) < 1e-9 ? weights : weights.map { $0 / total }
        self.coverage = min(max(coverage, 0), 1)
    }

    /// The arm of a unit; nil for a unit that does not take part.
    public func arm(of unit: String) -> Int? {
        let bucket = Assignment.bucket(seed: seed, unit: unit)
        return bands.firstIndex { $0.contains(bucket) }
    }

    /// The band of each arm, as GrowthBook's `ranges` take them.
    public var bands: [Range<Double>] {
        var start = 0.0
        return weights.map { weight in
            defer { start += weight }
            return start..<(start + coverage * weight)
        }
    }
}
