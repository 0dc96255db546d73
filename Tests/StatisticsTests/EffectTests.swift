import Foundation
import Statistics
import Testing

@Suite struct EffectTests {
    @Test func `Welch's test agrees with scipy`() throws {
        for reference in try Reference.values().welch {
            let effect = try #require(Effect(control: MeanStatistic(reference.a), treatment: MeanStatistic(reference.b)))
            let result = effect.fixedTest()
            #expect(result.pValue.isClose(to: reference.p, 1e-9))
            #expect(effect.degreesOfFreedom.isClose(to: reference.df, 1e-9))
            #expect(result.interval.lower.isClose(to: reference.lower, 1e-9))
            #expect(result.interval.upper.isClose(to: reference.upper, 1e-9))
        }
    }

    @Test func `totals of days add up`() throws {
        let values = (0..<60).map { Double(($0 * 37) % 11) }
        #expect(MeanStatistic(values.prefix(20)) + MeanStatistic(values.dropFirst(20)) == MeanStatistic(values))
        #expect(ProportionStatistic(n: 3, sum: 1) + ProportionStatistic(n: 4, sum: 2) == ProportionStatistic(n: 7, sum: 3))
        let ratio = RatioStatistic(numerator: MeanStatistic([1, 2]), denominator: MeanStatistic([3, 4]), sumProducts: 11)
        let double = RatioStatistic(numerator: MeanStatistic([1, 2, 1, 2]), denominator: MeanStatistic([3, 4, 3, 4]), sumProducts: 22)
        #expect(ratio + ratio == double)
        let cuped = CupedStatistic(post: MeanStatistic([1, 2]), pre: MeanStatistic([3, 4]), sumProducts: 11)
        let twice = CupedStatistic(post: MeanStatistic([1, 2, 1, 2]), pre: MeanStatistic([3, 4, 3, 4]), sumProducts: 22)
        #expect(cuped + cuped == twice)
    }

    @Test(arguments: [
        MeanStatistic(n: 0, sum: 0, sumSquares: 0), MeanStatistic(n: 1, sum: 3, sumSquares: 9), MeanStatistic(n: -5, sum: 3, sumSquares: 9),
        MeanStatistic(n: 10, sum: 100, sumSquares: 1), MeanStatistic(n: 10, sum: .nan, sumSquares: 1),
        MeanStatistic(n: 10, sum: 1, sumSquares: .infinity),
    ])
    func `an arm that says nothing gives no effect`(arm: MeanStatistic) {
        let good = MeanStatistic([1, 2, 3, 4])
        #expect(Effect(control: arm, treatment: good) == nil)
        #expect(Effect(control: good, treatment: arm, difference: .relative) == nil)
    }

    @Test func `no variance, no conversions and impossible counts give no effect`() {
        let constant = MeanStatistic([2, 2, 2])
        #expect(Effect(control: constant, treatment: constant) == nil)
        let none = ProportionStatistic(n: 100, sum: 0)
        #expect(Effect(control: none, treatment: none) == nil)
        #expect(Effect(control: none, treatment: ProportionStatistic(n: 100, sum: 4), difference: .relative) == nil)
        #expect(Effect(control: ProportionStatistic(n: 100, sum: 101), treatment: ProportionStatistic(n: 100, sum: 4)) == nil)
        let empty = RatioStatistic(numerator: constant, denominator: MeanStatistic([0, 0, 0]), sumProducts: 0)
        #expect(Effect(control: empty, treatment: empty) == nil)
    }

    @Test func `a relative effect to a mean near zero is flagged`() throws {
        let noisy = MeanStatistic((0..<200).map { Double($0 % 2 == 0 ? 10 : -9) })
        let solid = MeanStatistic((0..<200).map { Double($0 % 2 == 0 ? 10 : 9) })
        #expect(try !#require(Effect(control: noisy, treatment: solid, difference: .relative)).isRelativeReliable)
        #expect(try #require(Effect(control: solid, treatment: noisy, difference: .relative)).isRelativeReliable)
        let negative = MeanStatistic((0..<200).map { Double($0 % 2 == 0 ? -10 : -9) })
        #expect(try !#require(Effect(control: negative, treatment: solid, difference: .relative)).isRelativeReliable)
    }

    @Test func `a sequence waits for a hundred units and ten conversions`() throws {
        func result(_ n: Int, _ conversions: Int) throws -> TestResult? {
            let arm = ProportionStatistic(n: n, sum: conversions)
            return try #require(Effect(control: arm, treatment: ProportionStatistic(n: 1000, sum: 50))).sequentialTest(plannedUnits: 2000)
        }
        #expect(try result(99, 20) == nil)
        #expect(try result(100, 9) == nil)
        #expect(try result(100, 10) != nil)
    }

