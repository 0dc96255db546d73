import Testing

@testable import Ranking

@Suite struct FitConfigurationTests {
    @Test(arguments: RecipeName.allCases)
    func `a recipe's own defaults are valid`(_ recipe: RecipeName) throws {
        let description = recipe.description
        let pairs = { (parameters: [RecipeParameter]) in Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.defaultValue) }) }
        try FitConfiguration(
            recipe: recipe, hyperparameters: pairs(description.hyperparameters),
            featurization: pairs(description.featurization)
        ).validate()
    }

    struct Refusal: Sendable { var recipe: RecipeName, name: String, value: String, message: String }

    static let refusals = [
        Refusal(
            recipe: .userPersonalization, name: "hidden_dimension", value: "20",
            message: "Parameter hidden_dimension must be a whole number from 32 to 256, not \"20\"."),
        Refusal(
            recipe: .personalizedRanking, name: "training.bptt", value: "many",
            message: "Parameter training.bptt must be a whole number from 2 to 32, not \"many\"."),
        Refusal(
            recipe: .userPersonalizationV2, name: "apply_recency_bias", value: "yes",
            message: "Parameter apply_recency_bias must be true or false, not \"yes\"."),
        Refusal(
            recipe: .sims, name: "popularity_discount_factor", value: "nan",
            message: "Parameter popularity_discount_factor must be a number from 0.0 to 1.0, not \"nan\"."),
        Refusal(
            recipe: .popularityCount, name: "hidden_dimension", value: "64",
            message: "Parameter hidden_dimension is not one of recipe aws-popularity-count."),
    ]

    @Test(arguments: refusals)
    func `a bad hyperparameter is named`(_ refusal: Refusal) {
        let configuration = FitConfiguration(recipe: refusal.recipe, hyperparameters: [refusal.name: refusal.value])
        let error = #expect(throws: FitError.self) { try configuration.validate() }
        #expect(error?.message == refusal.message)
    }

    @Test func `percentiles that cross are refused`() {
        let configuration = FitConfiguration(
            recipe: .sims, featurization: ["min_user_history_length_percentile": "0.9", "max_user_history_length_percentile": "0.2"])
        #expect(
            throws: FitError.invalidParameter(
                name: "min_user_history_length_percentile", reason: "must not be above max_user_history_length_percentile")
        ) { try configuration.validate() }
    }

    @Test func `event weights outside zero to one are refused`() {
        let configuration = FitConfiguration(recipe: .sims, eventWeights: [.init(eventType: "view", weight: 1.5)])
        #expect(throws: FitError.invalidParameter(name: "weight of event type view", reason: "must be from 0 to 1")) {
            try configuration.validate()
        }
    }

    @Test func `the contract's hidden dimension stands for our own, and other values are used`() throws {
        let data = PlantedData().training()
        func dimensions(_ hyperparameters: [String: String]) throws -> Int? {
            var configuration = FitConfiguration(recipe: .userPersonalization, hyperparameters: hyperparameters)
            configuration.blend = BlendChoice(entries: [.init(ingredient: .factors, rule: SourceRule(kind: .recent), weight: 1)])
            return try fit(data, configuration).opened().sections.first { $0.name == "part0.factors" }?.columns
        }
        #expect(try dimensions([:]) == 64)
        #expect(try dimensions(["hidden_dimension": "149"]) == 64)
        #expect(try dimensions(["hidden_dimension": "100"]) == 112)
        #expect(try dimensions(["training.hidden_dimension": "32"]) == 32)
    }

    @Test func `an event type or a least value narrows what is learned`() throws {
        var data = PlantedData().training()
        for index in data.values.indices { data.values[index] = Float(index % 10) }
        let purchases = try fit(data, FitConfiguration(recipe: .popularityCount, eventType: "purchase"))
        #expect(purchases.interactionCount == data.eventTypes.count { $0 == 1 })
        let valued = try fit(data, FitConfiguration(recipe: .popularityCount, eventValueThreshold: 7))
        #expect(valued.interactionCount == data.values.count { $0 >= 7 })
    }

    @Test func `histories above the greatest percentile keep their newest events`() throws {
        var data = TrainingData(eventTypeNames: ["view"])
        for user in 0..<10 {
            for step in 0..<(user == 0 ? 100 : 10) {
                data.append(user: Int32(user), item: Int32(step), eventType: 0, timestamp: Int64(step))
            }
        }
        let fitted = try fit(data, FitConfiguration(recipe: .sims, featurization: ["max_user_history_length_percentile": "0.8"]))
        #expect(fitted.interactionCount == 100)
        #expect(try fitted.opened().rowOfItem(99) != nil)
        #expect(try fitted.opened().rowOfItem(50) == nil)
    }

    @Test func `items outside the count percentiles are left out`() throws {
        let planted = PlantedData()
        let model = try fit(
            planted.training(), FitConfiguration(recipe: .sims, featurization: ["max_item_interaction_count_percentile": "0.95"])
        ).opened()
        #expect(model.rowOfItem(planted.trap) == nil)
    }
}
