import Foundation

// The file of a model of actions: the container of all models, with sections of its own.
extension ActionModel {
    /// More than any training keeps.
    private static let actionLimit = 100_000

    /// The whole file.
    public var encoded: [UInt8] {
        var texts = properties.merging(metrics.map { ("metric.\($0.key)", "\($0.value)") }) { first, _ in first }
        texts["taken_share"] = "\(features.takenShare)"
        texts["period_seconds"] = "\(features.period)"
        var offsets: [UInt32] = [0]
        for entry in entries { offsets.append((offsets.last ?? 0) + UInt32(entry.curve.scores.count)) }
        return ModelFormat.encode([
            SectionContent("properties", texts: texts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }),
            SectionContent("actions.ids", actionIDs), SectionContent("actions.exposures", entries.map(\.exposures)),
            SectionContent("actions.ready", entries.map { $0.isReady ? 1 : 0 } as [UInt8]),
            SectionContent("actions.shares", features.takenShares),
            SectionContent("actions.weights", entries.flatMap(\.weights), columns: features.count),
            SectionContent("actions.others", features.others),
            SectionContent("actions.attributes", texts: features.attributes.flatMap { [$0.column, $0.value] }),
            SectionContent("curves.offsets", offsets), SectionContent("curves.scores", entries.flatMap(\.curve.scores)),
            SectionContent("curves.values", entries.flatMap(\.curve.probabilities)),
        ])
    }

    /// Takes everything out of the bytes, checking it: the file is small, and nothing refers to it afterwards.
    public init(opening memory: some ModelMemory, verifyingChecksum: Bool = true) throws(ModelError) {
        let file = try ModelFile(memory)
        if verifyingChecksum { try file.verifyChecksum() }
        let properties = try Self.properties(file)
        guard properties["recipe"] == RecipeName.nextBestAction.rawValue else { throw .damaged("it holds no model of actions") }
        let ids = try Self.values(file, "actions.ids", .int32, count: nil) as [Int32]
        guard ids.count <= Self.actionLimit, Set(ids).count == ids.count else { throw .damaged("its actions are too many or not distinct") }
        let features = try Self.features(file, properties, rows: ids.count)
        let entries = try Self.entries(file, features)
        var metrics: [String: Double] = [:]
        for (name, value) in properties where name.hasPrefix("metric.") { metrics[String(name.dropFirst(7))] = Double(value) }
        self.init(
            actionIDs: ids, entries: entries, features: features, properties: properties.filter { !$0.key.hasPrefix("metric.") },
            metrics: metrics, log: [])
    }

    private static func properties(_ file: ModelFile) throws(ModelError) -> [String: String] {
        var properties: [String: String] = [:]
        for line in try file.texts("properties") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { properties[String(parts[0])] = String(parts[1]) }
        }
        return properties
    }

    private static func features(_ file: ModelFile, _ properties: [String: String], rows: Int) throws(ModelError) -> ActionFeatures {
        guard let period = properties["period_seconds"].flatMap(Int64.init), (1...1 << 32).contains(period),
            let share = properties["taken_share"].flatMap(Float.init), share > 0, share < 1
        else { throw .damaged("its period or share is missing") }
        let shares: [Float] = try values(file, "actions.shares", .float32, count: rows)
        let others: [Int32] = try values(file, "actions.others", .int32, count: nil)
        let texts = try file.texts("actions.attributes")
        guard shares.allSatisfy({ $0 > 0 && $0 < 1 }), others.count <= ActionFeatures.otherLimit,
            others.allSatisfy({ $0 >= 0 && Int($0) < rows }), texts.count % 2 == 0, texts.count / 2 <= ActionFeatures.attributeLimit
        else { throw .damaged("its features do not hold together") }
        let attributes = stride(from: 0, to: texts.count, by: 2).map { (column: texts[$0], value: texts[$0 + 1]) }
        return ActionFeatures(period: period, takenShares: shares, takenShare: share, others: others, attributes: attributes)
    }

    private static func entries(_ file: ModelFile, _ features: ActionFeatures) throws(ModelError) -> [Entry] {
        let count = features.takenShares.count
        let weights: [Float] = try values(file, "actions.weights", .float32, count: count * features.count)
        let exposures: [Int32] = try values(file, "actions.exposures", .int32, count: count)
        let ready: [UInt8] = try values(file, "actions.ready", .uint8, count: count)
        let offsets: [UInt32] = try values(file, "curves.offsets", .uint32, count: count + 1)
        let scores: [Float] = try values(file, "curves.scores", .float32, count: nil)
        let probabilities: [Float] = try values(file, "curves.values", .float32, count: scores.count)
        guard weights.allSatisfy(\.isFinite), exposures.allSatisfy({ $0 >= 0 }), offsets.first == 0,
            offsets.last.map({ Int($0) }) == scores.count, zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 })
        else { throw .damaged("its weights do not hold together") }
        var entries: [Entry] = []
        for row in 0..<count {
            let range = Int(offsets[row])..<Int(offsets[row + 1])
            guard let curve = IsotonicCurve(scores: Array(scores[range]), probabilities: Array(probabilities[range])) else {
                throw .damaged("a curve falls or leaves 0 to 1")
            }
            entries.append(
                Entry(
                    isReady: ready[row] == 1, weights: Array(weights[row * features.count..<(row + 1) * features.count]), curve: curve,
                    exposures: exposures[row]))
        }
        return entries
    }

    private static func values<Element: BitwiseCopyable>(
        _ file: ModelFile, _ name: String, _ type: ModelSection.ElementType, count: Int?
    ) throws(ModelError) -> [Element] {
        let mapped: MappedArray<Element> = try file.array(name, type, count: count)
        return withExtendedLifetime(file.memory) { Array(mapped.buffer) }
    }
}
