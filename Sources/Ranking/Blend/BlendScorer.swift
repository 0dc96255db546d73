import Kernels

/// What a list is wanted for, where other weights of the same parts may serve best.
enum BlendOccasion: Sendable {
    /// In the midst of a visit, or at a moment that is not known.
    case usual
    /// The user comes back after a pause.
    case returning
    /// Items that are given are put in order.
    case list
}

/// Scores items for one history by a blend of parts, in two stages: parts that retrieve find the rows worth a look, then
/// all parts score those exactly.
///
/// score = sum over parts of weight x raw score / root mean square of the part's raw scores over all items, so that a
/// weight means the same for every history.
struct BlendScorer: Sendable {
    struct Member: Sendable {
        var part: any BlendPart
        var weight: Float
        /// For items without events, in place of `weight`.
        var coldWeight: Float = 0
        /// For users who come back after a pause, in place of `weight`.
        var returnWeight: Float = 0
        /// Within a list that is given, in place of `weight`.
        var listWeight: Float = 0
        /// Does the part take part in finding rows, or only score what others found?
        var retrieves = true
        /// Of a part with vectors, where requests read these rather than all vectors.
        var lists: InvertedLists?
        /// Of a part that says the same to everybody, its best rows in order, where lists are read.
        var leaders: [Int32] = []

        func weight(_ occasion: BlendOccasion) -> Float {
            switch occasion {
            case .usual: weight
            case .returning: returnWeight
            case .list: listWeight
            }
        }
    }

    var members: [Member]
    let itemCount: Int
    /// What a given list makes of weights that were not learned for such.
    var listScale: Float = 1
    /// Rows of items without events; empty when nothing speaks for them alone.
    private let coldRows: [Int32]
    /// The same as a bitmap; empty as well.
    private let coldBits: [UInt64]
    /// How many inverted lists are read; nil for none.
    var probes: ListProbes?
    /// Where parts only score, so many times the rows that are wanted are found for them.
    private let poolFactor: Double
    /// Per member the later one that scores by the same vectors.
    private let partners: [Int?]

    init(
        members: [Member], itemCount: Int, listScale: Float = 1, coldRows: [Int32] = [], probes: ListProbes? = nil, poolFactor: Double = 1
    ) {
        (self.members, self.itemCount, self.listScale, self.coldRows, self.probes) = (members, itemCount, listScale, coldRows, probes)
        self.poolFactor = poolFactor
        let memories = members.map { ($0.part as? any ProductPart)?.vectors.factors.base }
        partners = memories.enumerated().map { index, memory in
            memory.flatMap { memory in memories[(index + 1)...].firstIndex { $0 == memory } }
        }
        coldBits = coldRows.isEmpty ? [] : rowBitmap(coldRows.lazy.map { Int($0) }, count: itemCount)
    }

    /// Hands the scratch's history to every part. False when it says nothing to any.
    func begin(_ scratch: inout RankingScratch, _ occasion: BlendOccasion = .usual) -> Bool {
        guard scratch.history.count > 0 else { return false }
        if scratch.spaces.count < members.count {
            scratch.spaces += [PartSpace](repeating: PartSpace(), count: members.count - scratch.spaces.count)
        }
        var isPersonal = false
        var readsHistory = false
        for (index, member) in members.enumerated() {
            scratch.spaces[index].factor = 0
            scratch.spaces[index].coldFactor = 0
            let weight = member.weight(occasion)
            if weight > 0, member.part.usesHistory { readsHistory = true }
            guard weight > 0 || member.coldWeight > 0,
                let scale = member.part.begin(scratch.history, &scratch.spaces[index])
            else { continue }
            scratch.spaces[index].factor = weight / scale
            scratch.spaces[index].coldFactor = (occasion == .list ? listScale : 1) * member.coldWeight / scale
            if member.part.usesHistory { isPersonal = true }
        }
        // Where no part reads it, there is nothing that the history could fail to say.
        return isPersonal || !readsHistory
    }

