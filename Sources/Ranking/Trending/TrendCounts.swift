import Foundation

/// How many users met each item in the newest interval and in those before it. A user counts once for an item and interval, so that
/// one who reloads a page makes no trend.
///
/// The baseline is the intervals before the newest, each weighing half as much as the one after it: the last one counts most, and the
/// older ones keep a single quiet interval from looking like the rule.
public struct TrendCounts: Sendable {
    /// Intervals that take part: the newest and eight before it. The ninth would weigh 1/256 of the first.
    public static let intervals = 9

    private struct Count {
        var newest = 0.0
        /// Of the interval just before.
        var previous = 0.0
        var baseline = 0.0
    }

    private var counts: [Int32: Count] = [:]
    /// Over all items: how busy the intervals were.
    public private(set) var newestTotal = 0.0
    public private(set) var baselineTotal = 0.0

    public init() {}

    /// - Parameter age: 0 for the newest interval; from `intervals` on nothing is added.
    public mutating func add(item: Int32, age: Int, users: Double) {
        guard (0..<Self.intervals).contains(age), users > 0 else { return }
        if age == 0 {
            counts[item, default: Count()].newest += users
            newestTotal += users
        } else {
            let weighted = users / Double(1 << (age - 1))
            counts[item, default: Count()].baseline += weighted
            if age == 1 { counts[item, default: Count()].previous += users }
            baselineTotal += weighted
        }
    }

    /// Intervals end with their last second: an event at `end` is in interval 0, one at `end - window` in interval 1. Nil outside of all.
    static func age(of timestamp: Int64, end: Int64, window: Int64) -> Int? {
        let (seconds, isOverflown) = end.subtractingReportingOverflow(timestamp)
        guard !isOverflown, seconds >= 0, seconds / window < Int64(intervals) else { return nil }
        return Int(seconds / window)
    }

    /// All items that were counted: first those that have risen beyond chance, by the least increase that is credible; then the others by
    /// how many met them lately. Equal ones in order of their number.
    public func ranked() -> [TrendingItem] {
        var items = counts.sorted { $0.key < $1.key }.map { id, count in item(id, count) }
        let threshold = Self.threshold(items.map(\.chance))
        for index in items.indices { items[index].isRising = items[index].chance <= threshold && items[index].gain > 0 }
        return items.sorted { $0.precedes($1) }
    }

    /// Users gained, or lost, from the interval before to the newest.
    var steps: [Int32: Double] { counts.mapValues { $0.newest - $0.previous } }

    private func item(_ id: Int32, _ count: Count) -> TrendingItem {
        let recent = count.newest + count.baseline
        guard newestTotal > 0, baselineTotal > 0 else { return TrendingItem(item: id, recent: recent, gain: 0, chance: 1) }
        let ratio = newestTotal / baselineTotal
        let expected = count.baseline * ratio
        // Variances of Poisson counts; that of the weighted baseline is at most its mean.
        let deviation = (count.newest + ratio * ratio * count.baseline).squareRoot()
        return TrendingItem(
            item: id, recent: recent, gain: count.newest - expected - Self.oneSided95 * deviation,
            chance: Self.chance(of: count.newest, after: count.baseline, ratio: ratio))
    }

    private static let oneSided95 = 1.6448536269514722

    /// Share of false discoveries among the items called rising that is put up with.
    static let falseDiscoveryRate = 0.1

    /// The chance of at least `newest` users when the item's share of all has not changed since the baseline: the conditional test of two
    /// Poisson rates (Przyborowski and Wilenski 1940), I_q(newest, baseline + 1) with q = ratio / (1 + ratio), which is the upper tail
    /// of a negative binomial distribution and is summed as such. 1 where nothing has risen.
    static func chance(of newest: Double, after baseline: Double, ratio: Double) -> Double {
        let shape = baseline + 1
        guard newest > shape * ratio else { return 1 }
        let q = ratio / (1 + ratio)
        let logTerm = lgamma(newest + shape) - lgamma(newest + 1) - lgamma(shape) - shape * log1p(ratio) + newest * log(q)
        var term = exp(logTerm)
        var sum = 0.0
        var count = newest
        while term > sum * 1e-12, term > 0 {
            sum += term
            term *= (count + shape) / (count + 1) * q
            count += 1
        }
        return min(1, sum)
    }

    /// The largest chance that still counts (Benjamini and Hochberg 1995); below 0 when none does.
    static func threshold(_ chances: [Double]) -> Double {
        let sorted = chances.sorted()
        for rank in sorted.indices.reversed()
        where sorted[rank] <= falseDiscoveryRate * Double(rank + 1) / Double(sorted.count) {
            return sorted[rank]
        }
        return -1
    }
}

/// What is known of an item's trend.
public struct TrendingItem: Sendable, Equatable {
    public var item: Int32
    /// Users of the newest interval and, weighted, of those before.
    public var recent: Double
    /// Lower end of the one-sided 95 % interval of the users gained in the newest interval over what the baseline makes expect.
    public var gain: Double
    /// Of so many users without any change.
    public var chance: Double
    /// Beyond chance, among all items of the comparison.
    public var isRising = false

    func precedes(_ other: TrendingItem) -> Bool {
        if isRising != other.isRising { return isRising }
        if isRising, gain != other.gain { return gain > other.gain }
        return recent != other.recent ? recent > other.recent : item < other.item
    }
}
