/// The contract's promotion in a request: a share of the places for what a filter selects.
enum PromotedShare {
    /// Places of a list that a percentage takes: rounded up.
    static func count(of total: Int, percent: Int) -> Int { (total * percent + 99) / 100 }

    /// Puts the promoted items, in their order, on random places of the list; the seed makes it reproducible.
    static func weave(_ promoted: [Candidate], into rest: [Recommending.ChosenItem], seed: UInt32) -> [Recommending.ChosenItem] {
        var generator = SeededGenerator(seed)
        let total = promoted.count + rest.count
        let places = Set(Array(0..<total).shuffled(using: &generator).prefix(promoted.count))
        var promoted = promoted.makeIterator()
        var rest = rest.makeIterator()
        return (0..<total).compactMap { place in
            guard places.contains(place) else { return rest.next() }
            return promoted.next().map { Recommending.ChosenItem(candidate: $0, isRequestPromoted: true) }
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood, 2014): the same choices for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt32) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