    /// Puts the best rows by approximate scores into the pool, at least `wanted` where there are so many.
    ///
    /// - Parameter depth: items that will be shown.
    func retrieve(_ wanted: Int, depth: Int, allowed: [UInt64]?, _ scratch: inout RankingScratch) {
        let (active, retrieving) = speaking(scratch)
        // What the situation adds may lift any row.
        let isStaged = retrieving.count < active.count && !retrieving.isEmpty && scratch.situation.isEmpty
        let words = allowed.map { padded($0) }
        if let words, let few = rows(of: words, atMost: 2 * wanted) { return scratch.pool.add(few) }
        let k = rowsToFind(wanted, isStaged: isStaged)
        if isStaged, retrieving.allSatisfy({ members[$0].part.isSparse }), let found = pickSparsely(k, retrieving, words, &scratch),
            found >= wanted
        {
            return scratch.pool.add(distinct: scratch.best.rows[..<found])
        }
        if isListed(depth), let found = pickFromLists(k, depth: depth, retrieving, words, &scratch) { return scratch.pool.add(found) }
        if scratch.situation.isEmpty, let finder = finder(retrieving) {
            if scratch.found == nil { scratch.search.run([query(finder, k, scratch)], in: finder.vectors, allowed: words) }
            return scratch.pool.add(distinct: scratch.found.map { $0[...] } ?? scratch.search.found(0))
        }
        if scratch.situation.isEmpty, retrieving.count == active.count, let rows = pickBesideFixed(k, active, words, &scratch) {
            return scratch.pool.add(rows)
        }
        // Where what retrieves knows too few rows, everything has its say.
        let isEnough = isStaged && !retrieving.allSatisfy { members[$0].part.isSparse }
        let found = pickDensely(k, isEnough ? retrieving : active, words, &scratch)
        scratch.pool.add(distinct: scratch.best.rows[..<found])
    }

    /// The members that have something to say to the history at hand, and those of them that find rows.
    private func speaking(_ scratch: RankingScratch) -> (active: [Int], retrieving: [Int]) {
        let active = members.indices.filter { scratch.spaces[$0].factor > 0 }
        return (active, active.filter { members[$0].retrieves })
    }

    private func rowsToFind(_ wanted: Int, isStaged: Bool) -> Int {
        min(isStaged ? Int(Double(wanted) * poolFactor) : wanted, itemCount)
    }

    /// The member whose vectors alone find the rows; then there is no need of all rows' scores.
    private func finder(_ retrieving: [Int]) -> Finder? {
        guard itemCount > 0, retrieving.count == 1, let index = retrieving.first, let part = members[index].part as? any VectorPart else {
            return nil
        }
        return Finder(member: index, vectors: part.vectors)
    }

    private struct Finder {
        var member: Int
        var vectors: ItemVectors
    }

    private func query(_ finder: Finder, _ count: Int, _ scratch: RankingScratch) -> VectorSearch.Query {
        let space = scratch.spaces[finder.member]
        return VectorSearch.Query(vector: space.query, weight: space.factor, count: count)
    }

    /// The admitted rows where they are so few that scoring them all exactly takes less than finding the best.
    private func rows(of words: [UInt64], atMost limit: Int) -> [Int32]? {
        var count = 0
        for word in words {
            count += word.nonzeroBitCount
            if count > limit { return nil }
        }
        var rows: [Int32] = []
        for (place, word) in words.enumerated() {
            var left = word
            while left != 0 {
                let row = place * 64 + left.trailingZeroBitCount
                if row < itemCount { rows.append(Int32(row)) }
                left &= left - 1
            }
        }
        return rows
    }

    private func padded(_ words: [UInt64]) -> [UInt64] {
        words + [UInt64](repeating: 0, count: max(0, (itemCount + 63) / 64 - words.count))
    }

    func isVectors(_ index: Int) -> Bool { members[index].part is any VectorPart }

