import Foundation

/// Chooses how many inverted lists a query reads: the fewest whose answers hold 99 % of what looking at every item finds, for the
/// best ten, hundred and thousand, measured on queries as they are served.
struct ProbeSelection: Sendable {
    /// What one query is answered with.
    struct Answer: Sendable {
        /// Exact scores of what is shown, best first.
        var scores: [Float]
        /// Items whose vectors were read; 0 when the lists could not answer.
        var itemsRead: Int
    }

    struct Step: Sendable, Equatable {
        var depth: Int
        var lists: Int
        /// Mean share of the best `depth` that was found.
        var recall: Double
        /// Mean share of the items that was read.
        var share: Double
        /// Queries that the lists held too little for.
        var unanswered = 0
    }

    /// Answers a query, by its number, at a depth from so many lists; from all items when nil.
    typealias Asking = (_ query: Int, _ depth: Int, _ lists: Int?) -> Answer

    let itemCount: Int
    let listCount: Int
    let queryCount: Int
    let threads: Int

    static let depths = [10, 100, 1000]
    static let leastRecall = 0.99
    /// Reading more pays little: a list's items lie together, but all the lists do not.
    static let mostShare = 0.25
    static let queries = 1000

    /// What is measured at the depths for which reading lists pays; and the last that did not, if any.
    func choose(
        _ span: ProgressSpan, makeWorker: @Sendable @escaping () -> Asking
    ) throws(FitError) -> (steps: [Step], refused: Step?) {
        let depths = Self.depths.filter { $0 * 4 <= itemCount }
        guard let deepest = depths.last else { return ([], nil) }
        let exact = try answers(deepest, nil, span.part(0, 0.25), makeWorker)
        let grid = Self.grid(listCount)
        var steps: [Step] = []
        var first = 0
        for (place, depth) in depths.enumerated() {
            let part = span.part(0.25 * Double(place + 1), 0.25 * Double(place + 2))
            let (index, step) = try fewest(depth, Array(grid[first...]), exact, part, makeWorker)
            guard step.recall >= Self.leastRecall, step.share <= Self.mostShare else { return (steps, step) }
            steps.append(step)
            first += index
        }
        return (steps, nil)
    }

    /// 1 to all lists, each some fifth more than the one before.
    static func grid(_ listCount: Int) -> [Int] {
        var grid = [1]
        while let last = grid.last, last < listCount { grid.append(min(listCount, max(last + 1, Int(Double(last) * pow(2, 0.25))))) }
        return grid
    }

    /// The first of the grid that finds enough, by halving: what more lists find holds what fewer do.
    private func fewest(
        _ depth: Int, _ grid: [Int], _ exact: [Answer], _ span: ProgressSpan, _ makeWorker: @Sendable @escaping () -> Asking
    ) throws(FitError) -> (index: Int, step: Step) {
        func measured(_ index: Int) throws(FitError) -> Step {
            step(depth, grid[index], exact, try answers(depth, grid[index], span, makeWorker))
        }
        var (low, high) = (0, grid.count - 1)
        var reached: Step?
        while low < high {
            let middle = (low + high) / 2
            let step = try measured(middle)
            // Then more lists find enough, but read more than pays.
            if step.recall < Self.leastRecall, step.share > Self.mostShare, step.unanswered == 0 { return (middle, step) }
            if step.recall >= Self.leastRecall { (high, reached) = (middle, step) } else { low = middle + 1 }
        }
        if let reached, reached.lists == grid[low] { return (low, reached) }
        return (low, try measured(low))
    }

    private func step(_ depth: Int, _ lists: Int, _ exact: [Answer], _ found: [Answer]) -> Step {
        var recall = 0.0
        var asked = 0.0
        var read = 0
        var unanswered = 0
        for (exact, found) in zip(exact, found) {
            let best = exact.scores.prefix(depth)
            guard let last = best.last else { continue }
            asked += 1
            // Lists that hold too little leave the request to a look at all items, and have found nothing.
            guard found.itemsRead > 0 else {
                read += itemCount
                unanswered += 1
                continue
            }
            // By scores, so that it does not matter which of several equal items is shown.
            recall += Double(found.scores.prefix(depth).count { $0 >= last }) / Double(best.count)
            read += found.itemsRead
        }
        guard asked > 0 else { return Step(depth: depth, lists: lists, recall: 0, share: 1) }
        return Step(
            depth: depth, lists: lists, recall: recall / asked, share: Double(read) / asked / Double(max(1, itemCount)),
            unanswered: unanswered)
    }

    private func answers(
        _ depth: Int, _ lists: Int?, _ span: ProgressSpan, _ makeWorker: @Sendable @escaping () -> Asking
    ) throws(FitError) -> [Answer] {
        let results = Slots<Answer>(count: queryCount)
        try ParallelRows(threads: threads).run(count: queryCount, chunk: 8, span: span) {
            let ask = makeWorker()
            return { range in for query in range { results.set(query, ask(query, depth, lists)) } }
        }
        return results.values
    }
}

extension ModelDraft {
    /// Takes in what was measured, and the lists where they pay.
    mutating func take(_ lists: [SectionContent], count: Int, _ steps: [ProbeSelection.Step], refused: ProbeSelection.Step?, queries: Int) {
        func percent(_ share: Double) -> String { "\(decimals(share * 100, 1)) %" }
        for step in steps {
            set("lists.recall_at_\(step.depth)", decimals(step.recall, 4))
            set("lists.share_at_\(step.depth)", decimals(step.share, 4))
            log.append(
                "Inverted lists: \(step.lists) of \(count), with \(percent(step.share)) of the items, find \(percent(step.recall)) of the best "
                    + "\(step.depth) (\(queries) queries).")
        }
        if let refused {
            let from = steps.last.map { " for more than \($0.depth) at once" } ?? ""
            log.append(
                "All items are looked at\(from): for the best \(refused.depth), \(refused.lists) of "
                    + "\(count) inverted lists with \(percent(refused.share)) of the items find \(percent(refused.recall)).")
        }
        guard !steps.isEmpty else { return }
        set("lists.count", count)
        set("lists.queries", queries)
        set(ListProbes.property, ListProbes(steps: steps.map { .init(depth: $0.depth, lists: $0.lists) }).text)
        sections += lists
    }
}
