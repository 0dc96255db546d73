public import Foundation

/// An opened model: ranks items straight from the bytes it was opened on, from any number of threads.
public struct Model: Sendable {
    private let file: ModelFile
    private let header: ModelHeader
    let family: any Recipe
    private let popularity: PopularityRecipe
    private let demotesHistory: Bool
    private let added: AddedItems?
    /// Do the user's attributes or the context of a request change the answer?
    public let usesSituation: Bool
    private let objective: LevelShare?
    private let choices: LevelShare?
    private let popularityShare: LevelShare?
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
        guard !recipe.description.proposesActions else { throw .damaged("it is a model of actions, which ranks no items") }
        self.recipe = recipe
        family = try recipe.family.init(opening: file, header)
        let effects = try SituationEffects.open(file, itemCount: header.itemCount, properties: header.properties)
        popularity = PopularityRecipe(header, effects: effects)
        usesSituation = effects != nil
        demotesHistory = header.properties["demotes_history"] == "true"
        createdAt = Date(timeIntervalSince1970: header.properties["created_at"].flatMap(Double.init) ?? 0)
        seed = header.properties["seed"].flatMap(UInt64.init) ?? 0
        added = header.added
        objective = try LevelShare(.objective, opening: file, header)
        choices = try LevelShare(.choices, opening: file, header)
        popularityShare = try LevelShare(.popularity, opening: file, header)
        let count = header.itemCount
        isIdentityMapped =
            count > 0 && header.itemIDs.at(0) == 0 && header.itemIDs.at(count - 1) == Int32(count - 1)
            && zip(header.itemIDs.buffer, 0...).allSatisfy { $0 == $1 }
            && zip(header.added.map { Array($0.ids.buffer) } ?? [], Int32(count)...).allSatisfy { $0 == $1 }
    }

    /// Checks every byte against the checksum in the header.
    public func verifyChecksum() throws(ModelError) { try file.verifyChecksum() }

    /// All sections, for inspection.
    public var sections: [ModelSection] { file.sections }

    /// Recipe, parameters, scales, counts: everything that was recorded, by name.
    public var properties: [String: String] { header.properties }

    /// Event type names; their positions are what `HistoryEvent.eventType` means.
    public var eventTypeNames: [String] { header.eventTypeNames }

    public var itemCount: Int { learnedCount + (added?.ids.count ?? 0) }

    /// Rows that a fit learned; items that an update brought stand behind them.
    var learnedCount: Int { header.itemCount }

    /// Interned ids by row: the learned ones in ascending order, then those that an update brought, ascending too.
    public var itemIDs: [Int32] {
        withExtendedLifetime(file.memory) { Array(header.itemIDs.buffer) + (added.map { Array($0.ids.buffer) } ?? []) }
    }

    public func itemID(ofRow row: Int) -> Int32? {
        withExtendedLifetime(file.memory) { row < learnedCount ? header.itemIDs.at(row) : added?.ids.at(row - learnedCount) }
    }

    /// Sections as they are in the file, by name.
    func rawSections(_ isWanted: (String) -> Bool) -> [SectionContent] {
        withExtendedLifetime(file.memory) {
            file.sections.filter { isWanted($0.name) }.map { SectionContent($0, in: file.memory.bytes) }
        }
    }

    /// The attribute of items that the model ranks by beside relevance; nil for none.
    public var objectiveAttribute: String? { objective == nil ? nil : header.properties["objective"] }

    func withHeader<T>(_ body: (ModelHeader) -> T) -> T { withExtendedLifetime(file.memory) { body(header) } }

    public func rowOfItem(_ item: Int32) -> Int? {
        withExtendedLifetime(file.memory) {
            if isIdentityMapped { return item >= 0 && Int(item) < itemCount ? Int(item) : nil }
            return firstRow(of: item, in: header.itemIDs.buffer) ?? added?.row(of: item)
        }
    }

    /// Did anybody meet the item in the training data? Items may be known by their metadata alone.
    public func hasEvents(item: Int32) -> Bool { rowOfItem(item).map { distinctUsers(ofRow: $0) > 0 } ?? false }

    /// Items that somebody met in the training data.
    public var metItemCount: Int {
        withExtendedLifetime(file.memory) { header.popularityUsers.buffer.count { $0 > 0 } }
    }

    /// Distinct users who interacted with the row's item in the training data.
    public func distinctUsers(ofRow row: Int) -> Int {
        withExtendedLifetime(file.memory) { Int(clamping: Int64(exactlyOrZero: header.popularityUsers.at(row))) }
    }

    /// Do events of a type count for the model? -1 is a type that it never saw.
    public func learns(fromType type: Int) -> Bool { header.weighting.weight(ofType: type) > 0 }

    /// The family, on memory that stays for the call.
    func withFamily<T>(_ body: (any Recipe) -> T) -> T { withExtendedLifetime(file.memory) { body(family) } }

    /// Ranks items. Never fails: without a usable history or item the answer is the popular items.
    public func rank(_ request: RankingRequest, scratch: inout RankingScratch) -> RankingResult {
        withExtendedLifetime(file.memory) {
            collectHistory(request, &scratch)
            return rankAlive(request, &scratch)
        }
    }

    /// How many requests it pays to rank together: one, unless what they share is more than a core's own cache holds.
    var batchWidth: Int { family.sharedBytes > 1 << 20 ? RankingBatch.width : 1 }

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
        scratch.situation.removeAll(keepingCapacity: true)
        scratch.pool.clear(itemCount: itemCount)
        let strangers = addCandidates(request, &scratch)
        // Nobody can be given more than there is; the bound also keeps odd counts from overflowing.
        let count = min(max(0, request.candidates.map { max($0.count, request.count) } ?? request.count), itemCount)
        let wanted = Self.rowsWanted(count, historyCount: scratch.history.count)
        var source: any Recipe = family
        let isPersonal = family.score(request, wanted: wanted, &scratch)
        if !isPersonal {
            source = popularity
            for case let row? in (request.candidates ?? []).map({ added?.row(of: $0) }) where request.allows(row) {
                scratch.pool.add(Int32(row))
            }
            _ = popularity.score(request, wanted: wanted, &scratch)
        }
        var entries = scoredEntries(request, scratch)
        if isPersonal, added != nil { entries += addedEntries(request, &scratch) }
        boost(&entries, request)
        if demotesHistory, request.candidates == nil, !request.excludeHistory, !request.keepsHistory { demote(&entries, scratch.history) }
        let considered = entries.count
        let normalize = Normalizer(entries, source.normalization)
        var items = ScoredRow.best(count, of: entries).map { entry in
            RankedItem(
                item: itemID(ofRow: Int(entry.row)) ?? -1, score: entry.score,
                normalizedScore: normalize(entry.score), kind: source.kind,
                reasons: request.explain ? reasons(of: entry.row, source, request, &scratch) : [],
                situationPart: request.explain && Int(entry.row) < scratch.situation.count ? scratch.situation[Int(entry.row)] : nil,
                objectivePart: request.explain && isPersonal ? objective?.part(of: entry.row, in: request) : nil,
                popularityPart: request.explain && isPersonal ? popularityShare?.part(of: entry.row, in: request) : nil,
                choicePart: request.explain && isPersonal ? choices?.part(of: entry.row, in: request) : nil)
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
            rowOfItem(event.item).flatMap { row in
                row < learnedCount ? (row: Int32(row), type: Int(event.eventType), value: event.value) : nil
            }
        }
        scratch.history.collect(count: known.count, itemCount: learnedCount, header.weighting) { known[$0] }
        (scratch.begun, scratch.holdsVectors, scratch.found) = (nil, false, nil)
        guard request.excludeHistory else { return }
        scratch.seen.clear(itemCount: itemCount)
        scratch.seen.add(distinct: scratch.history.rows[...])
        // Events without weight, older ones, and those on items that an update brought are history all the same.
        for event in known where scratch.history.place(of: event.row) == nil { scratch.seen.add(event.row) }
        let others = added == nil ? request.history.dropLast(2000) : request.history[...]
        scratch.seen.add(others.lazy.compactMap { rowOfItem($0.item).map { Int32($0) } })
    }

    /// Puts the known candidates into the pool; returns the unknown ones, each once, in the order given.
    private func addCandidates(_ request: RankingRequest, _ scratch: inout RankingScratch) -> [Int32] {
        var strangers: [Int32] = []
        var seen = Set<Int32>()
        for candidate in request.candidates ?? [] {
            if let row = rowOfItem(candidate) {
                if row < learnedCount, request.allows(row) { scratch.pool.add(Int32(row)) }
            } else if seen.insert(candidate).inserted {
                strangers.append(candidate)
            }
        }
        return strangers
    }

    private func scoredEntries(_ request: RankingRequest, _ scratch: RankingScratch) -> [ScoredRow] {
        var isLeftOut = [Bool](repeating: false, count: scratch.pool.count)
        if request.excludeHistory {
            for row in scratch.seen.rows { if let place = scratch.pool.place(of: row) { isLeftOut[place] = true } }
        }
        return isLeftOut.indices.compactMap { place in
            let score = scratch.pool.scores[place]
            return isLeftOut[place] || !score.isFinite ? nil : ScoredRow(row: scratch.pool.rows[place], score: score)
        }
    }

    /// The admitted rows that an update brought, scored by their proxies' exact scores. Uses the pool anew.
    private func addedEntries(_ request: RankingRequest, _ scratch: inout RankingScratch) -> [ScoredRow] {
        guard let added else { return [] }
        let listed = request.candidates.map { Set($0.compactMap { added.row(of: $0) }) }
        let leavesHistoryOut = request.excludeHistory || (demotesHistory && listed == nil)
        let seen = leavesHistoryOut ? Set(request.history.map(\.item)) : []
        let rows = (learnedCount..<itemCount).filter { row in
            listed?.contains(row) ?? true && request.allows(row) && !(itemID(ofRow: row).map(seen.contains) ?? false)
        }.map { Int32($0) }
        scratch.pool.clear(itemCount: itemCount)
        for row in rows { for proxy in added.mixture(of: row) { scratch.pool.add(proxy.row) } }
        var proxies = request
        // Scores what is in the pool, and nothing else.
        proxies.scoresAsList = request.ranksList
        proxies.candidates = []
        proxies.allowed = nil
        guard family.score(proxies, wanted: 0, &scratch) else { return [] }
        return rows.map { row in
            let score = added.mixture(of: row).reduce(Float(0)) { sum, proxy in
                sum + proxy.weight * (scratch.pool.place(of: proxy.row).map { scratch.pool.scores[$0] } ?? 0)
            }
            return ScoredRow(row: row, score: score)
        }
    }

    private func boost(_ entries: inout [ScoredRow], _ request: RankingRequest) {
        guard let boosts = request.boosts, !boosts.isEmpty else { return }
        let factors = Dictionary(boosts.map { (Int32(clamping: $0.row), $0.factor) }, uniquingKeysWith: { $1 })
        for index in entries.indices {
            guard let factor = factors[entries[index].row], factor > 0, factor.isFinite else { continue }
            entries[index].score = (entries[index].score >= 0 ? entries[index].score * factor : entries[index].score / factor).bounded
        }
    }

    /// Moves the history's items below all others, keeping their order, where users do not come back to items.
    private func demote(_ entries: inout [ScoredRow], _ history: WeightedHistory) {
        guard history.count > 0, let highest = entries.map(\.score).max(), let lowest = entries.map(\.score).min() else { return }
        for index in entries.indices where history.place(of: entries[index].row) != nil {
            entries[index].score = (entries[index].score - (highest - lowest + 1)).bounded
        }
    }

    /// Fills a short answer with popular items that satisfy the request, without scores.
    private func fill(
        _ items: inout [RankedItem], _ count: Int, _ request: RankingRequest, _ scratch: inout RankingScratch
    ) {
        var taken = Set(items.map(\.item))
        if let item = request.item { taken.insert(item) }
        for row in header.popularityOrder.buffer where items.count < count {
            guard let id = itemID(ofRow: Int(row)), request.allows(Int(row)), !taken.contains(id) else { continue }
            if request.excludeHistory, scratch.seen.place(of: row) != nil { continue }
            taken.insert(id)
            items.append(RankedItem(item: id, score: nil, normalizedScore: nil, kind: .popular, reasons: []))
        }
    }

    /// An added row's parts are those of its proxies.
    private func allParts(
        of row: Int32, _ source: any Recipe, _ request: RankingRequest, _ scratch: inout RankingScratch
    ) -> [(item: Int32, part: Float)] {
        guard let added, Int(row) >= learnedCount else { return source.parts(of: row, request, &scratch) }
        var sums: [Int32: Float] = [:]
        for proxy in added.mixture(of: row) {
            for entry in source.parts(of: proxy.row, request, &scratch) { sums[entry.item, default: 0] += proxy.weight * entry.part }
        }
        return sums.map { (item: $0.key, part: $0.value) }
    }

    private func reasons(
        of row: Int32, _ source: any Recipe, _ request: RankingRequest, _ scratch: inout RankingScratch
    ) -> [Contribution] {
        let parts = allParts(of: row, source, request, &scratch).filter { $0.part > 0 && $0.part.isFinite }
        let total = parts.reduce(0) { $0 + $1.part }
        guard total > 0 else { return [] }
        return parts.sorted { $0.part > $1.part || ($0.part == $1.part && $0.item < $1.item) }.prefix(3).map {
            Contribution(historyItem: $0.item, share: $0.part / total)
        }
    }
}

extension Float {
    /// The nearest finite number.
    fileprivate var bounded: Float { max(-.greatestFiniteMagnitude, min(.greatestFiniteMagnitude, self)) }
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
