import Foundation

/// Brings new items, with their popularity, into a model without learning anew: its weights stay as they are, byte for byte. Takes
/// about as long as counting the interactions.
///
/// New are items that the model has not learned and that somebody met. What they are like is told by the histories in which they stand:
/// proxies of a new item are the learned items that its users met most, discounted by how many others met them.
/// - Parameter configuration: what the model was made with; its conditions on events hold for the new ones too.
public func update(
    _ model: Model, with data: TrainingData, _ configuration: FitConfiguration,
    progress: @escaping (Double, String) -> Bool = { _, _ in true }
) throws(FitError) -> FittedModel {
    let start = ContinuousClock.now
    let reporter = ProgressReporter(progress)
    try configuration.validate()
    try reporter.step(0, "Arranging interactions")
    let matrix = try InteractionMatrix(data, configuration)
    try reporter.step(0.3, "Looking for new items")
    let update = ModelUpdate(model, matrix)
    let mixtures = try update.mixtures(ProgressSpan(reporter: reporter, start: 0.3, end: 0.9))
    try reporter.step(0.9, "Writing the model")
    let bytes = ModelFormat.encode(update.sections(mixtures, configuration))
    try reporter.step(1, "Updated")
    return FittedModel(
        bytes: bytes,
        log: [
            "Added \(update.new.count) items that the model had not learned, by \(matrix.eventCount) interactions of \(matrix.userCount) "
                + "users; the weights of its \(model.learnedCount) learned items are unchanged.",
            "Model of \(bytes.count) bytes in \(decimals(seconds(since: start), 2)) s.",
        ],
        itemCount: model.learnedCount + update.new.count, userCount: matrix.userCount, interactionCount: matrix.eventCount,
        duration: ContinuousClock.now - start)
}

/// What an update adds to a model.
private struct ModelUpdate {
    let model: Model
    let matrix: InteractionMatrix
    /// Rows of the matrix whose items the model has not learned, ascending; so are their ids.
    let new: [Int]
    /// The model's row per row of the matrix, -1 for new items.
    private let learnedRows: [Int32]
    private let users: [Float]
    private let events: [Float]

    private static let proxyCount = 20
    /// Pairs of users that an estimate is shrunk by, as in the fit of related items.
    private static let shrinkage: Float = 10
    /// A user's newest events that take part.
    private static let historyLimit = 500

    init(_ model: Model, _ matrix: InteractionMatrix) {
        self.model = model
        self.matrix = matrix
        (users, events) = matrix.popularity()
        let learned = matrix.itemIDs.map { id in
            model.rowOfItem(id).flatMap { $0 < model.learnedCount ? Int32($0) : nil } ?? -1
        }
        learnedRows = learned
        let met = users
        new = learned.indices.filter { learned[$0] < 0 && met[$0] > 0 }
    }

    /// Of every new item, in order; largest weights first.
    func mixtures(_ span: ProgressSpan) throws(FitError) -> [[(row: Int32, weight: Float)]] {
        var place = [Int](repeating: -1, count: matrix.itemCount)
        for (index, row) in new.enumerated() { place[row] = index }
        var together = [[Int32: Float]](repeating: [:], count: new.count)
        for user in 0..<matrix.userCount {
            let range = matrix.offsets[user]..<matrix.offsets[user + 1]
            guard matrix.items[range].contains(where: { place[Int($0)] >= 0 }) else { continue }
            let distinct = Set(matrix.items[range].suffix(Self.historyLimit))
            let known = distinct.filter { learnedRows[Int($0)] >= 0 }
            for item in distinct where place[Int(item)] >= 0 {
                for other in known { together[place[Int(item)]][other, default: 0] += 1 }
            }
            try span.reporter.poll(span.share(Double(user) / Double(matrix.userCount)))
        }
        return together.map(mixture)
    }

    private func mixture(_ together: [Int32: Float]) -> [(row: Int32, weight: Float)] {
        let scored = together.map { (row: learnedRows[Int($0)], likeness: $1 / users[Int($0)].squareRoot(), pairs: $1) }
        let best = scored.sorted { ($0.likeness, $1.row) > ($1.likeness, $0.row) }.prefix(Self.proxyCount)
        let sum = best.reduce(0) { $0 + $1.likeness }
        let pairs = best.reduce(0) { $0 + $1.pairs }
        guard sum > 0 else { return [] }
        return best.map { ($0.row, $0.likeness / sum * pairs / (pairs + Self.shrinkage)) }
    }

    /// The whole file: what the model holds, but for what an update replaces.
    func sections(_ mixtures: [[(row: Int32, weight: Float)]], _ configuration: FitConfiguration) -> [SectionContent] {
        var lists = NeighborLists()
        lists.offsets = [0]
        for mixture in mixtures {
            for entry in mixture {
                lists.rows.append(entry.row)
                lists.strengths.append(entry.weight)
            }
            lists.offsets.append(UInt32(lists.rows.count))
        }
        let replaced = ["properties", "popularity.users", "popularity.events", "popularity.order"]
        let kept = model.rawSections { !replaced.contains($0) && !$0.hasPrefix("added.") }
        var draft = ModelDraft()
        draft.properties = model.properties.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        draft.set("updated_at", Int(configuration.createdAt.timeIntervalSince1970))
        draft.set("added_items", new.count)
        let popularity = PopularityRecipe.sections(
            users: model.learnedPopularity.users + new.map { users[$0] }, events: model.learnedPopularity.events + new.map { events[$0] })
        return [SectionContent("properties", texts: draft.properties.map { "\($0.name)=\($0.value)" })] + kept + popularity
            + [SectionContent("added.ids", new.map { matrix.itemIDs[$0] })] + SectionContent.lists("added", lists)
    }
}

extension Model {
    /// Popularity of the learned rows.
    fileprivate var learnedPopularity: (users: [Float], events: [Float]) {
        withHeader { (Array($0.popularityUsers.buffer.prefix(learnedCount)), Array($0.popularityEvents.buffer.prefix(learnedCount))) }
    }
}
