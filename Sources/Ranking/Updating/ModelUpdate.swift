import Foundation

/// What an update adds to a model.
struct ModelUpdate {
    typealias Mixture = [(row: Int32, weight: Float)]

    private let model: Model
    private let matrix: InteractionMatrix
    /// Of the new items, ascending.
    let ids: [Int32]
    /// Place among the new items per row of the matrix, -1 for others.
    private let places: [Int]
    /// The model's row per row of the matrix, -1 for new items.
    private let learnedRows: [Int32]
    /// By new item: learned rows with the likeness of their metadata, most alike first.
    private let alike: [Mixture]
    private let users: [Float]
    private let events: [Float]

    private static let proxyCount = 20
    /// Pairs of users that an estimate is shrunk by, as in the fit of related items.
    private static let shrinkage: Float = 10
    /// A user's newest events that take part.
    private static let historyLimit = 500

    init(
        _ model: Model, _ matrix: InteractionMatrix, _ metadata: MetadataTable?, threads: Int, _ span: ProgressSpan
    ) throws(FitError) {
        self.model = model
        self.matrix = matrix
        let (users, events) = matrix.popularity()
        (self.users, self.events) = (users, events)
        func isLearned(_ id: Int32) -> Bool { (model.rowOfItem(id) ?? .max) < model.learnedCount }
        let met = matrix.itemIDs.indices.filter { users[$0] > 0 && !isLearned(matrix.itemIDs[$0]) }.map { matrix.itemIDs[$0] }
        let told = (metadata?.ids ?? []).filter { !isLearned($0) }
        let likeness = try Self.likeness(of: Set(met + told), model, metadata, threads: threads, span)
        // An item of which nothing is known that would place it stays outside, to be explored as a stranger.
        let known = Set(met)
        let new = Set(met + told).filter { known.contains($0) || likeness[$0] != nil }.sorted()
        ids = new
        alike = new.map { likeness[$0] ?? [] }
        places = matrix.itemIDs.map { id in new.withUnsafeBufferPointer { firstRow(of: id, in: $0) } ?? -1 }
        learnedRows = matrix.itemIDs.map { id in model.rowOfItem(id).flatMap { $0 < model.learnedCount ? Int32($0) : nil } ?? -1 }
    }

    /// The learned items whose metadata is nearest to each of some items, by their cosine.
    private static func likeness(
        of new: Set<Int32>, _ model: Model, _ metadata: MetadataTable?, threads: Int, _ span: ProgressSpan
    ) throws(FitError) -> [Int32: Mixture] {
        guard let metadata, !new.isEmpty else { return [:] }
        let learned = Array(model.itemIDs.prefix(model.learnedCount))
        let all = (learned + new).sorted()
        let features = FeatureRows(metadata, itemIDs: all)
        guard features.featureCount > 0 else { return [:] }
        let fit = ContentFit(features: features, limit: 2 * proxyCount, threads: threads)
        let isNew = all.map { new.contains($0) }
        let byTarget = try fit.alike((0..<Int32(all.count)).filter { isNew[Int($0)] }, among: isNew.map(!), span)
        var found: [Int32: Mixture] = [:]
        for (row, id) in all.enumerated() where new.contains(id) {
            var nearest: Mixture = []
            for position in Int(byTarget.offsets[row])..<Int(byTarget.offsets[row + 1]) {
                let other = all[Int(byTarget.rows[position])]
                guard byTarget.strengths[position] > 0, !new.contains(other), let place = model.rowOfItem(other) else { continue }
                nearest.append((Int32(place), byTarget.strengths[position]))
            }
            guard !nearest.isEmpty else { continue }
            found[id] = Array(nearest.sorted { ($0.weight, $1.row) > ($1.weight, $0.row) }.prefix(proxyCount))
        }
        return found
    }

    /// Of every new item, in order; weights add up to 1 at most.
    func mixtures(_ span: ProgressSpan) throws(FitError) -> [Mixture] {
        var together = [[Int32: Float]](repeating: [:], count: ids.count)
        for user in 0..<matrix.userCount {
            let range = matrix.offsets[user]..<matrix.offsets[user + 1]
            guard matrix.items[range].contains(where: { places[Int($0)] >= 0 }) else { continue }
            let distinct = Set(matrix.items[range].suffix(Self.historyLimit))
            let known = distinct.filter { learnedRows[Int($0)] >= 0 }
            for item in distinct where places[Int(item)] >= 0 {
                for other in known { together[places[Int(item)]][other, default: 0] += 1 }
            }
            try span.reporter.poll(span.share(Double(user) / Double(max(1, matrix.userCount))))
        }
        return ids.indices.map { mixture(together[$0], alike[$0]) }
    }

    /// Pairs of users count n / (n + shrinkage) of the whole; metadata gets the rest, as far as it is alike.
    private func mixture(_ together: [Int32: Float], _ alike: Mixture) -> Mixture {
        let scored = together.map { (row: learnedRows[Int($0)], weight: $1 / users[Int($0)].squareRoot(), pairs: $1) }
        let best = scored.sorted { ($0.weight, $1.row) > ($1.weight, $0.row) }.prefix(Self.proxyCount)
        let pairs = best.reduce(0) { $0 + $1.pairs }
        let trust = pairs / (pairs + Self.shrinkage)
        let sum = best.reduce(0) { $0 + $1.weight }
        var mixture: Mixture = sum > 0 ? best.map { ($0.row, $0.weight / sum * trust) } : []
        let likeness = alike.reduce(0) { $0 + $1.weight }
        guard likeness > 0 else { return mixture }
        let rest = (1 - trust) * min(1, likeness / Float(alike.count))
        for entry in alike {
            let weight = entry.weight / likeness * rest
            if let place = mixture.firstIndex(where: { $0.row == entry.row }) {
                mixture[place].weight += weight
            } else {
                mixture.append((entry.row, weight))
            }
        }
        return mixture
    }

    /// The whole file: what the model holds, but for what an update replaces.
    func sections(_ mixtures: [Mixture], _ configuration: FitConfiguration) -> [SectionContent] {
        var lists = NeighborLists()
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
        draft.set("added_items", ids.count)
        let known = model.learnedPopularity
        var counts = [(users: Float, events: Float)](repeating: (0, 0), count: ids.count)
        for (row, place) in places.enumerated() where place >= 0 { counts[place] = (users[row], events[row]) }
        let popularity = PopularityRecipe.sections(
            users: known.users + counts.map(\.users), events: known.events + counts.map(\.events))
        return [SectionContent("properties", texts: draft.properties.map { "\($0.name)=\($0.value)" })] + kept + popularity
            + [SectionContent("added.ids", ids)] + SectionContent.lists("added", lists)
    }
}

extension Model {
    /// Popularity of the learned rows.
    fileprivate var learnedPopularity: (users: [Float], events: [Float]) {
        withHeader { (Array($0.popularityUsers.buffer.prefix(learnedCount)), Array($0.popularityEvents.buffer.prefix(learnedCount))) }
    }
}
