/// Share of the catalogue that stands in the first places of somebody's list.
public struct Coverage: Sendable {
    /// The observed share, then those of 200 draws of groups.
    private let shares: [Double]

    /// - Parameters:
    ///   - lists: rows of `depth` items; negative ones are empty places, and what the catalogue does not list counts for nothing.
    ///   - groups: of each row, ascending.
    public init(lists: [Int32], depth: Int, cutoff: Int, groups: [Int32], catalog: CatalogProfile, seed: UInt64, draws: Int = 200) {
        var starts: [Int] = []
        for row in groups.indices where row == 0 || groups[row] != groups[row - 1] { starts.append(row) }
        starts.append(groups.count)
        let groupCount = starts.count - 1
        var shares: [Double] = []
        var lastDraw = [Int32](repeating: -1, count: catalog.isListed.count)
        for draw in 0...draws {
            let weights = draw == 0 ? nil : Bootstrap.weights(groups: groupCount, seed: seed, draw: draw)
            var seen = 0
            for group in 0..<groupCount where weights.map({ $0[group] > 0 }) ?? true {
                for row in starts[group]..<starts[group + 1] {
                    for item in lists[row * depth..<row * depth + min(cutoff, depth)] where catalog.lists(item) {
                        if lastDraw[Int(item)] != Int32(draw) {
                            lastDraw[Int(item)] = Int32(draw)
                            seen += 1
                        }
                    }
                }
            }
            shares.append(catalog.itemCount > 0 ? Double(seen) / Double(catalog.itemCount) : 0)
        }
        self.shares = shares
    }

    /// A draw repeats users and so shows fewer items; the interval is therefore the observed share with the draws' spread,
    /// not the draws' own percentiles.
    public var estimate: Bootstrap.Estimate { Self.around(shares) }

    public func difference(minus other: Coverage) -> Bootstrap.Estimate { Self.around(zip(shares, other.shares).map { $0 - $1 }) }

    private static func around(_ values: [Double]) -> Bootstrap.Estimate {
        let drawn = values.dropFirst()
        let mean = drawn.reduce(0, +) / Double(max(1, drawn.count))
        let variance = drawn.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, drawn.count - 1))
        let value = values.first ?? 0
        let reach = 1.96 * variance.squareRoot()
        return Bootstrap.Estimate(value: value, lower: value - reach, upper: value + reach)
    }
}
