public import Foundation

/// An opened model: ranks items straight from the bytes it was opened on, from any number of threads.
public struct Model: Sendable {
    private let file: ModelFile
    private let header: ModelHeader
    private let family: any Recipe
    private let popularity: PopularityRecipe
    private let demotesHistory: Bool
    public let recipe: RecipeName
    public let createdAt: Date
    public let seed: UInt64
    /// Is every row its own item id (ids 0..<itemCount), so that bitmaps by id are bitmaps by row?
    public let isIdentityMapped: Bool

    /// Opens a model on memory that it keeps for its lifetime. Without `verifyingChecksum`, damage inside sections shows
    /// as poor answers, never as a crash.
    public init(opening memory: some ModelMemory, verifyingChecksum: Bool = true) throws(ModelError) {
        file = try ModelFile(memory)
        if verifyingChecksum { try file.verifyChecksum() }
        header = try ModelHeader(file)
        guard let recipe = header.properties["recipe"].flatMap(RecipeName.init(rawValue:)) else {
            throw .damaged("its recipe is unknown")
        }
        self.recipe = recipe
        family = try recipe.family.init(opening: file, header)
        popularity = PopularityRecipe(header)
        demotesHistory = header.properties["demotes_history"] == "true"
        createdAt = Date(timeIntervalSince1970: header.properties["created_at"].flatMap(Double.init) ?? 0)
        seed = header.properties["seed"].flatMap(UInt64.init) ?? 0
        let count = header.itemCount
        isIdentityMapped =
            count > 0 && header.itemIDs.at(0) == 0 && header.itemIDs.at(count - 1) == Int32(count - 1)
            && zip(header.itemIDs.buffer, 0...).allSatisfy { $0 == $1 }
    }

    /// Checks every byte against the checksum in the header.
    public func verifyChecksum() throws(ModelError) { try file.verifyChecksum() }

    /// All sections, for inspection.
    public var sections: [ModelSection] { file.sections }

    /// Recipe, parameters, scales, counts: everything that was recorded, by name.
    public var properties: [String: String] { header.properties }

    /// Event type names; their positions are what `HistoryEvent.eventType` means.
    public var eventTypeNames: [String] { header.eventTypeNames }

    public var itemCount: Int { header.itemCount }

    /// Interned ids in ascending order; position is the row.
    public var itemIDs: [Int32] { withExtendedLifetime(file.memory) { Array(header.itemIDs.buffer) } }

    public func itemID(ofRow row: Int) -> Int32? { withExtendedLifetime(file.memory) { header.itemIDs.at(row) } }

    public func rowOfItem(_ item: Int32) -> Int? {
        withExtendedLifetime(file.memory) {
            if isIdentityMapped { return item >= 0 && Int(item) < itemCount ? Int(item) : nil }
            return firstRow(of: item, in: header.itemIDs.buffer)
        }
    }

    /// Distinct users who interacted with the row's item in the training data.
    public func distinctUsers(ofRow row: Int) -> Int {
        withExtendedLifetime(file.memory) { Int(clamping: Int64(exactlyOrZero: header.popularityUsers.at(row))) }
    }

    /// Ranks items. Never fails: without a usable history or item the answer is the popular items.
    public func rank(_ request: RankingRequest, scratch: inout RankingScratch) -> RankingResult {
        withExtendedLifetime(file.memory) {
            collectHistory(request, &scratch)
            return rankAlive(request, &scratch)
        }
    }

    /// How many requests it pays to rank together: one, unless they share so many bytes that the work space of several costs
    /// less (measured: 2.6 MB did not pay on a core with 1 MB of its own cache, 13 MB gave 1.7 times the lists).
    var batchWidth: Int { family.sharedBytes > 4 << 20 ? RankingBatch.width : 1 }

    /// The same answers to several requests, at most `RankingBatch.width`, with one pass over the model's vectors.
    public func rank(_ requests: [RankingRequest], batch: inout RankingBatch) -> [RankingResult] {
        withExtendedLifetime(file.memory) {
            for (place, request) in requests.enumerated() { collectHistory(request, &batch.scratches[place]) }
            family.prepare(requests, &batch)
            return requests.enumerated().map { rankAlive($1, &batch.scratches[$0]) }
        }
    }

    /// The scratch holds the history.
    private func rankAlive(_ request: RankingRequest, _ scratch: inout RankingScratch) -> RankingResult {
        scratch.pool.clear(itemCount: itemCount)
        let strangers = addCandidates(request, &scratch)
        // Nobody can be given more than there is; the bound also keeps odd counts from overflowing.
        let count = min(max(0, request.candidates.map { max($0.count, request.count) } ?? request.count), itemCount)
        let wanted = Self.rowsWanted(count, historyCount: scratch.history.count)
        var source: any Recipe = family
        if !family.score(request, wanted: wanted, &scratch) {
            source = popularity
            _ = popularity.score(request, wanted: wanted, &scratch)
        }
        var entries = scoredEntries(request, scratch)
        boost(&entries, request)
        if demotesHistory, request.candidates == nil, !request.excludeHistory { demote(&entries, scratch.history) }
        let considered = entries.count
        let normalize = Normalizer(entries, source.normalization)
        var items = ScoredRow.best(count, of: entries).map { entry in
            RankedItem(
                item: header.itemIDs.at(Int(entry.row)) ?? -1, score: entry.score,
                normalizedScore: normalize(entry.score), kind: source.kind,
                reasons: request.explain ? reasons(of: entry.row, source, request, &scratch) : [])
        }
        if request.candidates == nil, items.count < count { fill(&items, count, request, &scratch) }
        for stranger in strangers {
            items.append(RankedItem(item: stranger, score: nil, normalizedScore: nil, kind: .unknown, reasons: []))
        }
        return RankingResult(items: items, consideredCount: considered, historyItemsUsed: scratch.history.count)
    }

