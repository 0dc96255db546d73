import Foundation
import Statistics
import Testing

@Suite struct SampleRatioTests {
    @Test func `chi-square agrees with scipy`() throws {
        for reference in try Reference.values().chiSquare {
            let result = try #require(SampleRatio(observed: reference.observed, weights: reference.weights)).chiSquare()
            #expect(result.statistic.isClose(to: reference.statistic, 1e-12) && result.pValue.isClose(to: reference.p, 1e-10))
        }
    }

    @Test func `the sequential factor agrees with its formula in thirty digits`() throws {
        for reference in try Reference.values().sequentialSrm {
            let ratio = try #require(SampleRatio(observed: reference.observed, weights: reference.weights))
            #expect(ratio.logBayesFactor(concentration: reference.k).isClose(to: reference.log, 1e-7, floor: 1e-8))
        }
    }

    @Test func `an arm of weight zero does not count as a degree of freedom`() throws {
        let ratio = try #require(SampleRatio(observed: [510, 490, 0], weights: [0.5, 0.5, 0]))
        let without = try #require(SampleRatio(observed: [510, 490], weights: [0.5, 0.5]))
        #expect(ratio.chiSquare() == without.chiSquare())
        #expect(ratio.logBayesFactor() == without.logBayesFactor())
        let leaking = try #require(SampleRatio(observed: [510, 490, 1], weights: [0.5, 0.5, 0]))
        #expect(leaking.chiSquare().pValue == 0 && leaking.chiSquare().isAlarm)
        #expect(SampleRatio.sequentialPValue(logBayesFactors: [leaking.logBayesFactor()]) == 0)
    }

    @Test func `phases add up and p never rises`() {
        let p = SampleRatio.sequentialPValue(logBayesFactors: [2, 3])
        #expect(p.isClose(to: exp(-5), 1e-12))
        #expect(SampleRatio.sequentialPValue(logBayesFactors: [-9], previous: p) == p)
        #expect(SampleRatio.sequentialPValue(logBayesFactors: [-9]) == 1)
    }

    @Test func `impossible counts give no check`() {
        #expect(SampleRatio(observed: [0, 0], weights: [1, 1]) == nil)
        #expect(SampleRatio(observed: [-1, 5], weights: [1, 1]) == nil)
        #expect(SampleRatio(observed: [5], weights: [1]) == nil)
        #expect(SampleRatio(observed: [5, 5], weights: [1, 0]) == nil)
        #expect(SampleRatio(observed: [5, 5], weights: [1]) == nil)
    }
}

@Suite struct ConversionSequenceTests {
    @Test func `results agree with the closed form in thirty digits`() throws {
        for row in try Reference.values().conversion {
            let sequence = try #require(ConversionSequence(share: row[2], concentration: row[3]))
            let result = try #require(sequence.result(control: Int(row[0]), treatment: Int(row[1])))
            #expect(result.pValue.isClose(to: row[4], 1e-8))
            #expect(result.lift.isClose(to: row[5], 1e-12))
            #expect(result.interval.lower.isClose(to: row[6], 1e-8) && result.interval.upper.isClose(to: row[7], 1e-8))
        }
    }

    @Test func `an arm without conversions leaves its side open`() throws {
        let sequence = try #require(ConversionSequence(share: 0.5))
        let noControl = try #require(sequence.result(control: 0, treatment: 5))
        #expect(noControl.lift == .infinity && noControl.interval.upper == .infinity && noControl.interval.lower < 0)
        let noTreatment = try #require(sequence.result(control: 5, treatment: 0))
        #expect(noTreatment.lift == -1 && noTreatment.interval.lower == -1 && noTreatment.interval.upper > 0)
        #expect(sequence.result(control: 0, treatment: 0) == nil && sequence.result(control: -1, treatment: 3) == nil)
        #expect(ConversionSequence(share: 1) == nil)
    }

    @Test func `p never rises`() throws {
        let sequence = try #require(ConversionSequence(share: 0.5))
        #expect(try #require(sequence.result(control: 10, treatment: 10, previous: 0.03)).pValue == 0.03)
    }
}

@Suite struct ReportTests {
    @Test func `Wilson's interval agrees with statsmodels`() throws {
        for row in try Reference.values().wilson {
            let interval = try #require(ProportionStatistic(n: Int(row[1]), sum: Int(row[0])).wilsonInterval())
            #expect(interval.lower.isClose(to: row[2], 1e-10, floor: 1e-12) && interval.upper.isClose(to: row[3], 1e-10))
        }
        #expect(ProportionStatistic(n: 0, sum: 0).wilsonInterval() == nil)
    }

