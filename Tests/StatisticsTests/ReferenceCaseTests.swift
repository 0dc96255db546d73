import Foundation
import Statistics
import Testing

/// The six worked cases of gbstats 0.8.0 in Resources/abstats-cases.json.
private struct Cases: Decodable {
    struct Totals: Decodable {
        let sum, sumSquares: Double
    }

    struct Arm: Decodable {
        let type: String
        let n: Int
        let sum, sumProducts: Double?
        let num, den, post, pre: Totals?
    }

    struct Prior: Decodable {
        let mean, sd: Double
    }

    struct Inputs: Decodable {
        let control, treatment: Arm?
        let differenceType: String?
        let alpha: Double?
        let tuningN: Int?
        let observed: [Int]?
        let weights: [Double]?
        let prior: Prior?
    }

    struct Case: Decodable {
        let id: String
        let inputs: Inputs
        let outputs: [String: Double]
        let relTolerance: Double
    }

    let cases: [Case]
}

@Suite struct ReferenceCaseTests {
    private func load(_ id: String) throws -> Cases.Case {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let cases = try decoder.decode(Cases.self, from: Reference.data("abstats-cases"))
        return try #require(cases.cases.first { $0.id == id })
    }

    private func effect(_ inputs: Cases.Inputs) throws -> Effect {
        let (control, treatment) = (try #require(inputs.control), try #require(inputs.treatment))
        let difference = try #require(Difference(rawValue: inputs.differenceType ?? ""))
        func mean(_ totals: Cases.Totals?, _ n: Int) throws -> MeanStatistic {
            let totals = try #require(totals)
            return MeanStatistic(n: n, sum: totals.sum, sumSquares: totals.sumSquares)
        }
        func proportion(_ arm: Cases.Arm) throws -> ProportionStatistic { ProportionStatistic(n: arm.n, sum: Int(try #require(arm.sum))) }
        func ratio(_ arm: Cases.Arm) throws -> RatioStatistic {
            RatioStatistic(
                numerator: try mean(arm.num, arm.n), denominator: try mean(arm.den, arm.n), sumProducts: try #require(arm.sumProducts))
        }
        func cuped(_ arm: Cases.Arm) throws -> CupedStatistic {
            CupedStatistic(post: try mean(arm.post, arm.n), pre: try mean(arm.pre, arm.n), sumProducts: try #require(arm.sumProducts))
        }
        let effect: Effect? =
            switch control.type {
            case "proportion": Effect(control: try proportion(control), treatment: try proportion(treatment), difference: difference)
            case "ratio": Effect(control: try ratio(control), treatment: try ratio(treatment), difference: difference)
            default: Effect(control: try cuped(control), treatment: try cuped(treatment), difference: difference)
            }
        return try #require(effect)
    }

    private func compare(_ found: [String: Double], with reference: Cases.Case) {
        for (name, expected) in reference.outputs {
            guard let value = found[name] else {
                Issue.record("\(reference.id) lacks \(name)")
                continue
            }
            #expect(value.isClose(to: expected, reference.relTolerance, floor: 1e-9), "\(reference.id) \(name): \(value)")
        }
    }

    private func named(_ result: TestResult) -> [String: Double] {
        [
            "estimate": result.estimate, "ci_lower": result.interval.lower, "ci_upper": result.interval.upper, "p_value": result.pValue,
            "std_error": result.standardError,
        ]
    }

    @Test(arguments: ["dev-prop-rel", "dev-ratio-rel", "dev-cuped-abs"])
    func `a fixed test agrees with gbstats`(id: String) throws {
        let reference = try load(id)
        let effect = try effect(reference.inputs)
        var found = named(effect.fixedTest(alpha: try #require(reference.inputs.alpha)))
        found["welch_df"] = effect.degreesOfFreedom
        if id == "dev-cuped-abs" {
            let (control, treatment) = Self.cupedArms
            found["theta"] = CupedStatistic.theta(control: control, treatment: treatment)
            let removed = try #require(CupedStatistic.varianceRemoved(control: control, treatment: treatment))
            #expect(removed > 0.4 && removed < 0.8)
        }
        compare(found, with: reference)
    }

    /// The totals of dev-cuped-abs.
    private static let cupedArms = (
        CupedStatistic(
            post: MeanStatistic(n: 6000, sum: 15110, sumSquares: 140_220), pre: MeanStatistic(n: 6000, sum: 14800, sumSquares: 133_100),
            sumProducts: 112_300),
        CupedStatistic(
            post: MeanStatistic(n: 6030, sum: 15790.5, sumSquares: 149_010.75),
            pre: MeanStatistic(n: 6030, sum: 14777, sumSquares: 132_800.5), sumProducts: 115_020.25)
    )

    @Test func `a relative adjusted difference is divided by the unadjusted mean, as in gbstats`() throws {
        let reference = try Reference.values().cupedRelative
        let effect = try #require(Effect(control: Self.cupedArms.0, treatment: Self.cupedArms.1, difference: .relative))
        let result = effect.fixedTest()
        #expect(result.estimate.isClose(to: reference.estimate, 1e-9) && result.pValue.isClose(to: reference.p, 1e-8))
        #expect(result.interval.lower.isClose(to: reference.lower, 1e-8) && result.interval.upper.isClose(to: reference.upper, 1e-8))
    }

    @Test func `the asymptotic sequence agrees with gbstats`() throws {
        let reference = try load("dev-seq-rel")
        let planned = try #require(reference.inputs.tuningN)
        let alpha = try #require(reference.inputs.alpha)
        let effect = try effect(reference.inputs)
        var found = named(try #require(effect.sequentialTest(alpha: alpha, plannedUnits: planned)))
        found["rho"] = SequentialBound.rhoSquared(alpha: alpha, plannedUnits: Double(planned)).squareRoot()
        compare(found, with: reference)
    }

    @Test func `the sample ratio check agrees with gbstats`() throws {
        let reference = try load("dev-srm")
        let (observed, weights) = (try #require(reference.inputs.observed), try #require(reference.inputs.weights))
        let ratio = try #require(SampleRatio(observed: observed, weights: weights))
        let result = ratio.chiSquare()
        compare(
            ["p_value": result.pValue, "chi_square": result.statistic, "df": Double(result.degreesOfFreedom)], with: reference)
    }

    @Test func `the posterior agrees with gbstats`() throws {
        let reference = try load("dev-bayes")
        let prior = try #require(reference.inputs.prior)
        let alpha = try #require(reference.inputs.alpha)
        let effect = try effect(reference.inputs)
        let posterior = try #require(effect.posterior(prior: .normal(mean: prior.mean, deviation: prior.sd), alpha: alpha))
        compare(
            [
                "posterior_mean": posterior.mean, "posterior_sd": posterior.deviation, "ci_lower": posterior.interval.lower,
                "ci_upper": posterior.interval.upper, "chance_to_win": posterior.chanceToWin,
                "expected_loss_keep_control": posterior.lossOfKeeping, "expected_loss_ship_treatment": posterior.lossOfShipping,
            ], with: reference)
    }
}