    /// Rows to score exactly, so that the best `count` new ones are among them though rows are found by approximate scores.
    static func rowsWanted(_ count: Int, historyCount: Int) -> Int { max(200, 2 * count) + historyCount + 1 }

    private func collectHistory(_ request: RankingRequest, _ scratch: inout RankingScratch) {
        let known = request.history.suffix(2000).compactMap { event in
            rowOfItem(event.item).map { (row: Int32($0), type: Int(event.eventType), value: event.value) }
        }
        scratch.history.collect(count: known.count, itemCount: itemCount, header.weighting) { known[$0] }
        (scratch.begun, scratch.holdsVectors) = (nil, false)
        guard request.excludeHistory else { return }
        scratch.seen.clear(itemCount: itemCount)
        scratch.seen.add(known.lazy.map(\.row))
        // Older events carry no weight and are history all the same.
        scratch.seen.add(request.history.dropLast(2000).lazy.compactMap { rowOfItem($0.item).map { Int32($0) } })
    }

    /// Puts the known candidates into the pool; returns the unknown ones, each once, in the order given.
    private func addCandidates(_ request: RankingRequest, _ scratch: inout RankingScratch) -> [Int32] {
        var strangers: [Int32] = []
        var seen = Set<Int32>()
        for candidate in request.candidates ?? [] {
            if let row = rowOfItem(candidate) {
                if request.allows(row) { scratch.pool.add(Int32(row)) }
            } else if seen.insert(candidate).inserted {
                strangers.append(candidate)
            }
        }
        return strangers
    }

    private func scoredEntries(_ request: RankingRequest, _ scratch: RankingScratch) -> [ScoredRow] {
        var entries: [ScoredRow] = []
        entries.reserveCapacity(scratch.pool.count)
        for index in 0..<scratch.pool.count where scratch.pool.scores[index].isFinite {
            let row = scratch.pool.rows[index]
            if request.excludeHistory, scratch.seen.place(of: row) != nil { continue }
            entries.append(ScoredRow(row: row, score: scratch.pool.scores[index]))
        }
        return entries
    }

    private func boost(_ entries: inout [ScoredRow], _ request: RankingRequest) {
        guard let boosts = request.boosts, !boosts.isEmpty else { return }
        let factors = Dictionary(boosts.map { (Int32(clamping: $0.row), $0.factor) }, uniquingKeysWith: { $1 })
        for index in entries.indices {
            guard let factor = factors[entries[index].row], factor > 0, factor.isFinite else { continue }
            entries[index].score = entries[index].score >= 0 ? entries[index].score * factor : entries[index].score / factor
        }
    }

    /// Moves the history's items below all others, keeping their order, where users do not come back to items.
    private func demote(_ entries: inout [ScoredRow], _ history: WeightedHistory) {
        guard history.count > 0, let highest = entries.map(\.score).max(), let lowest = entries.map(\.score).min() else { return }
        for index in entries.indices where history.place(of: entries[index].row) != nil {
            entries[index].score -= highest - lowest + 1
        }
    }

    /// Fills a short answer with popular items that satisfy the request, without scores.
    private func fill(
        _ items: inout [RankedItem], _ count: Int, _ request: RankingRequest, _ scratch: inout RankingScratch
    ) {
        var taken = Set(items.map(\.item))
        if let item = request.item { taken.insert(item) }
        for row in header.popularityOrder.buffer where items.count < count {
            guard let id = header.itemIDs.at(Int(row)), request.allows(Int(row)), !taken.contains(id) else { continue }
            if request.excludeHistory, scratch.seen.place(of: row) != nil { continue }
            taken.insert(id)
            items.append(RankedItem(item: id, score: nil, normalizedScore: nil, kind: .popular, reasons: []))
        }
    }

    private func reasons(
        of row: Int32, _ source: any Recipe, _ request: RankingRequest, _ scratch: inout RankingScratch
    ) -> [Contribution] {
        let parts = source.parts(of: row, request, &scratch).filter { $0.part > 0 && $0.part.isFinite }
        let total = parts.reduce(0) { $0 + $1.part }
        guard total > 0 else { return [] }
        return parts.sorted { $0.part > $1.part || ($0.part == $1.part && $0.item < $1.item) }.prefix(3).map {
            Contribution(historyItem: $0.item, share: $0.part / total)
        }
    }
}

extension Int64 {
    fileprivate init(exactlyOrZero value: Float?) {
        guard let value, value.isFinite, value >= 0, value < 9e18 else {
            self = 0
            return
        }
        self = Int64(value)
    }
}
