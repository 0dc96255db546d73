/// Personalization: a blend of models whose weights were learned on held-out events. The weights are scaled
/// so that a typical best score is 1.
struct BlendRecipe: Recipe {
    let kind = RankedItem.Kind.personalized
    let normalization = ScoreNormalization.softmax(sharpness: sharpness)
    static let sharpness: Float = 4

    private let itemIDs: MappedArray<Int32>
    let scorer: BlendScorer
    private let effects: SituationEffects?

    static var takesCatalog: Bool { true }

    /// More than ingredients have ways to read a history, all of which may take part, each on another occasion; more is a damaged file.
    static let maximumParts = 64

    init(opening file: ModelFile, _ header: ModelHeader) throws(ModelError) {
        itemIDs = header.itemIDs
        var members: [BlendScorer.Member] = []
        let weights = try BlendWeights(header)
        for entry in weights.entries {
            let part = try entry.ingredient.open(
                file, prefix: header.properties["blend.\(members.count).sections"] ?? Self.prefix(members.count), rule: entry.rule,
                itemCount: header.itemCount, properties: header.properties)
            members.append(
                BlendScorer.Member(
                    part: part, weight: entry.weight, coldWeight: entry.coldWeight, returnWeight: entry.returnWeight,
                    listWeight: entry.listWeight, retrieves: entry.retrieves))
        }
        guard !members.isEmpty else { throw .damaged("its blend is empty") }
        let probes = try ListProbes(header.properties)
        if probes != nil { try Self.openLists(file, &members) }
        let isCold = members.contains { $0.coldWeight > 0 }
        scorer = BlendScorer(
            members: members, itemCount: header.itemCount, listScale: weights.listScale ?? 1,
            coldRows: isCold ? (0..<Int32(header.itemCount)).filter { header.popularityEvents.at(Int($0)) == 0 } : [], probes: probes,
            poolFactor: weights.poolFactor)
        effects = try SituationEffects.open(file, itemCount: header.itemCount, properties: header.properties)
    }

    /// Of the sections of a part.
    static func prefix(_ part: Int) -> String { "part\(part)" }

    func score(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) -> Bool {
        guard scratch.begun ?? scorer.begin(&scratch, request.occasion) else { return false }
        addSituation(request, &scratch)
        if request.candidates == nil {
            scorer.retrieve(wanted, depth: max(1, request.count), allowed: request.allowed, &scratch)
            scorer.retrieveCold(wanted, allowed: request.allowed, &scratch)
            for boost in request.boosts ?? [] where boost.row >= 0 && boost.row < itemIDs.count && request.allows(boost.row) {
                scratch.pool.add(Int32(boost.row))
            }
        }
        scorer.score(&scratch)
        return true
    }

    /// What attributes and context add to each item, where the model learned that they add something.
    private func addSituation(_ request: RankingRequest, _ scratch: inout RankingScratch) {
        scratch.situation.removeAll(keepingCapacity: true)
        guard let effects, !request.attributes.isEmpty || !request.context.isEmpty else { return }
        scratch.situation.append(contentsOf: repeatElement(0, count: itemIDs.count))
        let weights = effects.weights
        let scale = request.ranksList ? scorer.listScale : 1
        let isKnown = [(SituationKeys.Source.user, request.attributes), (.context, request.context)].map { source, values in
            effects.add(values, source, weight: scale * (weights[source] ?? 0), to: &scratch.situation)
        }
        if !isKnown.contains(true) { scratch.situation.removeAll(keepingCapacity: true) }
    }

    /// Lists are read by each request alone.
    var sharedBytes: Int {
        if scorer.probes != nil { return 0 }
        return scorer.members.reduce(0) { sum, member in
            guard member.retrieves, member.weight > 0 || member.returnWeight > 0, let part = member.part as? any VectorPart else {
                return sum
            }
            return sum + part.vectors.itemCount * part.vectors.dimensions
        }
    }

    func prepare(_ requests: [RankingRequest], _ batch: inout RankingBatch) {
        for place in requests.indices {
            batch.scratches[place].begun = scorer.begin(&batch.scratches[place], requests[place].occasion)
        }
        let places = requests.indices.filter {
            batch.scratches[$0].begun == true && requests[$0].candidates == nil && requests[$0].allowed == nil
                && !scorer.isListed(max(1, requests[$0].count))
        }
        let unsituated = places.filter { effects == nil || (requests[$0].attributes.isEmpty && requests[$0].context.isEmpty) }
        scorer.find(
            &batch,
            unsituated.map { place in
                let count = min(max(0, requests[place].count), itemIDs.count)
                return (place, Model.rowsWanted(count, historyCount: batch.scratches[place].history.count))
            })
        scorer.scan(&batch, places)
    }

    func parts(of row: Int32, _ request: RankingRequest, _ scratch: inout RankingScratch) -> [(item: Int32, part: Float)] {
        guard row >= 0, Int(row) < itemIDs.count else { return [] }
        let history = scratch.history
        var sums = [Float](repeating: 0, count: history.count)
        let isCold = scorer.isCold(row)
        for (index, member) in scorer.members.enumerated() where scratch.spaces.count > index {
            let factor = isCold ? scratch.spaces[index].coldFactor : scratch.spaces[index].factor
            guard factor > 0 else { continue }
            member.part.addParts(factor, of: row, history, &scratch.spaces[index], to: &sums)
        }
        return sums.indices.map { (itemIDs.at(Int(history.rows[$0])) ?? -1, sums[$0]) }
    }
}
