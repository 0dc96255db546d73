import Locks

/// What a segment of users is made for.
public enum SegmentQuery: Sendable, Equatable {
    /// Interned id.
    case item(Int32)
    case attributes(AttributeQuery)
}

/// Why a query has no answer, as a sentence for people.
public struct SegmentRefusal: Error, Sendable, Equatable {
    public let sentence: String

    init(_ sentence: String) { self.sentence = sentence }
}

/// How segments are made.
public struct SegmentOptions: Sendable {
    /// Users per segment at most.
    public var count: Int
    public var threads: Int
    /// For the users under consideration; queries that do not fit together are answered in several passes over all users.
    public var memoryBudgetBytes: Int
    /// May the user of an interned id be in the segments? Asked on several threads; nil admits all.
    public var admits: (@Sendable (Int32) -> Bool)?

    public init(count: Int, threads: Int = 2, memoryBudgetBytes: Int = 256 << 20, admits: (@Sendable (Int32) -> Bool)? = nil) {
        self.count = count
        self.threads = threads
        self.memoryBudgetBytes = memoryBudgetBytes
        self.admits = admits
    }
}

/// One user of a segment.
public struct SegmentUser: Sendable, Equatable {
    /// Interned id.
    public var user: Int32
    /// Comparable within one segment.
    public var score: Float
}

extension Model {
    /// Users of the training data; 0 for recipes that keep none.
    public var segmentUserCount: Int { (family as? SegmentRecipe)?.histories.userCount ?? 0 }

    /// Answers every query with the users who are most likely to interact with it, best first; equal scores by ascending id.
    /// All users of the training data are scored. `deliver` is called once for each query, in order, on the calling thread.
    public func segments(
        _ queries: [SegmentQuery], _ options: SegmentOptions, progress: @escaping (Double, String) -> Bool = { _, _ in true },
        deliver: (Int, Result<[SegmentUser], SegmentRefusal>) throws(FitError) -> Void
    ) throws(FitError) {
        try segments(queries, options, ProgressSpan(reporter: ProgressReporter(progress), start: 0, end: 1), deliver: deliver)
    }

    func segments(
        _ queries: [SegmentQuery], _ options: SegmentOptions, _ span: ProgressSpan,
        deliver: (Int, Result<[SegmentUser], SegmentRefusal>) throws(FitError) -> Void
    ) throws(FitError) {
        guard let recipe = family as? SegmentRecipe else {
            throw .unusableData("Recipe \(self.recipe.rawValue) makes no segments of users.")
        }
        let count = min(max(0, options.count), recipe.histories.userCount)
        let perPass = max(1, options.memoryBudgetBytes / max(1, 2 * count * MemoryLayout<ScoredRow>.stride))
        for start in stride(from: 0, to: queries.count, by: perPass) {
            let end = min(queries.count, start + perPass)
            var targets: [AudienceTarget] = []
            var outcomes: [Result<Int, SegmentRefusal>] = []
            for query in queries[start..<end] {
                do throws(SegmentRefusal) {
                    targets.append(try recipe.target(query))
                    outcomes.append(.success(targets.count - 1))
                } catch { outcomes.append(.failure(error)) }
            }
            let pass = span.part(Double(start) / Double(queries.count), Double(end) / Double(queries.count))
            let tops = try recipe.best(count, of: targets, options, pass)
            for (index, outcome) in outcomes.enumerated() { try deliver(start + index, outcome.map { tops[$0] }) }
        }
        withExtendedLifetime(self) {}
    }
}

extension SegmentRecipe {
    /// Users per block, each described once for all targets.
    private static let blockSize = 64

    /// The best users of each target.
    func best(
        _ count: Int, of targets: [AudienceTarget], _ options: SegmentOptions, _ span: ProgressSpan
    ) throws(FitError) -> [[SegmentUser]] {
        guard !targets.isEmpty else { return [] }
        try span.reporter.step(span.start, "Scoring \(histories.userCount) users")
        let users = histories.userIDs
        let tops = TopUsers(targetCount: targets.count, count: count)
        try ParallelRows(threads: options.threads).run(count: histories.userCount, chunk: Self.blockSize, span: span) {
            var features = AudienceFeatures(self, targets)
            var block = [[ScoredRow]](repeating: [], count: targets.count)
            return { range in
                for user in range where options.admits?(users.buffer[user]) ?? true {
                    for (target, vector) in features.describe(user).enumerated() {
                        let score = audience.score(vector)
                        block[target].append(ScoredRow(row: Int32(user), score: score.isFinite ? score : -.greatestFiniteMagnitude))
                    }
                }
                tops.add(&block)
            }
        }
        return tops.finished().map { $0.map { SegmentUser(user: users.buffer[Int($0.row)], score: $0.score) } }
    }
}

/// The best users of each target, collected by several threads. Which ones they are does not depend on the order in which
/// blocks arrive.
private final class TopUsers: Sendable {
    private struct List {
        var rows: [ScoredRow] = []
        /// Who does not precede this one is not among the best.
        var floor: ScoredRow?
    }

    private let count: Int
    private let lists: Lock<[List]>

    init(targetCount: Int, count: Int) {
        self.count = count
        lists = Lock([List](repeating: List(), count: targetCount))
    }

    /// Takes the block's users away.
    func add(_ block: inout [[ScoredRow]]) {
        lists.withLock { lists in
            for target in block.indices {
                for row in block[target] where lists[target].floor.map(row.precedes) ?? true { lists[target].rows.append(row) }
                guard lists[target].rows.count > 2 * count else { continue }
                lists[target].rows = ScoredRow.best(count, of: lists[target].rows)
                lists[target].floor = lists[target].rows.last
            }
        }
        for target in block.indices { block[target].removeAll(keepingCapacity: true) }
    }

    func finished() -> [[ScoredRow]] { lists.withLock { lists in lists.map { ScoredRow.best(count, of: $0.rows) } } }
}