    /// For several histories that were handed over, none of them under a filter or in a situation: one pass over the vectors of the
    /// member that alone finds rows does for all of them what `retrieve` would do for each.
    func find(_ batch: inout RankingBatch, _ asked: [(place: Int, wanted: Int)]) {
        var places: [[Int]] = members.map { _ in [] }
        var queries: [[VectorSearch.Query]] = members.map { _ in [] }
        for (place, wanted) in asked {
            let (active, retrieving) = speaking(batch.scratches[place])
            guard let finder = finder(retrieving) else { continue }
            let count = rowsToFind(wanted, isStaged: retrieving.count < active.count)
            places[finder.member].append(place)
            queries[finder.member].append(query(finder, count, batch.scratches[place]))
        }
        for (member, queries) in queries.enumerated() where !queries.isEmpty {
            guard let part = members[member].part as? any VectorPart else { continue }
            batch.search.run(queries, in: part.vectors, allowed: nil)
            for (order, place) in places[member].enumerated() { batch.scratches[place].found = Array(batch.search.found(order)) }
        }
    }

    /// As above where others find rows as well: leaves the sums of the vectors in the scratches.
    func scan(_ batch: inout RankingBatch, _ places: [Int]) {
        let vectors = members.indices.filter {
            max(members[$0].weight, members[$0].returnWeight) > 0 && members[$0].retrieves && isVectors($0)
        }
        let asking = places.filter { place in
            batch.scratches[place].found == nil && vectors.contains { batch.scratches[place].spaces[$0].factor > 0 }
        }
        guard asking.count > 1 else { return }
        var totals = [[Float]](repeating: [], count: asking.count)
        for (order, place) in asking.enumerated() {
            batch.scratches[place].reserveTotals(itemCount)
            swap(&totals[order], &batch.scratches[place].totals)
        }
        withPointers(&totals) { pointers in
            for index in vectors {
                guard let part = members[index].part as? any VectorPart else { continue }
                // Whom the part has nothing to say to gets zeros.
                let silence = [Float](repeating: 0, count: part.vectors.dimensions)
                let spaces = asking.map { batch.scratches[$0].spaces[index] }
                part.vectors.addAll(
                    spaces.map(\.factor), spaces.map { $0.factor > 0 ? $0.query : silence }, allowed: nil, begins: index == vectors.first,
                    to: pointers)
            }
        }
        for (order, place) in asking.enumerated() {
            swap(&totals[order], &batch.scratches[place].totals)
            batch.scratches[place].holdsVectors = true
        }
    }

    /// The memory of all arrays at once.
    private func withPointers(
        _ arrays: inout [[Float]], _ pointers: [UnsafeMutablePointer<Float>?] = [], _ body: ([UnsafeMutablePointer<Float>?]) -> Void
    ) {
        guard pointers.count < arrays.count else { return body(pointers) }
        var array: [Float] = []
        swap(&array, &arrays[pointers.count])
        array.withUnsafeMutableBufferPointer { withPointers(&arrays, pointers + [$0.baseAddress], body) }
        swap(&array, &arrays[pointers.count])
    }

    /// Looks only at rows that a part knows of; nil when those are not fewer than all.
    func pickSparsely(_ k: Int, _ retrieving: [Int], _ words: [UInt64]?, _ scratch: inout RankingScratch) -> Int? {
        if retrieving.count == 1, let touched = scratch.spaces[retrieving[0]].sums.touched {
            return scratch.best.pick(k, of: scratch.spaces[retrieving[0]].sums.totals, among: touched, allowed: words)
        }
        guard let touched = sumSparsely(retrieving, &scratch) else { return nil }
        return scratch.best.pick(k, of: scratch.sums.totals, among: touched, allowed: words)
    }

