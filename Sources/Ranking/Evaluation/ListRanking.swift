/// Answers many requests from one model, on own threads.
public struct ListRanking: Sendable {
    public let model: Model
    public let threads: Int

    public init(_ model: Model, threads: Int) {
        self.model = model
        self.threads = threads
    }

    /// Asks `count` requests. `request` and `answered` run on any of the threads, once for each index; the order is free.
    /// `progress` gets the share that is done, on the calling thread; returning false stops.
    public func run(
        count: Int, request: @Sendable @escaping (Int) -> RankingRequest,
        answered: @Sendable @escaping (Int, RankingResult) -> Void, progress: @escaping (Double) -> Bool = { _ in true }
    ) throws(FitError) {
        let span = ProgressSpan(reporter: ProgressReporter { share, _ in progress(share) }, start: 0, end: 1)
        let model = model
        let width = model.batchWidth
        try ParallelRows(threads: threads).run(count: count, chunk: 64, span: span) {
            var batch = RankingBatch()
            return { range in
                for start in stride(from: range.lowerBound, to: range.upperBound, by: width) {
                    let places = start..<min(range.upperBound, start + width)
                    for (place, result) in zip(places, model.rank(places.map { request($0) }, batch: &batch)) { answered(place, result) }
                }
            }
        }
    }
}

extension ListRanking {
    /// As `run`, with the answers as bytes, in order.
    public func lines(
        count: Int, request: @Sendable @escaping (Int) -> RankingRequest,
        line: @Sendable @escaping (Int, RankingResult) -> [UInt8], progress: @escaping (Double) -> Bool = { _ in true }
    ) throws(FitError) -> [[UInt8]] {
        let lines = Slots<[UInt8]>(count: count)
        try run(count: count, request: request, answered: { lines.set($0, line($0, $1)) }, progress: progress)
        return lines.values
    }
}

/// What the data says of each user, newest events last.
public struct UserHistories: Sendable {
    private let data: TrainingData
    private let order: [Int32]
    /// Per user id.
    private let offsets: [Int]

    /// - Throws: `unusableData` for numbers of users that are far from dense.
    public init(_ data: TrainingData) throws(FitError) {
        let timeline = try UserTimeline(data)
        self.data = data
        order = timeline.order
        offsets = prefixSums(data.users.lazy.map { Int($0) }, bins: Int(timeline.users.last ?? -1) + 1)
    }

    /// At most the newest 2,000 events, oldest first; none for users without events.
    public func events(of user: Int32) -> [HistoryEvent] {
        guard user >= 0, Int(user) + 1 < offsets.count else { return [] }
        return order[offsets[Int(user)]..<offsets[Int(user) + 1]].suffix(2000).map { position in
            let position = Int(position)
            return HistoryEvent(
                item: data.items[position], eventType: Int16(data.eventTypes[position]), timestamp: data.timestamps[position],
                value: data.values[position])
        }
    }
}
