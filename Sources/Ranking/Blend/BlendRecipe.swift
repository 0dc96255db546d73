import Foundation
import Kernels

/// Personalization: a blend of models whose weights were learned on held-out events.
///
/// score = sum over parts of weight x raw score / root mean square of the part's raw scores over all items, so that a
/// weight means the same for every history. The weights are scaled so that a typical best score is 1.
struct BlendRecipe: Recipe {
    let kind = RankedItem.Kind.personalized
    let normalization = ScoreNormalization.softmax(sharpness: 4)

    private let itemIDs: MappedArray<Int32>
    private let path = kernels_best_path()
    let parts: [any BlendPart]
    let weights: [Float]
    /// For items without events, in place of `weights`.
    let coldWeights: [Float]
    private let coldRows: [Int32]
    private let effects: SituationEffects?

    static var takesCatalog: Bool { true }

    /// More would be a damaged file.
    static let maximumParts = 16

    init(opening file: ModelFile, _ header: ModelHeader) throws(ModelError) {
        itemIDs = header.itemIDs
        var parts: [any BlendPart] = []
        var weights: [Float] = []
        var coldWeights: [Float] = []
        while parts.count < Self.maximumParts, let name = header.properties["blend.\(parts.count)"] {
            let key = "blend.\(parts.count)"
            guard let ingredient = Ingredient(rawValue: name), let rule = SourceRule(header.properties["\(key).sources"] ?? "")
            else { throw .damaged("part \(parts.count) of its blend is unknown") }
            let weight = try header.number("\(key).weight")
            guard weight >= 0 else { throw .damaged("part \(parts.count) of its blend has a negative weight") }
            parts.append(
                try ingredient.open(
                    file, prefix: Self.prefix(parts.count), rule: rule, itemCount: header.itemCount,
                    properties: header.properties))
            weights.append(weight)
            let coldWeight = header.properties["\(key).cold_weight"] == nil ? 0 : try header.number("\(key).cold_weight")
            guard coldWeight >= 0 else { throw .damaged("part \(parts.count) of its blend has a negative weight") }
            coldWeights.append(coldWeight)
        }
        guard !parts.isEmpty else { throw .damaged("its blend is empty") }
        self.parts = parts
        self.weights = weights
        effects = try SituationEffects.open(file, itemCount: header.itemCount, properties: header.properties)
        self.coldWeights = coldWeights
        let isCold = coldWeights.contains { $0 > 0 }
        coldRows = isCold ? (0..<Int32(header.itemCount)).filter { header.popularityEvents.at(Int($0)) == 0 } : []
    }

    /// Of the sections of a part.
    static func prefix(_ part: Int) -> String { "part\(part)" }

    func score(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) -> Bool {
        guard begin(&scratch) else { return false }
        addSituation(request, &scratch)
        if request.candidates == nil {
            scan(request, wanted: wanted, &scratch)
            for boost in request.boosts ?? [] where boost.row >= 0 && boost.row < itemIDs.count && request.allows(boost.row) {
                scratch.pool.add(Int32(boost.row))
            }
        }
        for index in 0..<scratch.pool.count { scratch.pool.scores[index] = 0 }
        for (index, part) in parts.enumerated() where scratch.spaces[index].factor > 0 {
            part.addExactly(
                scratch.spaces[index].factor, &scratch.spaces[index], rows: scratch.pool.rows, to: &scratch.pool.scores)
        }
        if !coldRows.isEmpty { setCold(&scratch) }
        if !scratch.situation.isEmpty {
            for (place, row) in scratch.pool.rows.enumerated() { scratch.pool.scores[place] += scratch.situation[Int(row)] }
        }
        return true
    }

    /// What attributes and context add to each item, where the model learned that they add something.
    private func addSituation(_ request: RankingRequest, _ scratch: inout RankingScratch) {
        guard let effects, !request.attributes.isEmpty || !request.context.isEmpty else {
            scratch.situation.removeAll(keepingCapacity: true)
            return
        }
        scratch.situation = [Float](repeating: 0, count: itemIDs.count)
        let weights = effects.weights
        let isKnown = [(SituationKeys.Source.user, request.attributes), (.context, request.context)].map { source, values in
            effects.add(values, source, weight: weights[source] ?? 0, to: &scratch.situation)
        }
        if !isKnown.contains(true) { scratch.situation.removeAll(keepingCapacity: true) }
    }