    @Test func `at the planned size a sequence is 1.55 times as wide as the fixed test`() throws {
        let effect = try #require(
            Effect(control: ProportionStatistic(n: 100_000, sum: 5000), treatment: ProportionStatistic(n: 100_000, sum: 5100)))
        let sequence = try #require(effect.sequentialTest(plannedUnits: 200_000)).interval
        let fixed = effect.fixedTest().interval
        #expect(((sequence.upper - sequence.lower) / (fixed.upper - fixed.lower)).isClose(to: 1.55, 0.002))
    }

    @Test func `a ratio of constant denominators is the mean`() throws {
        let values = (0..<50).map { Double($0 % 7) }
        func ratio(_ shift: Double) -> RatioStatistic {
            let numerator = MeanStatistic(values.map { $0 + shift })
            return RatioStatistic(numerator: numerator, denominator: MeanStatistic(values.map { _ in 2 }), sumProducts: 2 * numerator.sum)
        }
        let byRatio = try #require(Effect(control: ratio(0), treatment: ratio(1)))
        let byMean = try #require(
            Effect(control: MeanStatistic(values.map { $0 / 2 }), treatment: MeanStatistic(values.map { ($0 + 1) / 2 })))
        #expect(byRatio.estimate.isClose(to: byMean.estimate, 1e-12) && byRatio.variance.isClose(to: byMean.variance, 1e-9))
    }

    private func cupedRatio(_ rows: [[Double]]) -> CupedRatioStatistic {
        func ratio(_ numerator: Int, _ denominator: Int) -> RatioStatistic {
            RatioStatistic(
                numerator: MeanStatistic(rows.map { $0[numerator] }), denominator: MeanStatistic(rows.map { $0[denominator] }),
                sumProducts: products(numerator, denominator))
        }
        func products(_ first: Int, _ second: Int) -> Double { rows.reduce(0) { $0 + $1[first] * $1[second] } }
        return CupedRatioStatistic(
            post: ratio(1, 2), pre: ratio(3, 4),
            products: .init(
                numeratorNumerator: products(1, 3), numeratorDenominator: products(1, 4), denominatorNumerator: products(2, 3),
                denominatorDenominator: products(2, 4)))
    }

    @Test func `an adjusted ratio agrees with tea-tasting`() throws {
        let reference = try Reference.values().cupedRatio
        let control = cupedRatio(reference.rows.filter { $0[0] == 0 })
        let treatment = cupedRatio(reference.rows.filter { $0[0] == 1 })
        let result = try #require(Effect(control: control, treatment: treatment)).fixedTest()
        #expect(result.estimate.isClose(to: reference.estimate, 1e-9) && result.pValue.isClose(to: reference.p, 1e-8))
        #expect(result.interval.lower.isClose(to: reference.lower, 1e-8) && result.interval.upper.isClose(to: reference.upper, 1e-8))
        #expect(control + treatment == cupedRatio(reference.rows))
    }

    @Test func `a ratio without a past is the plain ratio`() throws {
        let rows = try Reference.values().cupedRatio.rows.map { Array($0.prefix(3)) + [0, 0] }
        let control = cupedRatio(rows.filter { $0[0] == 0 })
        let treatment = cupedRatio(rows.filter { $0[0] == 1 })
        let plain = try #require(Effect(control: control.post, treatment: treatment.post)).fixedTest()
        #expect(try #require(Effect(control: control, treatment: treatment)).fixedTest() == plain)
    }

    @Test func `a past that does not vary leaves the plain test`() throws {
        let zero = MeanStatistic([Double](repeating: 0, count: 4))
        let control = CupedStatistic(post: MeanStatistic([1, 2, 3, 4]), pre: zero, sumProducts: 0)
        let treatment = CupedStatistic(post: MeanStatistic([2, 3, 5, 9]), pre: zero, sumProducts: 0)
        let plain = try #require(Effect(control: control.post, treatment: treatment.post)).fixedTest()
        #expect(try #require(Effect(control: control, treatment: treatment)).fixedTest() == plain)
        #expect(CupedStatistic.varianceRemoved(control: control, treatment: treatment) == 0)
    }

    @Test func `a flat prior leaves the estimate, lower-is-better flips the verdict, an absolute prior is scaled`() throws {
        let control = ProportionStatistic(n: 10_000, sum: 500)
        let treatment = ProportionStatistic(n: 10_050, sum: 560)
        let relative = try #require(Effect(control: control, treatment: treatment, difference: .relative))
        let flat = try #require(relative.posterior(prior: .flat))
        #expect(flat.mean.isClose(to: relative.estimate, 1e-12) && flat.deviation.isClose(to: relative.standardError, 1e-12))
        let up = try #require(relative.posterior())
        let down = try #require(relative.posterior(lowerIsBetter: true))
        #expect(down.chanceToWin.isClose(to: 1 - up.chanceToWin, 1e-12))
        #expect(down.lossOfShipping.isClose(to: up.lossOfKeeping, 1e-12))
        let absolute = try #require(Effect(control: control, treatment: treatment))
        let scaled = try #require(absolute.posterior())
        let precision = 1 / pow(scaled.deviation, 2) - 1 / absolute.variance
        #expect((1 / precision.squareRoot()).isClose(to: 0.3 * 0.05, 1e-9))
        #expect(relative.posterior(prior: .normal(mean: 0, deviation: 0)) == nil)
    }

    @Test func `one-sided bounds are narrower than the two-sided interval`() throws {
        let effect = try #require(Effect(control: MeanStatistic([1, 2, 3, 4, 7]), treatment: MeanStatistic([2, 3, 5, 9, 4])))
        let bounds = effect.oneSidedBounds(alpha: 0.05)
        #expect(bounds == effect.fixedTest(alpha: 0.1).interval)
    }
}
