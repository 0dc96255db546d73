import Feeds
import Ranking

extension FitConfiguration.Objective {
    /// Reads the contract's `optimizationObjective`; nil without one and when it is OFF. A new one must name a numeric Items column that
    /// is never null.
    init?(_ config: InputMembers, recipe: RecipeName, items: AvroSchema?, isNew: Bool) throws(OperationError) {
        guard let objective = try config.members("optimizationObjective") else { return nil }
        let field = objective.fullName("itemAttribute")
        let attribute = try objective.string("itemAttribute", length: 1...150)
        let level = try objective.string("objectiveSensitivity") ?? "OFF"
        try Check.oneOf(level, ["LOW", "MEDIUM", "HIGH", "OFF"], field: objective.fullName("objectiveSensitivity"))
        guard let sensitivity = Sensitivity(rawValue: level) else { return nil }
        let itemAttribute = try Check.required(attribute, field: field)
        guard recipe.takesObjective else {
            throw .invalidInput(
                "An optimizationObjective is for aws-user-personalization and aws-personalized-ranking only, not for \(recipe.rawValue).",
                field: objective.fullName("objectiveSensitivity"))
        }
        if isNew { try Self.check(itemAttribute, items, field: field) }
        self.init(itemAttribute: itemAttribute, sensitivity: sensitivity)
    }

    private static func check(_ name: String, _ items: AvroSchema?, field: String) throws(OperationError) {
        guard let column = items?.column(named: name) else {
            throw .invalidInput("The Items dataset has no column '\(name)'.", field: field)
        }
        guard [.int, .long, .float, .double].contains(column.type) else {
            throw .invalidInput("The column \(name) is not numeric.", field: field)
        }
        guard !column.isNullable else { throw .invalidInput("The column \(name) may be null.", field: field) }
    }
}

extension RecipeName {
    /// The first versions of the two personal recipes, as the contract has it.
    fileprivate var takesObjective: Bool { self == .userPersonalization || self == .personalizedRanking }
}

extension SolutionConfig {
    mutating func readAutoML(_ members: InputMembers) throws(OperationError) {
        guard let config = try members.members("autoMLConfig") else { return }
        if let metric = try config.string("metricName", length: 0...256) {
            try Check.oneOf(metric, RecipeChoice.metrics, field: config.fullName("metricName"))
            autoMLMetric = metric
        }
        guard let list = try config.strings("recipeList", count: 0...100), !list.isEmpty else { return }
        let field = config.fullName("recipeList")
        autoMLRecipes = []
        for text in list {
            let parsed = try ResourceARN(parsing: text, .recipe, field: field)
            guard let recipe = RecipeName(rawValue: parsed.path), recipe.description.needs == [.userId], recipe.description.useCase == nil
            else { throw .invalidInput("'\(text)' is not a recipe of user personalization.", field: field) }
            if !autoMLRecipes.contains(recipe) { autoMLRecipes.append(recipe) }
        }
    }
}

extension RecipeName {
    /// The variants of user personalization that differ.
    static let chosenByUs: [RecipeName] = [.userPersonalization, .userPersonalizationV2]
}
