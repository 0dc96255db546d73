public import Foundation

/// How a model is to be fitted.
public struct FitConfiguration: Sendable {
    /// One entry of the contract's events configuration; only ratios of weights matter.
    public struct EventWeight: Sendable, Equatable {
        public var eventType: String
        public var weight: Double
        public var valueThreshold: Double?

        public init(eventType: String, weight: Double, valueThreshold: Double? = nil) {
            self.eventType = eventType
            self.weight = weight
            self.valueThreshold = valueThreshold
        }
    }

    public var recipe: RecipeName
    /// Values as strings, by bare name or with the contract's section prefix (`training.bptt`).
    public var hyperparameters: [String: String]
    public var featurization: [String: String]
    /// Learn from this event type only.
    public var eventType: String?
    /// Learn from events with at least this value only.
    public var eventValueThreshold: Double?
    /// When not empty, learn from these event types only.
    public var eventWeights: [EventWeight]
    /// Beside relevance, rank by an attribute of items.
    public var objective: Objective?
    public var seed: UInt64
    public var threads: Int
    public var memoryBudgetBytes: Int
    /// Stored in the model.
    public var createdAt: Date
    /// With more items than this, vectors are sorted into inverted lists.
    public var listThreshold = InvertedListsFit.usualThreshold
    /// A blend chosen before; nil lets the fit choose.
    var blend: BlendChoice?
    /// What tells users apart, learned before; nil lets the fit of a segmentation learn it.
    var audience: AudienceWeights?

    public init(
        recipe: RecipeName, hyperparameters: [String: String] = [:], featurization: [String: String] = [:],
        eventType: String? = nil, eventValueThreshold: Double? = nil, eventWeights: [EventWeight] = [],
        seed: UInt64 = 1, threads: Int = 2, memoryBudgetBytes: Int = 2 << 30, createdAt: Date = Date()
    ) {
        self.recipe = recipe
        self.hyperparameters = hyperparameters
        self.featurization = featurization
        self.eventType = eventType
        self.eventValueThreshold = eventValueThreshold
        self.eventWeights = eventWeights
        self.seed = seed
        self.threads = threads
        self.memoryBudgetBytes = memoryBudgetBytes
        self.createdAt = createdAt
    }

    /// Names the first parameter that is unknown or out of range.
    public func validate() throws(FitError) {
        let description = recipe.description
        try Self.check(hyperparameters, against: description.hyperparameters, of: recipe)
        try Self.check(featurization, against: description.featurization, of: recipe)
        for (least, most) in Self.percentilePairs where number(least, 0) > number(most, 1) {
            throw .invalidParameter(name: least, reason: "must not be above \(most)")
        }
        if let threshold = eventValueThreshold, !threshold.isFinite {
            throw .invalidParameter(name: "eventValueThreshold", reason: "must be a number")
        }
        guard eventWeights.count <= 10 else {
            throw .invalidParameter(name: "eventsConfig", reason: "must list at most 10 event types")
        }
        for weight in eventWeights where !(0...1).contains(weight.weight) {
            throw .invalidParameter(name: "weight of event type \(weight.eventType)", reason: "must be from 0 to 1")
        }
        if !eventWeights.isEmpty, eventWeights.allSatisfy({ $0.weight == 0 }) {
            throw .invalidParameter(name: "eventsConfig", reason: "must give some event type a weight above 0")
        }
        if objective != nil, recipe.family != BlendRecipe.self {
            throw .invalidParameter(name: "optimizationObjective", reason: "is not for recipe \(recipe.rawValue)")
        }
        guard (1...64).contains(threads) else {
            throw .invalidParameter(name: "threads", reason: "must be from 1 to 64, not \(threads)")
        }
    }

    private static let percentilePairs = [
        ("min_user_history_length_percentile", "max_user_history_length_percentile"),
        ("min_item_interaction_count_percentile", "max_item_interaction_count_percentile"),
    ]

    private static func check(
        _ values: [String: String], against parameters: [RecipeParameter], of recipe: RecipeName
    ) throws(FitError) {
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            let name = bareName(key)
            guard let parameter = parameters.first(where: { $0.name == name }) else {
                throw .invalidParameter(name: key, reason: "is not one of recipe \(recipe.rawValue)")
            }
            if let refusal = parameter.refusal(of: value) { throw .invalidParameter(name: key, reason: refusal) }
        }
    }

    private static func bareName(_ key: String) -> String {
        for prefix in ["training.", "data."] where key.hasPrefix(prefix) { return String(key.dropFirst(prefix.count)) }
        return key
    }

    /// The given value of a parameter, nil when the caller left it out.
    private func given(_ name: String) -> String? {
        for values in [hyperparameters, featurization] {
            for key in [name, "training.\(name)", "data.\(name)"] { if let value = values[key] { return value } }
        }
        return nil
    }

    /// The value in force: the given one, else the recipe's default, else `fallback` for recipes without the parameter.
    func number(_ name: String, _ fallback: Double) -> Double {
        let description = recipe.description
        let parameter = (description.hyperparameters + description.featurization).first { $0.name == name }
        return (given(name) ?? parameter?.defaultValue).flatMap(Double.init) ?? fallback
    }

    /// How the same solution learns next best actions.
    public var forActions: ActionConfiguration {
        ActionConfiguration(
            periodDays: integer("action_optimization_period", 14), seed: seed, threads: threads,
            createdAt: Int64(createdAt.timeIntervalSince1970))
    }

    /// The words given for a parameter; nil for all.
    func words(_ name: String) -> Set<String>? {
        guard let text = given(name), text != "all" else { return nil }
        return Set(text.split(separator: "+").map(String.init))
    }

    func gives(_ name: String) -> Bool { given(name) != nil }

    /// The given value when it differs from the recipe's default, else nil.
    func chosen(_ name: String) -> Double? {
        let description = recipe.description
        let parameter = (description.hyperparameters + description.featurization).first { $0.name == name }
        guard let value = given(name).flatMap(Double.init), value != parameter.flatMap({ Double($0.defaultValue) }) else {
            return nil
        }
        return value
    }

    /// Names of given parameters that change nothing, in the recipe's order.
    var idleParameters: [String] {
        let description = recipe.description
        return (description.hyperparameters + description.featurization).filter { !$0.hasEffect && gives($0.name) }.map(\.name)
    }

    /// The value in force as text; nil for recipes without the parameter.
    func text(_ name: String) -> String? {
        let description = recipe.description
        return given(name) ?? (description.hyperparameters + description.featurization).first { $0.name == name }?.defaultValue
    }

    func integer(_ name: String, _ fallback: Int) -> Int { Int(number(name, Double(fallback))) }

    func flag(_ name: String, _ fallback: Bool) -> Bool { given(name).map { $0.lowercased() == "true" } ?? fallback }

    /// Latent dimensions: `factors`, else `hidden_dimension` unless it is the contract's default, which stands for "the
    /// recipe's own choice" here because it was chosen for another kind of model.
    var factorCount: Int {
        if given("factors") == nil, let hidden = chosen("hidden_dimension") { return Int(hidden) }
        return integer("factors", 64)
    }

    /// Do recent events weigh more? `recency_mask` of the first recipes, `apply_recency_bias` of the second.
    var favorsRecent: Bool { flag("recency_mask", true) && flag("apply_recency_bias", true) }

    /// Parameters in force, for the log and the model file.
    var effectiveParameters: [(name: String, value: String)] {
        let description = recipe.description
        return (description.hyperparameters + description.featurization).map { ($0.name, given($0.name) ?? $0.defaultValue) }
    }
}
