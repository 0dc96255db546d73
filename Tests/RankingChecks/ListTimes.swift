import Foundation
import Ranking

/// What inverted lists cost and gain: the same vectors with and without them, and queries that no list was chosen by.
struct ListTimes {
    let items: Int
    let dimensions: Int

    private static let asked = 200
    private static let measured = 1000

    func run(_ tell: (String) -> Void) throws {
        for (name, isStructured) in [("a mixture of kinds, lengths log-normal", true), ("independent normal numbers", false)] {
            tell("\(items) items, \(dimensions) dimensions, \(name)")
            var draw = Draw(items: items, dimensions: dimensions, isStructured: isStructured)
            var vectors = draw.vectors(users: Self.measured + Self.asked)
            vectors.listThreshold = .max
            let exact = try vectors.model().opened()
            vectors.listThreshold = 0
            // Lists are chosen on five of six users, spread evenly; the others are asked about below.
            let start = Clock.cpu
            let fitted = try vectors.model()
            tell("  import with lists: \(Clock.text(Clock.cpu - start)) CPU, file \(fitted.bytes.count >> 20) MB")
            for line in fitted.log.dropFirst() { tell("  \(line)") }
            let listed = try fitted.opened()
            for count in [10, 100] { compare(exact, listed, count, tell) }
        }
    }

    /// A model of structured vectors that is read by lists.
    func listed(threads: Int = 1) throws -> FittedModel {
        var draw = Draw(items: items, dimensions: dimensions, isStructured: true)
        var vectors = draw.vectors(users: 100)
        (vectors.listThreshold, vectors.threads) = (0, threads)
        return try vectors.model()
    }

    private func compare(_ exact: Model, _ listed: Model, _ count: Int, _ tell: (String) -> Void) {
        var scratch = RankingScratch()
        func ask(_ model: Model) -> (answers: [[Int32]], seconds: Double) {
            var answers: [[Int32]] = []
            var seconds = 0.0
            for user in 0..<Self.asked {
                var request = RankingRequest(count: count)
                request.user = Int32(user * 6 + 5)
                let start = Clock.cpu
                answers.append(model.rank(request, scratch: &scratch).items.map(\.item))
                if user >= 20 { seconds += Clock.cpu - start }
            }
            return (answers, seconds / Double(Self.asked - 20))
        }
        let (all, few) = (ask(exact), ask(listed))
        let found = zip(all.answers, few.answers).reduce(0) { $0 + Set($1.0).intersection($1.1).count }
        let share = Double(found) / Double(Self.asked * count)
        tell(
            "  top \(count): all items \(Clock.text(all.seconds)) a query, with lists \(Clock.text(few.seconds)), "
                + "\(String(format: "%.2f", share * 100)) % the same")
    }
}

/// Vectors by a seed.
private struct Draw {
    let items: Int
    let dimensions: Int
    let isStructured: Bool
    private var state: UInt64 = 0x2545_F491_4F6C_DD1D
    private var centers: [Float] = []
    private let kinds: Int

    init(items: Int, dimensions: Int, isStructured: Bool) {
        (self.items, self.dimensions, self.isStructured) = (items, dimensions, isStructured)
        kinds = min(3000, max(2, items / 100))
        centers = []
        for index in 0..<kinds * dimensions { centers.append(normal() * weight(index % dimensions)) }
    }

    /// The first dimensions say most, as those of factors do.
    private func weight(_ dimension: Int) -> Float { isStructured ? 1 / Float(dimension + 1).squareRoot() : 1 }

    /// Sum of four uniform numbers, of variance 1: near enough to normal, and quick.
    private mutating func normal() -> Float {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        var sum: Float = 0
        for shift in [0, 16, 32, 48] as [UInt64] { sum += Float(state >> shift & 0xFFFF) }
        return (sum / 65_535 - 2) * 1.7320508
    }

    private mutating func uniform() -> Double {
        _ = normal()
        return (Double(state >> 11) + 0.5) * 0x1p-53
    }

    /// Kinds are of unequal size: the r-th has about 1 / sqrt(r) of the first.
    private mutating func kind() -> Int {
        let root = uniform()
        return min(kinds - 1, Int(Double(kinds) * root * root))
    }

    mutating func vectors(users: Int) -> VectorImport {
        var values = [Float](repeating: 0, count: items * dimensions)
        for item in 0..<items {
            let kind = kind()
            let length = isStructured ? expf(0.8 * normal()) : 1
            for dimension in 0..<dimensions {
                let own = normal() * weight(dimension)
                values[item * dimensions + dimension] = isStructured ? length * (centers[kind * dimensions + dimension] + 0.6 * own) : own
            }
        }
        var owned = [Float](repeating: 0, count: users * dimensions)
        for user in 0..<users {
            let tastes = [kind(), kind()]
            for dimension in 0..<dimensions {
                let taste = tastes.reduce(Float(0)) { $0 + centers[$1 * dimensions + dimension] / 2 }
                let own = normal() * weight(dimension)
                owned[user * dimensions + dimension] = isStructured ? taste + 0.3 * own : own
            }
        }
        return VectorImport(
            metric: .innerProduct, dimensions: dimensions, itemIDs: (0..<Int32(items)).map { $0 }, items: values,
            userIDs: (0..<Int32(users)).map { $0 }, users: owned)
    }
}

private enum Clock {
    /// Of the process, in seconds.
    static var cpu: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    static func text(_ seconds: Double) -> String {
        seconds < 1 ? String(format: "%.3f ms", seconds * 1000) : String(format: "%.1f s", seconds)
    }
}
