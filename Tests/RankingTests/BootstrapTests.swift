import Foundation
import Testing

@testable import Ranking

@Suite struct BootstrapTests {
    private func groups(_ count: Int) -> [Int32] { (0..<count).map { Int32($0) } }

    @Test func `intervals cover the true mean about as often as they say`() {
        var source = RandomSource(seed: 7)
        var covered = 0
        for trial in 0..<300 {
            // Exponential with mean 1: skewed, as figures of lists are.
            let values = (0..<120).map { _ in Float(-log(source.uniform())) }
            let estimate = Bootstrap(values: values, columns: 1, groups: groups(120), draws: 300, seed: UInt64(trial)).estimate(0)
            if estimate.lower <= 1, 1 <= estimate.upper { covered += 1 }
        }
        // 95 % nominal; the percentile interval loses a little on skewed data. Three standard errors are 4 %.
        #expect((269...297).contains(covered), "\(covered) of 300")
    }

    @Test func `a paired difference is far sharper than two intervals`() {
        var source = RandomSource(seed: 1)
        var values: [Float] = []
        for _ in 0..<200 {
            let value = Float(source.uniform())
            values += [value, value + 0.01]
        }
        let bootstrap = Bootstrap(values: values, columns: 2, groups: groups(200), seed: 1)
        let difference = bootstrap.difference(1, minus: 0)
        #expect(abs(difference.value - 0.01) < 1e-6)
        #expect(difference.upper - difference.lower < 1e-6)
        #expect(bootstrap.estimate(0).upper - bootstrap.estimate(0).lower > 0.05)
    }

    @Test func `rows of one group are drawn together`() {
        // Two groups of equal rows: a draw is one of three means, so the interval spans all of them.
        let values: [Float] = [0, 0, 0, 0, 1, 1, 1, 1]
        let together = Bootstrap(values: values, columns: 1, groups: [0, 0, 0, 0, 1, 1, 1, 1], seed: 1).estimate(0)
        #expect(together == Bootstrap.Estimate(value: 0.5, lower: 0, upper: 1))
        let apart = Bootstrap(values: values, columns: 1, groups: groups(8), seed: 1).estimate(0)
        #expect(apart.lower > 0 && apart.upper < 1)
    }

    @Test func `groups of unequal size weigh by their rows`() {
        #expect(Bootstrap(values: [0, 0, 0, 1], columns: 1, groups: [4, 4, 4, 9], seed: 1).means == [0.25])
    }

    @Test func `a seed gives the same intervals on any number of threads`() {
        let values = (0..<300).map { Float($0 % 7) }
        func estimate(_ seed: UInt64, _ threads: Int) -> Bootstrap.Estimate {
            Bootstrap(values: values, columns: 3, groups: groups(100), seed: seed, threads: threads).estimate(1)
        }
        #expect(estimate(1, 1) == estimate(1, 4))
        #expect(estimate(1, 1) != estimate(2, 1))
    }
}