    /// The scores of items without events, for those in the pool.
    private func setCold(_ scratch: inout RankingScratch) {
        let places = scratch.pool.rows.indices.filter { isCold(scratch.pool.rows[$0]) }
        guard !places.isEmpty else { return }
        for (place, score) in zip(places, coldScores(places.map { scratch.pool.rows[$0] }, &scratch)) {
            scratch.pool.scores[place] = score
        }
    }

    private func coldScores(_ rows: [Int32], _ scratch: inout RankingScratch) -> [Float] {
        var scores = [Float](repeating: 0, count: rows.count)
        for (index, part) in parts.enumerated() where scratch.spaces[index].coldFactor > 0 {
            part.addExactly(scratch.spaces[index].coldFactor, &scratch.spaces[index], rows: rows, to: &scores)
        }
        return scores
    }

    private func isCold(_ row: Int32) -> Bool {
        coldRows.withUnsafeBufferPointer { firstRow(of: row, in: $0) != nil }
    }

    /// Hands the history to every part. False when it says nothing to any.
    private func begin(_ scratch: inout RankingScratch) -> Bool {
        guard scratch.history.count > 0 else { return false }
        if scratch.spaces.count < parts.count {
            scratch.spaces += [PartSpace](repeating: PartSpace(), count: parts.count - scratch.spaces.count)
        }
        var isPersonal = false
        for (index, part) in parts.enumerated() {
            scratch.spaces[index].factor = 0
            scratch.spaces[index].coldFactor = 0
            guard weights[index] > 0 || coldWeights[index] > 0, let scale = part.begin(scratch.history, &scratch.spaces[index]) else {
                continue
            }
            scratch.spaces[index].factor = weights[index] / scale
            scratch.spaces[index].coldFactor = coldWeights[index] / scale
            if part.usesHistory { isPersonal = true }
        }
        return isPersonal
    }

    /// The best rows by approximate scores, as many as `wanted`, into the pool.
    private func scan(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) {
        let items = itemIDs.count
        let k = min(wanted, items)
        if scratch.totals.count != items {
            scratch.totals = [Float](repeating: 0, count: items)
        } else {
            scratch.totals.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        }
        var allowed = request.allowed
        let words = (items + 63) / 64
        if let given = allowed, given.count < words { allowed = given + [UInt64](repeating: 0, count: words - given.count) }
        for (index, part) in parts.enumerated() where scratch.spaces[index].factor > 0 {
            part.addAll(scratch.spaces[index].factor, &scratch.spaces[index], allowed: allowed, to: &scratch.totals)
        }
        if !coldRows.isEmpty {
            for (row, score) in zip(coldRows, coldScores(coldRows, &scratch)) { scratch.totals[Int(row)] = score }
        }
        if !scratch.situation.isEmpty { kernels_add_scaled(path, scratch.situation, items, 1, &scratch.totals) }
        if scratch.topScores.count < k {
            scratch.topScores = [Float](repeating: 0, count: k)
            scratch.topRows = [Int32](repeating: 0, count: k)
        }
        let found: Int
        if let allowed {
            found = kernels_top_float(path, scratch.totals, items, allowed, k, &scratch.topScores, &scratch.topRows)
        } else {
            found = kernels_top_float(path, scratch.totals, items, nil, k, &scratch.topScores, &scratch.topRows)
        }
        for index in 0..<found { scratch.pool.add(scratch.topRows[index]) }
    }

    func parts(of row: Int32, _ request: RankingRequest, _ scratch: inout RankingScratch) -> [(item: Int32, part: Float)] {
        guard row >= 0, Int(row) < itemIDs.count else { return [] }
        let history = scratch.history
        var sums = [Float](repeating: 0, count: history.count)
        let isCold = isCold(row)
        for (index, part) in parts.enumerated() where scratch.spaces.count > index {
            let factor = isCold ? scratch.spaces[index].coldFactor : scratch.spaces[index].factor
            guard factor > 0 else { continue }
            part.addParts(factor, of: row, history, &scratch.spaces[index], to: &sums)
        }
        return sums.indices.map { (itemIDs.at(Int(history.rows[$0])) ?? -1, sums[$0]) }
    }
}
