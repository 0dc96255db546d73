extension FitConfiguration {
    /// Rank by an attribute of items beside relevance: the contract's `optimizationObjective`.
    public struct Objective: Sendable, Equatable {
        /// How much relevance may be given up for the attribute.
        public enum Sensitivity: String, Sendable, CaseIterable {
            case low = "LOW"
            case medium = "MEDIUM"
            case high = "HIGH"

            /// Share of the validation NDCG that may be lost. LOW stays within what two trainings of the same data differ by, HIGH
            /// is what separates a good model from a plain one; MEDIUM lies between.
            var budget: Double {
                switch self {
                case .low: 0.02
                case .medium: 0.05
                case .high: 0.15
                }
            }
        }

        /// A numeric column of the items' metadata.
        public var itemAttribute: String
        public var sensitivity: Sensitivity

        public init(itemAttribute: String, sensitivity: Sensitivity) {
            self.itemAttribute = itemAttribute
            self.sensitivity = sensitivity
        }
    }
}

/// An attribute of items as a reward.
struct ItemRewards: Sendable {
    private let values: [Int32: Float]

    init(_ objective: FitConfiguration.Objective, _ table: MetadataTable?) throws(FitError) {
        guard let table, let column = table.column(objective.itemAttribute), case .numbers(let numbers) = column.values else {
            throw .unusableData("The items have no numeric attribute \(objective.itemAttribute) to optimize for.")
        }
        var values: [Int32: Float] = [:]
        for (id, number) in zip(table.ids, numbers) where number.isFinite { values[id] = number }
        guard let first = values.values.first, values.values.contains(where: { $0 != first }) else {
            throw .unusableData("The attribute \(objective.itemAttribute) is the same for all items: there is nothing to optimize for.")
        }
        self.values = values
    }

    /// Standardized over the given items, within three deviations so that one outlier cannot fill every list; 0, the mean, where an
    /// item has no value.
    func levels(of itemIDs: [Int32]) -> [Float] {
        let known = itemIDs.compactMap { values[$0] }
        let count = Double(max(1, known.count))
        let mean = known.reduce(0.0) { $0 + Double($1) } / count
        let variance = known.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
        guard variance > 0 else { return [Float](repeating: 0, count: itemIDs.count) }
        let deviation = variance.squareRoot()
        return itemIDs.map { id in values[id].map { Float(max(-3, min(3, (Double($0) - mean) / deviation))) } ?? 0 }
    }

    /// Not negative: counted from the smallest value where that is below 0. Items without a value earn nothing.
    func reward(of item: Int32, least: Float) -> Double { values[item].map { Double($0 - min(0, least)) } ?? 0 }

    var least: Float { values.values.min() ?? 0 }
}

extension InteractionMatrix {
    /// The levels of the configured objective per row; empty without one.
    func objectiveLevels(_ configuration: FitConfiguration) throws(FitError) -> [Float] {
        guard let objective = configuration.objective else { return [] }
        return try ItemRewards(objective, itemMetadata).levels(of: itemIDs)
    }
}
