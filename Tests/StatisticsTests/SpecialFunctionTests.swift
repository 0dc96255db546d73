import Statistics
import Testing

@Suite struct SpecialFunctionTests {
    private func check(_ rows: [[Double]], _ tolerance: Double, _ function: ([Double]) -> Double) {
        #expect(!rows.isEmpty)
        for row in rows {
            let (value, expected) = (function(row), row[row.count - 1])
            #expect(value.isClose(to: expected, tolerance), "\(row) gave \(value)")
        }
    }

    @Test func `tails of Student's t agree to 1e-10`() throws {
        check(try Reference.values().tUpperTail, 1e-10) { StudentT.upperTail($0[0], $0[1]) }
    }

    @Test func `quantiles of Student's t agree to 1e-10`() throws {
        check(try Reference.values().tQuantile, 1e-10) { StudentT.quantile(upperTail: $0[0], $0[1]) }
    }

    @Test func `normal quantiles agree to 1e-14`() throws {
        check(try Reference.values().normalQuantile, 1e-14) { Normal.quantile($0[0]) }
    }

    @Test func `normal probabilities agree to 1e-12`() throws {
        check(try Reference.values().normalCumulative, 1e-12) { Normal.cumulative($0[0]) }
    }

    @Test func `incomplete beta functions agree to 1e-11`() throws {
        check(try Reference.values().beta, 1e-11) { SpecialFunctions.incompleteBeta($0[0], $0[1], x: $0[2], complement: 1 - $0[2]) }
    }

    @Test func `log-betas agree to 1e-13`() throws {
        check(try Reference.values().logBeta, 1e-13) { SpecialFunctions.logBeta($0[0], $0[1]) }
    }

    @Test func `incomplete gamma functions agree to 1e-11`() throws {
        check(try Reference.values().gammaUpper, 1e-11) { SpecialFunctions.upperIncompleteGamma($0[0], $0[1]) }
    }

    @Test func `the t distribution is symmetric and its quantile inverts it`() {
        for degrees in [0.7, 1, 4.5, 30, 1e5, 1e12] {
            for p in [1e-8, 0.01, 0.3, 0.5, 0.8, 0.999] {
                let t = StudentT.quantile(upperTail: p, degrees)
                #expect(StudentT.upperTail(t, degrees).isClose(to: p, 1e-10))
                #expect(StudentT.cumulative(t, degrees).isClose(to: 1 - p, 1e-10))
            }
        }
    }

    @Test func `ends of the range give ends of the range`() {
        #expect(StudentT.quantile(upperTail: 0, 5) == .infinity && StudentT.quantile(upperTail: 1, 5) == -.infinity)
        #expect(Normal.quantile(0) == -.infinity && Normal.quantile(1) == .infinity)
        #expect(StudentT.upperTail(.infinity, 3) == 0)
        #expect(SpecialFunctions.incompleteBeta(2, 3, x: 0, complement: 1) == 0)
        #expect(SpecialFunctions.incompleteBeta(2, 3, x: 1, complement: 0) == 1)
        #expect(SpecialFunctions.upperIncompleteGamma(2, 0) == 1 && SpecialFunctions.upperIncompleteGamma(2, .infinity) == 0)
    }
}
