import Foundation
import Statistics
import Testing

/// Tests of the tests: simulated experiments with fixed seeds.
@Suite struct SimulationTests {
    /// Conversions among n units of a rate, by the normal approximation to the binomial.
    private static func binomial(_ n: Int, _ rate: Double, _ generator: inout SeededGenerator) -> Int {
        let value = Double(n) * rate + Normal.quantile(max(1e-16, generator.uniform())) * (Double(n) * rate * (1 - rate)).squareRoot()
        return min(n, max(0, Int(value.rounded())))
    }

    private static func lognormal(_ generator: inout SeededGenerator) -> Double {
        exp(0.7 * Normal.quantile(max(1e-16, generator.uniform())))
    }

    @Test func `without an effect a fixed test is wrong in one of twenty experiments`() throws {
        var generator = SeededGenerator(seed: 1)
        let runs = 1500
        var wrong = 0
        for _ in 0..<runs {
            let control = MeanStatistic((0..<60).map { _ in Self.lognormal(&generator) })
            let treatment = MeanStatistic((0..<90).map { _ in Self.lognormal(&generator) })
            if try #require(Effect(control: control, treatment: treatment)).fixedTest().pValue < 0.05 { wrong += 1 }
        }
        let rate = Double(wrong) / Double(runs)
        #expect(rate > 0.035 && rate < 0.065, "\(rate)")
    }

    @Test(arguments: [Difference.absolute, .relative])
    func `the interval covers the truth in nineteen of twenty experiments`(difference: Difference) throws {
        var generator = SeededGenerator(seed: 2)
        let runs = 4000
        let truth = difference == .absolute ? 0.01 : 0.2
        var covered = 0
        for _ in 0..<runs {
            let control = ProportionStatistic(n: 8000, sum: Self.binomial(8000, 0.05, &generator))
            let treatment = ProportionStatistic(n: 8000, sum: Self.binomial(8000, 0.06, &generator))
            let effect = try #require(Effect(control: control, treatment: treatment, difference: difference))
            if effect.fixedTest().interval.contains(truth) { covered += 1 }
        }
        let rate = Double(covered) / Double(runs)
        #expect(rate > 0.94 && rate < 0.96, "\(rate)")
    }

    @Test func `a ratio of correlated totals is covered too`() throws {
        var generator = SeededGenerator(seed: 3)
        let runs = 1500
        var covered = 0
        func arm() -> RatioStatistic {
            var ratio = RatioStatistic(numerator: MeanStatistic([]), denominator: MeanStatistic([]), sumProducts: 0)
            for _ in 0..<200 {
                let views = Double(1 + Int(generator.uniform() * 6))
                let clicks = (views * generator.uniform()).rounded(.down)
                ratio =
                    ratio
                    + RatioStatistic(numerator: MeanStatistic([clicks]), denominator: MeanStatistic([views]), sumProducts: clicks * views)
            }
            return ratio
        }
        for _ in 0..<runs {
            let effect = try #require(Effect(control: arm(), treatment: arm()))
            if effect.fixedTest().interval.contains(0) { covered += 1 }
        }
        let rate = Double(covered) / Double(runs)
        #expect(rate > 0.935 && rate < 0.965, "\(rate)")
    }

    @Test func `read at every look, the sequences stay wrong in under one of twenty experiments and the fixed test does not`() throws {
        var generator = SeededGenerator(seed: 4)
        let (runs, looks, step) = (600, 30, 500)
        var wrong = (fixed: 0, asymptotic: 0, exact: 0)
        let exact = try #require(ConversionSequence(share: 0.5))
        for _ in 0..<runs {
            var control = ProportionStatistic(n: 0, sum: 0)
            var treatment = ProportionStatistic(n: 0, sum: 0)
            var found = (fixed: false, asymptotic: false, exact: false)
            for _ in 0..<looks {
                control = control + ProportionStatistic(n: step, sum: Self.binomial(step, 0.05, &generator))
                treatment = treatment + ProportionStatistic(n: step, sum: Self.binomial(step, 0.05, &generator))
                let effect = try #require(Effect(control: control, treatment: treatment, difference: .relative))
                if effect.fixedTest().pValue < 0.05 { found.fixed = true }
                if let sequence = effect.sequentialTest(plannedUnits: looks * step * 2), sequence.pValue < 0.05 { found.asymptotic = true }
                if try #require(exact.result(control: control.sum, treatment: treatment.sum)).pValue < 0.05 { found.exact = true }
            }
            if found.fixed { wrong.fixed += 1 }
            if found.asymptotic { wrong.asymptotic += 1 }
            if found.exact { wrong.exact += 1 }
        }
        #expect(wrong.fixed > runs / 6, "\(wrong)")
        #expect(wrong.asymptotic <= runs / 20, "\(wrong)")
        #expect(wrong.exact <= runs / 20, "\(wrong)")
    }

    @Test func `the sequential ratio check stays quiet on a fair split and finds a crooked one`() throws {
        var generator = SeededGenerator(seed: 5)
        for (rate, expected) in [(0.5, 0...20), (0.505, 340...400)] {
            var alarms = 0
            for _ in 0..<400 {
                var counts = [0, 0]
                var p = 1.0
                for _ in 0..<40 {
                    let first = Self.binomial(5000, rate, &generator)
                    counts = [counts[0] + first, counts[1] + 5000 - first]
                    let ratio = try #require(SampleRatio(observed: counts, weights: [1, 1]))
                    p = SampleRatio.sequentialPValue(logBayesFactors: [ratio.logBayesFactor()], previous: p)
                }
                if p < 0.05 { alarms += 1 }
            }
            #expect(expected.contains(alarms), "\(alarms) at \(rate)")
        }
    }

    @Test func `the past removes the variance that it explains and leaves the effect`() throws {
        var generator = SeededGenerator(seed: 6)
        func arm(_ shift: Double) -> CupedStatistic {
            var sumProducts = 0.0
            var pre: [Double] = []
            var post: [Double] = []
            for _ in 0..<5000 {
                let habit = Normal.quantile(max(1e-16, generator.uniform()))
                let value = 0.8 * habit + 0.6 * Normal.quantile(max(1e-16, generator.uniform())) + 3 + shift
                pre.append(habit)
                post.append(value)
                sumProducts += habit * value
            }
            return CupedStatistic(post: MeanStatistic(post), pre: MeanStatistic(pre), sumProducts: sumProducts)
        }
        let (control, treatment) = (arm(0), arm(0.1))
        #expect(try #require(CupedStatistic.varianceRemoved(control: control, treatment: treatment)).isClose(to: 0.64, 0.05))
        #expect(try #require(Effect(control: control, treatment: treatment)).fixedTest().interval.contains(0.1))
    }
}