    @Test func `Newcombe's interval agrees with statsmodels`() throws {
        for row in try Reference.values().newcombe {
            let interval = try #require(
                ProportionStatistic.newcombeInterval(
                    control: ProportionStatistic(n: Int(row[1]), sum: Int(row[0])),
                    treatment: ProportionStatistic(n: Int(row[3]), sum: Int(row[2]))))
            #expect(interval.lower.isClose(to: row[4], 1e-10) && interval.upper.isClose(to: row[5], 1e-10))
        }
    }

    @Test func `adjusted p-values agree with statsmodels`() throws {
        let reference = try Reference.values().adjust
        for (found, expected) in zip(MultipleComparisons.holm(reference.p), reference.holm) { #expect(found.isClose(to: expected, 1e-12)) }
        for (found, expected) in zip(MultipleComparisons.benjaminiHochberg(reference.p), reference.bh) {
            #expect(found.isClose(to: expected, 1e-12))
        }
        #expect(MultipleComparisons.holm([]).isEmpty && MultipleComparisons.benjaminiHochberg([]).isEmpty)
    }

    @Test func `the winsorising cap is the linear percentile`() throws {
        for reference in try Reference.values().percentile {
            let cap = try #require(Winsorization.cap(sortedPositives: reference.values, fraction: reference.fraction))
            #expect(cap.isClose(to: reference.result, 1e-12))
        }
        #expect(Winsorization.cap(sortedPositives: []) == nil && Winsorization.cap(sortedPositives: [1], fraction: 1.1) == nil)
    }
}

@Suite struct SampleSizeTests {
    @Test func `power agrees with statsmodels`() throws {
        for reference in try Reference.values().power {
            let units = reference.n1 * (1 + reference.ratio)
            let size = try #require(
                SampleSize(controlVariance: 1, treatmentVariance: 1, treatmentShare: reference.ratio / (1 + reference.ratio)))
            #expect(try #require(size.power(ofEffect: reference.effect, afterUnits: Int(units))).isClose(to: reference.power, 1e-9))
        }
    }

    @Test func `sizes agree with statsmodels and are rounded up once`() throws {
        for reference in try Reference.values().sampleSize {
            let size = try #require(SampleSize(controlVariance: 1, treatmentVariance: 1, power: reference.power))
            let units = try #require(size.units(forEffect: reference.effect))
            #expect(abs(Double(units) - 2 * reference.n1) <= 1.001)
        }
    }

    @Test func `the smallest effect, the size and the power agree with each other`() throws {
        for reading in [SampleSize.Reading.fixed, .alwaysValid] {
            let size = try #require(SampleSize(conversionRate: 0.05, relativeLift: 0.1, treatmentShare: 0.3, reading: reading))
            let units = try #require(size.units(forEffect: 0.005))
            #expect(try #require(size.smallestEffect(afterUnits: units)).isClose(to: 0.005, 1e-4))
            #expect(try #require(size.power(ofEffect: 0.005, afterUnits: units)).isClose(to: 0.8, 1e-3))
        }
    }

    @Test func `always valid needs more units, CUPED fewer`() throws {
        let plain = try #require(SampleSize(controlVariance: 4, treatmentVariance: 4)?.units(forEffect: 0.1))
        let always = try #require(SampleSize(controlVariance: 4, treatmentVariance: 4, reading: .alwaysValid)?.units(forEffect: 0.1))
        let cuped = try #require(SampleSize(controlVariance: 4, treatmentVariance: 4, correlation: 0.6)?.units(forEffect: 0.1))
        // (3.0354 + 0.8416)² / (1.9600 + 0.8416)² and 1 − 0.6².
        #expect((Double(always) / Double(plain)).isClose(to: 1.915, 0.002))
        #expect((Double(cuped) / Double(plain)).isClose(to: 0.64, 0.001))
    }

    @Test(arguments: [(700, 100.0, 1.0, 1), (701, 100, 1, 2), (1400, 100, 0.5, 4), (1, 1000, 1, 1)])
    func `durations are whole weeks, rounded up`(units: Int, perDay: Double, coverage: Double, weeks: Int) {
        #expect(SampleSize.weeks(forUnits: units, unitsPerDay: perDay, coverage: coverage) == weeks)
    }

    @Test func `questions without an answer have none`() throws {
        let size = try #require(SampleSize(controlVariance: 1, treatmentVariance: 1))
        #expect(size.units(forEffect: 0) == nil && size.units(forEffect: .nan) == nil)
        #expect(size.smallestEffect(afterUnits: 0) == nil && size.power(ofEffect: 1, afterUnits: 0) == nil)
        #expect(SampleSize.weeks(forUnits: 10, unitsPerDay: 0) == nil)
        #expect(SampleSize(controlVariance: 0, treatmentVariance: 0) == nil)
        #expect(SampleSize(conversionRate: 0.8, relativeLift: 0.5) == nil)
        #expect(SampleSize(controlVariance: 1, treatmentVariance: 1, alpha: 0) == nil)
    }
}
