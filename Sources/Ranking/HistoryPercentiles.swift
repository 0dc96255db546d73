extension InteractionMatrix {
    /// Applies the featurization parameters that bound history lengths and item counts by percentile.
    ///
    /// Only values that the caller set to something else than the contract's default act: the defaults would take the
    /// longest histories and, for related items, the tenth of the items that are most popular away from every model.
    /// Users below the least percentile are left out; longer histories than the greatest keep their newest events.
    /// Items outside their percentiles are left out.
    static func applyPercentiles(
        _ positions: [Int32], _ data: TrainingData, _ configuration: FitConfiguration
    ) -> [Int32] {
        var kept = positions
        if let bounds = bounds("user_history_length", of: { kept.map { data.users[Int($0)] } }, configuration) {
            let counts = Dictionary(kept.map { (data.users[Int($0)], 1) }, uniquingKeysWith: +)
            var fromNewest: [Int32: Int] = [:]
            kept = kept.reversed().filter { position in
                let user = data.users[Int(position)]
                fromNewest[user, default: 0] += 1
                return counts[user, default: 0] >= bounds.lowerBound && fromNewest[user, default: 0] <= bounds.upperBound
            }.reversed()
        }
        if let bounds = bounds("item_interaction_count", of: { kept.map { data.items[Int($0)] } }, configuration) {
            let counts = Dictionary(kept.map { (data.items[Int($0)], 1) }, uniquingKeysWith: +)
            kept = kept.filter { bounds.contains(counts[data.items[Int($0)], default: 0]) }
        }
        return kept
    }

    /// Counts at the two percentiles (nearest rank) over the distinct ids; nil when both stand at their defaults.
    private static func bounds(
        _ name: String, of ids: () -> [Int32], _ configuration: FitConfiguration
    ) -> ClosedRange<Int>? {
        let least = configuration.chosen("min_\(name)_percentile")
        let most = configuration.chosen("max_\(name)_percentile")
        if least == nil, most == nil { return nil }
        let counts = Dictionary(ids().map { ($0, 1) }, uniquingKeysWith: +).values.sorted()
        func count(at percentile: Double) -> Int {
            guard let last = counts.last else { return 0 }
            let rank = Int((percentile * Double(counts.count)).rounded(.up)) - 1
            return rank < counts.count ? counts[max(0, rank)] : last
        }
        let lower = least.map { $0 > 0 ? count(at: $0) : 0 } ?? 0
        return lower...max(lower, most.map(count(at:)) ?? .max)
    }
}
