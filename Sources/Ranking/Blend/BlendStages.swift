/// Decides which parts of a chosen blend find rows and which only score what the others find. Passing over all items costs
/// as many bytes as a part's vectors have, at each request; often the other parts find the same rows.
///
/// The fewest scans win that still find what the whole blend would show to held-out users. What those users did next is
/// not looked at: where it was drawn from among their other events it flatters what remembers single pairs.
struct BlendStages {
    let members: [(ingredient: Ingredient, member: BlendScorer.Member)]
    let split: ValidationSplit
    let weighting: HistoryWeights
    let threads: Int

    /// Share of the whole blend's lists that must be found.
    static let leastAgreement = 0.995
    /// Length of the lists.
    static let depth = 50
    /// The agreement varies little between users, so a part of them tells it.
    static let users = 500
    /// One row of a vector's floats from anywhere takes as long as a scan over so many rows in eight bits (measured: 130 and 1.6 ns
    /// at 256 dimensions).
    static let scannedPerRow = 80

    /// What finds rows, and how many.
    struct Stage: Equatable {
        /// Need not find rows.
        var scoring: Set<Ingredient>
        /// Times the rows that are wanted anyway.
        var poolFactor: Double
    }

    /// The cheapest stage, and the share of the lists that it finds; nil when all parts are needed.
    func choose(_ span: ProgressSpan) throws(FitError) -> (stage: Stage, agreement: Double)? {
        let stages = Self.stages(members.map(\.ingredient), itemCount: split.training.itemCount)
        guard stages.count > 1 else { return nil }
        let agreements = try agreements(stages, span)
        for (stage, agreement) in zip(stages, agreements).dropLast() where agreement >= Self.leastAgreement {
            return (stage, agreement)
        }
        return nil
    }

    /// From the fewest scans to all of them; each with more rows, too, where these take less time than another scan.
    static func stages(_ ingredients: [Ingredient], itemCount: Int) -> [Stage] {
        let extra = Model.rowsWanted(depth, historyCount: 0) * scannedPerRow
        let factors = [1, 1.5, 2].filter { $0 == 1 || itemCount > Int(($0 - 1) * Double(extra)) }
        let options = options(ingredients)
        return options.dropLast().flatMap { option in factors.map { Stage(scoring: option, poolFactor: $0) } }
            + options.suffix(1).map { Stage(scoring: $0, poolFactor: 1) }
    }

    /// From the fewest scans to all of them. Something that reads the history has to find rows.
    static func options(_ ingredients: [Ingredient]) -> [Set<Ingredient>] {
        let dense = Set(ingredients).intersection([.spectrum, .factors, .content])
        // What corrects others finds nothing of its own.
        let correcting = Set(ingredients.filter(\.corrects))
        let others = Set(ingredients).subtracting(dense).subtracting(correcting).subtracting([
            .popularity, .choices, .contentLevel, .objective,
        ])
        let options: [Set<Ingredient>] = [
            dense.union(correcting), dense.intersection([.spectrum, .content]).union(correcting),
            dense.intersection([.content]).union(correcting), correcting, [],
        ]
        return options.enumerated().filter { place, option in
            (!others.isEmpty || option.intersection(dense).count < dense.count || option.isEmpty)
                && !options[(place + 1)...].contains(option)
        }.map(\.element)
    }

    /// Mean share of the lists of the last stage that each stage finds.
    private func agreements(_ stages: [Stage], _ span: ProgressSpan) throws(FitError) -> [Double] {
        let training = split.training
        let users = Array(split.users.prefix(Self.users))
        let scorers = stages.map { stage in
            BlendScorer(
                members: members.map { entry in
                    var member = entry.member
                    member.retrieves = !stage.scoring.contains(entry.ingredient)
                    return member
                }, itemCount: training.itemCount, poolFactor: stage.poolFactor)
        }
        let results = Slots<[Double]>(count: users.count)
        let weighting = weighting
        try ParallelRows(threads: threads).run(count: users.count, chunk: 8, span: span) {
            var scratch = RankingScratch()
            return { range in
                for index in range {
                    training.collectHistory(users[index].row, weighting, into: &scratch.history)
                    let lists = scorers.map { $0.newRows(Self.depth, &scratch) }
                    let whole = lists.last ?? []
                    results.set(
                        index, lists.map { whole.isEmpty ? 1 : Double($0.intersection(whole).count) / Double(whole.count) })
                }
            }
        }
        return stages.indices.map { stage in results.values.reduce(0) { $0 + $1[stage] } / Double(max(1, users.count)) }
    }
}

extension BlendScorer {
    /// The best rows outside the scratch's history.
    func newRows(_ count: Int, _ scratch: inout RankingScratch) -> Set<Int32> { Set(newEntries(count, &scratch).map(\.row)) }

    /// As above, with their scores, best first.
    func newEntries(_ count: Int, _ scratch: inout RankingScratch) -> [ScoredRow] {
        scratch.pool.clear(itemCount: itemCount)
        guard begin(&scratch) else { return [] }
        retrieve(Model.rowsWanted(count, historyCount: scratch.history.count), depth: count, allowed: nil, &scratch)
        score(&scratch)
        var entries: [ScoredRow] = []
        for (row, score) in zip(scratch.pool.rows, scratch.pool.scores) where scratch.history.place(of: row) == nil {
            entries.append(ScoredRow(row: row, score: score))
        }
        return ScoredRow.best(count, of: entries)
    }
}
