/// Personalization: a blend of models whose weights were learned on held-out events. The weights are scaled
/// so that a typical best score is 1.
struct BlendRecipe: Recipe {
    let kind = RankedItem.Kind.personalized
    let normalization = ScoreNormalization.softmax(sharpness: 4)

    private let itemIDs: MappedArray<Int32>
    let scorer: BlendScorer
    private let effects: SituationEffects?

    static var takesCatalog: Bool { true }

    /// Far more than there are ingredients; more is a damaged file.
    static let maximumParts = 16

    init(opening file: ModelFile, _ header: ModelHeader) throws(ModelError) {
        itemIDs = header.itemIDs
        var members: [BlendScorer.Member] = []
        while let name = header.properties["blend.\(members.count)"] {
            guard members.count < Self.maximumParts else { throw .damaged("its blend has more than \(Self.maximumParts) parts") }
            let key = "blend.\(members.count)"
            guard let ingredient = Ingredient(rawValue: name), let rule = SourceRule(header.properties["\(key).sources"] ?? "")
            else { throw .damaged("part \(members.count) of its blend is unknown") }
            let weight = try header.number("\(key).weight")
            let coldWeight = header.properties["\(key).cold_weight"] == nil ? 0 : try header.number("\(key).cold_weight")
            guard weight >= 0, coldWeight >= 0 else { throw .damaged("part \(members.count) of its blend has a negative weight") }
            let part = try ingredient.open(
                file, prefix: header.properties["\(key).sections"] ?? Self.prefix(members.count), rule: rule, itemCount: header.itemCount,
                properties: header.properties)
            members.append(
                BlendScorer.Member(
                    part: part, weight: weight, coldWeight: coldWeight, retrieves: header.properties["\(key).retrieves"] != "false"))
        }
        guard !members.isEmpty else { throw .damaged("its blend is empty") }
        let isCold = members.contains { $0.coldWeight > 0 }
        scorer = BlendScorer(
            members: members, itemCount: header.itemCount,
            coldRows: isCold ? (0..<Int32(header.itemCount)).filter { header.popularityEvents.at(Int($0)) == 0 } : [])
        effects = try SituationEffects.open(file, itemCount: header.itemCount, properties: header.properties)
    }

    /// Of the sections of a part.
    static func prefix(_ part: Int) -> String { "part\(part)" }

    func score(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) -> Bool {
        guard scratch.begun ?? scorer.begin(&scratch) else { return false }
        addSituation(request, &scratch)
        if request.candidates == nil {
            scorer.retrieve(wanted, allowed: request.allowed, &scratch)
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
        let isKnown = [(SituationKeys.Source.user, request.attributes), (.context, request.context)].map { source, values in
            effects.add(values, source, weight: weights[source] ?? 0, to: &scratch.situation)
        }
        if !isKnown.contains(true) { scratch.situation.removeAll(keepingCapacity: true) }
    }

    var sharedBytes: Int {
        scorer.members.reduce(0) { sum, member in
            guard member.retrieves, let part = member.part as? any VectorPart else { return sum }
            return sum + part.vectors.itemCount * part.vectors.dimensions
        }
    }

    func prepare(_ requests: [RankingRequest], _ batch: inout RankingBatch) {
        for place in requests.indices { batch.scratches[place].begun = scorer.begin(&batch.scratches[place]) }
        scorer.scan(
            &batch,
            requests.indices.filter {
                batch.scratches[$0].begun == true && requests[$0].candidates == nil && requests[$0].allowed == nil
            })
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
