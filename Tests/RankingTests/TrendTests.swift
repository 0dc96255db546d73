import Foundation
import Testing

@testable import Ranking

@Suite struct TrendTests {
    static let hour: Int64 = 3600
    static let end: Int64 = 1_700_000_000

    /// So many users met the item in each of the intervals, the newest first.
    private func counts(_ users: [Int32: [Double]]) -> TrendCounts {
        var counts = TrendCounts()
        for (item, ages) in users { for (age, number) in ages.enumerated() { counts.add(item: item, age: age, users: number) } }
        return counts
    }

    /// A few busy and many quiet items whose numbers stay as they are.
    private func steady(_ more: [Int32: [Double]]) -> TrendCounts {
        var users = more
        for item in 100..<160 as Range<Int32> { users[item] = [Double](repeating: Double(item % 20), count: TrendCounts.intervals) }
        return counts(users)
    }

    private func flat(_ before: Double, then newest: Double) -> [Double] {
        [newest] + [Double](repeating: before, count: TrendCounts.intervals - 1)
    }

    @Test func `three after one do not beat three hundred after two hundred`() throws {
        let trending = steady([1: flat(1, then: 3), 2: flat(200, then: 300), 3: flat(0, then: 40), 4: flat(400, then: 380)]).ranked()
        #expect(trending.filter(\.isRising).map(\.item) == [2, 3])
        #expect(trending.prefix(2).map(\.item) == [2, 3])
    }

    @Test func `what does not rise follows by recent popularity, equal items by number`() {
        let trending = steady([4: flat(400, then: 380), 6: flat(7.5, then: 7.5), 5: flat(7.5, then: 7.5)]).ranked()
        #expect(trending.allSatisfy { !$0.isRising })
        #expect(trending.first?.item == 4)
        let places = [5, 6].compactMap { item in trending.firstIndex { $0.item == item } }
        #expect(places.count == 2 && places[0] + 1 == places[1])
    }

    @Test func `a busier site makes no trend of its popular items`() {
        var users: [Int32: [Double]] = [:]
        for item in 0..<50 as Range<Int32> { users[item] = flat(Double(4 + item), then: Double(3 * (4 + item))) }
        #expect(counts(users).ranked().allSatisfy { !$0.isRising })
    }

    @Test func `without a time before there is no trend`() {
        #expect(counts([1: [900], 2: [1]]).ranked().map(\.isRising) == [false, false])
        #expect(TrendCounts().ranked().isEmpty)
    }

    /// Sums of binomial terms in exact fractions.
    @Test(arguments: [
        (3.0, 1.0, 0.5, 0.1111111111111111), (300, 398, 0.5, 7.011807301034286e-08), (2000, 3600, 0.5, 8.993000447440201e-05),
        (40, 0, 0.5, 8.225263339969959e-20), (12, 9, 1, 0.33181190490722656),
    ])
    func `the chance is the upper tail of the binomial distribution`(
        _ newest: Double, _ before: Double, _ ratio: Double, _ expected: Double
    ) {
        let chance = TrendCounts.chance(of: newest, after: before, ratio: ratio)
        #expect(abs(chance / expected - 1) < 1e-9)
    }

    /// Items with fixed shares of a traffic that comes and goes; `risers` triple in the newest interval.
    private func simulated(items: Int, risers: Range<Int>, _ random: inout Xorshift) -> TrendCounts {
        var counts = TrendCounts()
        for age in 0..<TrendCounts.intervals {
            let traffic = 0.5 + Double(random.below(1000)) / 1000
            for item in 0..<items {
                let rate = 200 / Double(item % 100 + 1) * traffic * (age == 0 && risers.contains(item) ? 3 : 1)
                counts.add(item: Int32(item), age: age, users: Double(poisson(rate, &random)))
            }
        }
        return counts
    }

    /// Knuth's product of uniform numbers, in pieces that do not underflow.
    private func poisson(_ mean: Double, _ random: inout Xorshift) -> Int {
        if mean > 20 { return poisson(mean / 2, &random) + poisson(mean / 2, &random) }
        var product = 1.0
        var count = -1
        repeat {
            product *= Double(random.below(1 << 30) + 1) / Double(1 << 30)
            count += 1
        } while product > exp(-mean)
        return count
    }

    @Test func `where nothing rises, hardly ever is anything found`() {
        var random = Xorshift(state: 11)
        let rounds = 200
        let alarms = (0..<rounds).count { _ in simulated(items: 200, risers: 0..<0, &random).ranked().contains(where: \.isRising) }
        // Without any trend each alarm is a false discovery: at most a tenth of the rounds, give or take three standard errors.
        #expect(Double(alarms) <= 0.1 * Double(rounds) + 3 * (0.09 * Double(rounds)).squareRoot())
    }