    /// Where all parts but one, whose scores are the same for every history, know a few rows each: these rows, and as many others
    /// as can be wanted of those that the one scores highest. Nil where that may not be all of the best.
    private func pickBesideFixed(_ k: Int, _ active: [Int], _ words: [UInt64]?, _ scratch: inout RankingScratch) -> [Int32]? {
        let others = active.filter { members[$0].part.isSparse }
        guard others.count + 1 == active.count, let fixed = active.first(where: { !members[$0].part.isSparse }),
            let order = members[fixed].part.fixedOrder, var rows = sumSparsely(others, &scratch)
        else { return nil }
        func isAllowed(_ row: Int32) -> Bool { words.map { $0[Int(row) / 64] >> UInt64(row % 64) & 1 == 1 } ?? true }
        if words != nil { rows.removeAll { !isAllowed($0) } }
        let known = rows.count
        for row in order where scratch.sums.totals[Int(row)] == 0 && isAllowed(row) {
            rows.append(row)
            if rows.count - known == k { break }
        }
        guard rows.count - known == k || order.count == itemCount else { return nil }
        var scores = rows.map { scratch.sums.totals[Int($0)] }
        members[fixed].part.addExactly(scratch.spaces[fixed].factor, &scratch.spaces[fixed], rows: rows, to: &scores)
        let found = scratch.best.pick(k, of: scores, count: scores.count, isOrdered: false)
        return scratch.best.rows[..<found].map { rows[Int($0)] }
    }

    /// The sums of parts that know few rows, in the scratch, and the rows; nil when those are not fewer than all.
    private func sumSparsely(_ parts: [Int], _ scratch: inout RankingScratch) -> [Int32]? {
        var additions = 0
        for index in parts {
            guard let touched = scratch.spaces[index].sums.touched else { return nil }
            additions += touched.count
        }
        scratch.sums.start(itemCount: itemCount, additions: additions)
        for index in parts { scratch.sums.add(scratch.spaces[index].sums, weight: scratch.spaces[index].factor) }
        scratch.sums.settle()
        return scratch.sums.touched
    }

    private func pickDensely(_ k: Int, _ retrieving: [Int], _ words: [UInt64]?, _ scratch: inout RankingScratch) -> Int {
        // First what `scan` does, so that sums are the same whether it was done or not.
        let scanned = retrieving.filter { members[$0].retrieves && isVectors($0) }
        let others = retrieving.filter { !(members[$0].retrieves && isVectors($0)) }
        if !scratch.holdsVectors { scratch.clearTotals(itemCount) }
        for index in (scratch.holdsVectors ? [] : scanned) + others {
            members[index].part.addAll(scratch.spaces[index].factor, &scratch.spaces[index], allowed: words, to: &scratch.totals)
        }
        if !scratch.situation.isEmpty { kernels_add_scaled(kernels_best_path(), scratch.situation, itemCount, 1, &scratch.totals) }
        return scratch.best.pick(k, of: scratch.totals, count: itemCount, allowed: words, isOrdered: false)
    }

    /// Puts the best of the rows without events into the pool, for which other parts speak than for the rest.
    func retrieveCold(_ wanted: Int, allowed: [UInt64]?, _ scratch: inout RankingScratch) {
        guard !coldRows.isEmpty, scratch.spaces.prefix(members.count).contains(where: { $0.coldFactor > 0 }) else { return }
        let words = allowed.map { padded($0) }
        if coldRows.count > itemCount / Self.scannedShare { return scanCold(wanted, words, &scratch) }
        let rows = words.map { words in coldRows.filter { words[Int($0) / 64] >> UInt64($0 % 64) & 1 == 1 } } ?? coldRows
        var scores = coldScores(rows, &scratch)
        addSituation(rows, scratch, &scores)
        let found = scratch.best.pick(min(wanted, rows.count), of: scores, count: rows.count, isOrdered: false)
        for place in scratch.best.rows[..<found] { scratch.pool.add(rows[Int(place)]) }
    }

    /// With a larger share of items without events, a pass over the eight-bit copies of all vectors reads less than theirs in full.
    private static let scannedShare = 8

