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
        try ParallelRows(threads: threads).run(count: count, chunk: 64, span: span) {
            var scratch = RankingScratch()
            return { range in
                for index in range { answered(index, model.rank(request(index), scratch: &scratch)) }
            }
        }
    }
}