    @Test func `items that triple are found, with few others among them`() {
        var random = Xorshift(state: 12)
        var (found, wrong, all) = (0, 0, 0)
        for _ in 0..<20 {
            let rising = simulated(items: 200, risers: 105..<115, &random).ranked().filter(\.isRising)
            found += rising.count { (105..<115).contains(Int($0.item)) }
            wrong += rising.count { !(105..<115).contains(Int($0.item)) }
            all += rising.count
        }
        #expect(Double(found) >= 0.9 * 200)
        #expect(Double(wrong) <= 0.15 * Double(all))
    }

    @Test(arguments: [(0, 0), (3599, 0), (3600, 1), (7199, 1), (7200, 2), (9 * 3600 - 1, 8)] as [(Int64, Int)])
    func `an interval begins after the end of the one before`(_ seconds: Int64, _ age: Int) {
        #expect(TrendCounts.age(of: Self.end - seconds, end: Self.end, window: Self.hour) == age)
    }

    @Test(arguments: [Self.end + 1, Self.end - 9 * Self.hour, .min])
    func `times outside of all intervals do not count`(_ time: Int64) {
        #expect(TrendCounts.age(of: time, end: Self.end, window: Self.hour) == nil)
    }

    // MARK: The recipe

    /// Steady items, and item 7, which more and more users meet hour by hour; item 9 is reloaded by one user a hundred times.
    private func history(hours: Int = 12, growth: Double = 1.6) -> TrainingData {
        var random = Xorshift(state: 3)
        var data = TrainingData(eventTypeNames: ["View"])
        func add(_ user: Int, _ item: Int32, hoursAgo: Int) {
            data.append(
                user: Int32(user), item: item, eventType: 0,
                timestamp: Self.end - Int64(hoursAgo) * Self.hour - Int64(random.below(3600)))
        }
        for hour in 0..<hours {
            for item in 10..<60 as Range<Int32> { for user in 0..<12 { add(1000 * Int(item) + user + hour % 3, item, hoursAgo: hour) } }
            for user in 0..<Int(60 / pow(growth, Double(hour))) { add(user, 7, hoursAgo: hour) }
        }
        for _ in 0..<100 { add(1, 9, hoursAgo: 0) }
        data.append(user: 1, item: 9, eventType: 0, timestamp: Self.end)
        return data
    }

    private func configuration(_ frequency: String) -> FitConfiguration {
        FitConfiguration(recipe: .trendingNow, featurization: ["trend_discovery_frequency": frequency])
    }

    @Test func `the planted trend leads and one busy user makes none`() throws {
        let fitted = try fit(history(), configuration("1 hour"))
        let items = try fitted.opened().rank(RankingRequest(count: 10)).items
        #expect(items.first?.item == 7)
        #expect(!items.contains { $0.item == 9 })
        #expect(fitted.log.contains { $0.contains("1 items have risen beyond chance") })
    }

    @Test func `a steady history says so and gives recent popularity`() throws {
        let fitted = try fit(history(growth: 1), configuration("1h"))
        #expect(fitted.log.contains { $0.contains("no item has risen beyond chance") })
        #expect(try fitted.opened().rank(RankingRequest(count: 1)).items.first?.item == 7)
    }

    @Test(
        arguments: [("30 min", 1800), ("30 minutes", 1800), ("1h", 3600), ("3 hours", 10_800), ("3h", 10_800), ("1 day", 86_400)]
            as [(String, Int64)])
    func `the frequency is read in every spelling`(_ text: String, _ seconds: Int64) throws {
        let trend = try #require(try fit(history(), configuration(text)).opened().trend)
        #expect(trend == TrendRule(window: seconds, until: Self.end, valueThreshold: nil))
    }

    @Test func `other frequencies are refused`() {
        #expect(throws: FitError.self) { try configuration("2 hours").validate() }
    }

    @Test func `a trend that goes on is foretold`() throws {
        let evaluation = try evaluate(history(), configuration("1 hour"))
        #expect(try #require(evaluation.metrics["trend_prediction_accuracy"]) > 0.5)
    }

    @Test func `the video use case looks at two hours`() throws {
        #expect(try fit(history(), FitConfiguration(recipe: .vodTrendingNow)).opened().trend?.window == 7200)
    }
}