    private func scanCold(_ wanted: Int, _ words: [UInt64]?, _ scratch: inout RankingScratch) {
        let admitted = words.map { words in zip(coldBits, words).map { $0 & $1 } } ?? coldBits
        var totals = [Float](repeating: 0, count: itemCount)
        for (index, member) in members.enumerated() where scratch.spaces[index].coldFactor > 0 {
            member.part.addAll(scratch.spaces[index].coldFactor, &scratch.spaces[index], allowed: admitted, to: &totals)
        }
        if !scratch.situation.isEmpty { kernels_add_scaled(kernels_best_path(), scratch.situation, itemCount, 1, &totals) }
        let found = scratch.best.pick(min(wanted, coldRows.count), of: totals, count: itemCount, allowed: admitted, isOrdered: false)
        scratch.pool.add(distinct: scratch.best.rows[..<found])
    }

    func isCold(_ row: Int32) -> Bool { !coldBits.isEmpty && coldBits[Int(row) / 64] >> UInt64(row % 64) & 1 == 1 }

    /// Gives every row of the pool its exact score.
    func score(_ scratch: inout RankingScratch) {
        scratch.pool.scores = exactScores(scratch.pool.rows, &scratch)
    }

    private func exactScores(_ rows: [Int32], _ scratch: inout RankingScratch) -> [Float] {
        var scores = [Float](repeating: 0, count: rows.count)
        var isScored: UInt64 = 0
        for (index, member) in members.enumerated() where scratch.spaces[index].factor > 0 && isScored >> index & 1 == 0 {
            if let partner = partners[index], scratch.spaces[partner].factor > 0 {
                addTwice(index, partner, rows, &scratch, &scores)
                isScored |= 1 << partner
            } else {
                member.part.addExactly(scratch.spaces[index].factor, &scratch.spaces[index], rows: rows, to: &scores)
            }
        }
        setCold(rows, &scratch, &scores)
        addSituation(rows, scratch, &scores)
        return scores
    }

    /// Two parts that read the same vectors.
    private func addTwice(_ first: Int, _ second: Int, _ rows: [Int32], _ scratch: inout RankingScratch, _ scores: inout [Float]) {
        guard let one = members[first].part as? any ProductPart, let other = members[second].part as? any ProductPart else { return }
        var products: ([Float], [Float]) = ([], [])
        swap(&products.0, &scratch.spaces[first].products)
        swap(&products.1, &scratch.spaces[second].products)
        one.vectors.products((scratch.spaces[first].query, scratch.spaces[second].query), rows, &products.0, &products.1)
        one.add(scratch.spaces[first].factor, products.0, rows: rows, to: &scores)
        other.add(scratch.spaces[second].factor, products.1, rows: rows, to: &scores)
        swap(&products.0, &scratch.spaces[first].products)
        swap(&products.1, &scratch.spaces[second].products)
    }

    private func addSituation(_ rows: [Int32], _ scratch: RankingScratch, _ scores: inout [Float]) {
        guard !scratch.situation.isEmpty else { return }
        for (place, row) in rows.enumerated() { scores[place] += scratch.situation[Int(row)] }
    }

    /// Gives the rows of items without events their own scores.
    private func setCold(_ rows: [Int32], _ scratch: inout RankingScratch, _ scores: inout [Float]) {
        guard !coldRows.isEmpty else { return }
        let places = rows.indices.filter { isCold(rows[$0]) }
        for (place, score) in zip(places, coldScores(places.map { rows[$0] }, &scratch)) { scores[place] = score }
    }

    private func coldScores(_ rows: [Int32], _ scratch: inout RankingScratch) -> [Float] {
        var scores = [Float](repeating: 0, count: rows.count)
        for (index, member) in members.enumerated() where scratch.spaces[index].coldFactor > 0 {
            member.part.addExactly(scratch.spaces[index].coldFactor, &scratch.spaces[index], rows: rows, to: &scores)
        }
        return scores
    }
}
