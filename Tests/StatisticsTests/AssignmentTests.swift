import Foundation
import Statistics
import Testing

@Suite struct AssignmentTests {
    private static let ids = (0..<100_000).map { "visitor-\($0)" }

    @Test(arguments: [
        ("rec-exp", "u1", 0.0404), ("rec-exp", "u2", 0.5559), ("home-hero", "user-42", 0.9882), ("", "a", 0.0216),
        ("é-seed", "ユーザー", 0.3418),
    ])
    func `buckets are those of growthbook 4-0-0`(seed: String, unit: String, expected: Double) {
        #expect(Assignment.bucket(seed: seed, unit: unit) == expected)
    }

    @Test(arguments: [("u1", 2781), ("u2", 1501), ("user-42", 785), ("ユーザー", 5009)])
    func `Optimizely buckets are those of optimizely-sdk 5-7-0`(unit: String, expected: Int) {
        #expect(OptimizelyBucket.value(unit: unit, experiment: "1001") == expected)
    }

    @Test func `more coverage keeps everybody who was in, in the same arm`() throws {
        let steps = [0.0, 0.05, 0.2, 0.55, 1]
        let bands = try steps.map { try #require(ArmBands(seed: "ramp", weights: [0.5, 0.3, 0.2], coverage: $0)) }
        for id in Self.ids.prefix(20_000) {
            var before: Int?
            for band in bands {
                let arm = band.arm(of: id)
                if let before { #expect(arm == before) }
                before = arm
            }
            #expect(before != nil)
        }
    }

    @Test func `arms get their shares at every coverage`() throws {
        for coverage in [0.3, 1] {
            let bands = try #require(ArmBands(seed: "shares", weights: [2, 1, 1], coverage: coverage))
            var counts = [0, 0, 0]
            for id in Self.ids { if let arm = bands.arm(of: id) { counts[arm] += 1 } }
            #expect(Double(counts.reduce(0, +)).isClose(to: coverage * 100_000, 0.02))
            #expect(try #require(SampleRatio(observed: counts, weights: [2, 1, 1])).chiSquare().pValue > 0.001)
        }
    }

    @Test func `two experiments assign independently`() throws {
        for pair in 0..<6 {
            let first = try #require(ArmBands(seed: "exp-\(pair)", weights: [0.5, 0.5]))
            let second = try #require(ArmBands(seed: "exp-\(pair)b", weights: [0.5, 0.5]))
            var cells = [[0.0, 0.0], [0.0, 0.0]]
            for id in Self.ids {
                guard let a = first.arm(of: id), let b = second.arm(of: id) else { continue }
                cells[a][b] += 1
            }
            #expect(chiSquareOfIndependence(cells) < 10.83, "\(cells)")
        }
    }

    @Test func `namespace slots and hold-outs are independent of the arms`() throws {
        let bands = try #require(ArmBands(seed: "s", weights: [0.5, 0.5]))
        var slots = [[0.0, 0.0], [0.0, 0.0]]
        var holdOut = [[0.0, 0.0], [0.0, 0.0]]
        for id in Self.ids {
            guard let arm = bands.arm(of: id) else { continue }
            let slot = Assignment.namespaceSlot(namespaceSeed: "s", unit: id, slots: 10)
            #expect((0..<10).contains(slot))
            slots[arm][slot < 5 ? 0 : 1] += 1
            holdOut[arm][Assignment.isHeldOut(groupSeed: "s", unit: id, share: 0.1) ? 0 : 1] += 1
        }
        #expect(chiSquareOfIndependence(slots) < 10.83)
        #expect(chiSquareOfIndependence(holdOut) < 10.83)
        #expect((holdOut[0][0] + holdOut[1][0]).isClose(to: 10_000, 0.04))
    }

    @Test func `an arm of weight zero gets nobody, impossible weights get no bands`() throws {
        let bands = try #require(ArmBands(seed: "x", weights: [0, 1]))
        #expect(Self.ids.prefix(1000).allSatisfy { bands.arm(of: $0) == 1 })
        for weights in [[], [0, 0], [-1, 2], [.nan, 1], [.infinity, 1]] { #expect(ArmBands(seed: "x", weights: weights) == nil) }
    }

    private func chiSquareOfIndependence(_ cells: [[Double]]) -> Double {
        let rows = cells.map { $0.reduce(0, +) }
        let columns = [cells[0][0] + cells[1][0], cells[0][1] + cells[1][1]]
        let total = rows.reduce(0, +)
        var statistic = 0.0
        for row in 0..<2 {
            for column in 0..<2 {
                let expected = rows[row] * columns[column] / total
                statistic += pow(cells[row][column] - expected, 2) / expected
            }
        }
        return statistic
    }
}
