/// How much there is to learn from, counted as the contract's data minimums do: after the configuration's event-type and
/// event-value filters, over distinct (user, item, event type, timestamp) tuples.
public struct DataSummary: Sendable, Equatable {
    public static let minimumInteractions = 1000
    public static let minimumUsersWithTwo = 25
    public static let maximumEventTypes = 10

    public var interactions = 0
    public var users = 0
    public var usersWithTwo = 0
    public var eventTypes = 0
    /// Nil for recipes of solutions.
    private let useCase: DomainUseCase?
    private let recipe: RecipeName

    public init(_ data: TrainingData, _ configuration: FitConfiguration) {
        struct Key: Hashable { var user: Int32, item: Int32, type: UInt8, timestamp: Int64 }
        var distinct = Set<Key>()
        var countOfUser: [Int32: Int] = [:]
        var types = Set<UInt8>()
        recipe = configuration.recipe
        useCase = recipe.description.useCase
        let admission = EventAdmission(data: data, configuration: configuration)
        for position in 0..<data.count
        where admission.admits(type: data.eventTypes[position], value: data.values[position]) {
            let key = Key(
                user: data.users[position], item: data.items[position], type: data.eventTypes[position],
                timestamp: data.timestamps[position])
            guard distinct.insert(key).inserted else { continue }
            countOfUser[key.user, default: 0] += 1
            types.insert(key.type)
        }
        interactions = distinct.count
        users = countOfUser.count
        usersWithTwo = countOfUser.values.count { $0 >= 2 }
        eventTypes = types.count
    }

    /// What is missing, as the contract's sentences; empty when nothing is.
    public var shortfall: [String] {
        var sentences: [String] = []
        if let type = useCase?.eventType {
            // Of its one event type a use case needs enough; how they spread over the users does not matter to counts and pairs.
            guard interactions < DomainUseCase.minimumInteractions else { return [] }
            return [
                "Dataset has fewer than \(DomainUseCase.minimumInteractions) interactions after filtering by event type: "
                    + "the recipe \(recipe.rawValue) learns from \(type) events, of which there are \(interactions)."
            ]
        }
        if interactions < Self.minimumInteractions {
            sentences.append(
                "Dataset has fewer than \(Self.minimumInteractions) unique interactions after filtering: \(interactions).")
        }
        if usersWithTwo < Self.minimumUsersWithTwo {
            sentences.append("Dataset has fewer than \(Self.minimumUsersWithTwo) users with at least 2 interactions each.")
        }
        if usersWithTwo * 100 < users {
            sentences.append("Dataset has fewer than 1% of users with at least 2 interactions each.")
        }
        if eventTypes > Self.maximumEventTypes {
            sentences.append("Dataset has more than \(Self.maximumEventTypes) distinct event types: \(eventTypes).")
        }
        return sentences
    }
}

/// What the interactions lack of the contract's data minimums, as sentences; empty when they suffice. The caller decides
/// whether a shortfall refuses or only warns.
public func dataShortfall(_ data: TrainingData, _ configuration: FitConfiguration) -> [String] {
    var sentences = DataSummary(data, configuration).shortfall
    if configuration.recipe == .itemAttributeAffinity, !AttributeTable.canBeAsked(data.itemMetadata) {
        sentences.append("Recipe \(configuration.recipe.rawValue) needs an Items dataset with at least one category or number.")
    }
    return sentences
}

/// Which events a configuration learns from, and with what weight.
struct EventAdmission {
    /// Weight per event type, the largest being 1; 0 keeps the type out.
    let weights: [Float]
    /// Least value per event type; nil admits events without a value too.
    let thresholds: [Float?]

    init(data: TrainingData, configuration: FitConfiguration) {
        self.init(eventTypeNames: data.eventTypeNames, configuration: configuration)
    }

    init(eventTypeNames: [String], configuration: FitConfiguration) {
        var weights: [Float] = []
        var thresholds: [Float?] = []
        for name in eventTypeNames {
            if !configuration.eventWeights.isEmpty {
                let rule = configuration.eventWeights.first { $0.eventType.utf8.elementsEqual(name.utf8) }
                weights.append(rule.map { Float($0.weight) } ?? 0)
                thresholds.append(rule?.valueThreshold.map { Float($0) })
            } else if let eventType = configuration.eventType {
                weights.append(eventType.utf8.elementsEqual(name.utf8) ? 1 : 0)
                thresholds.append(configuration.eventValueThreshold.map { Float($0) })
            } else if let useCase = configuration.recipe.description.useCase, useCase.eventType != nil {
                weights.append(useCase.learns(from: name) ? 1 : 0)
                thresholds.append(configuration.eventValueThreshold.map { Float($0) })
            } else {
                weights.append(1)
                thresholds.append(configuration.eventValueThreshold.map { Float($0) })
            }
        }
        let largest = weights.max() ?? 1
        self.weights = largest > 0 ? weights.map { $0 / largest } : weights
        self.thresholds = thresholds
    }

    func admits(type: UInt8, value: Float) -> Bool {
        let type = Int(type)
        guard type < weights.count, weights[type] > 0 else { return false }
        guard let threshold = thresholds[type] else { return true }
        return value >= threshold
    }
}
