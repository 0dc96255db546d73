/// What a recipe is called, takes and gives: the table behind DescribeRecipe and DescribeAlgorithm.
public struct RecipeDescription: Sendable {
    public var name: RecipeName
    /// The contract's recipe type, such as `USER_PERSONALIZATION`.
    public var recipeType: String
    /// Last part of the algorithm's ARN.
    public var algorithm: String
    public var hyperparameters: [RecipeParameter]
    public var featurization: [RecipeParameter]
    /// What a request must carry.
    public var needs: [RequestNeed]
    /// Is the user's history read for every request, so that an event changes the next answer?
    public var usesHistory: Bool
    /// Does an answer carry scores?
    public var returnsScores: Bool
    /// Are items that the model does not know yet shown to a few, to find out who likes them?
    public var explores = false
    /// Nil for the recipes of solutions.
    public var useCase: DomainUseCase?
    /// The recipe that serves in place of a legacy one; nil for the others.
    public var servedBy: RecipeName?
    /// Are its models imported, and never trained?
    public var isImported = false
    /// One sentence for people.
    public var sentence: String

    init(of name: RecipeName) {
        self.name = name
        algorithm = name.rawValue
        let domain = DomainShape(of: name)
        (recipeType, needs, sentence) = domain.map { ($0.recipeType, $0.needs, $0.sentence) } ?? Self.shape(of: name)
        let isPersonal = recipeType == Self.personalType && name != .popularityCount
        usesHistory = isPersonal || recipeType == Self.rankingType
        returnsScores = usesHistory && domain == nil
        explores = isPersonal && name != .vectors
        useCase = domain?.useCase
        servedBy = [.hrnn, .hrnnMetadata, .hrnnColdstart].contains(name) ? .userPersonalization : nil
        isImported = name == .vectors
        (hyperparameters, featurization) = Self.parameters(of: name)
    }

    private static let personalType = "USER_PERSONALIZATION"
    private static let rankingType = "PERSONALIZED_RANKING"

    /// Of the recipes outside the domains.
    private static func shape(of name: RecipeName) -> (recipeType: String, needs: [RequestNeed], sentence: String) {
        switch name {
        case .personalizedRanking, .personalizedRankingV2:
            (rankingType, [.userId, .inputList], "Orders a given list of items for each user.")
        case .sims: ("RELATED_ITEMS", [.itemId], "Recommends items that the same users interacted with.")
        case .similarItems:
            (
                "RELATED_ITEMS", [.itemId],
                "Recommends items that the same users interacted with or that are described alike, as held-out interactions weigh the two."
            )
        case .semanticSimilarity:
            ("RELATED_ITEMS", [.itemId], "Recommends items whose texts and other metadata are alike; interactions are optional.")
        case .popularityCount: (personalType, [], "Recommends the items with which the most users interacted.")
        case .itemAffinity: (segmentationType, [.itemId], "Finds the users who are most likely to interact with an item.")
        case .itemAttributeAffinity:
            (segmentationType, [.itemAttributes], "Finds the users who are most likely to interact with items of given attributes.")
        case .nextBestAction:
            (
                actionType, [.userId],
                "Proposes the actions that each user is likely to take within the period, each with its calibrated probability."
            )
        case .trendingNow:
            ("POPULAR_ITEMS", [], "Recommends the items whose interactions have risen the most, beyond chance, in the newest interval.")
        case .vectors:
            (
                personalType, [.userId],
                "Serves vectors of items and users that were made elsewhere, exactly; imported with `tastemaker model import`."
            )
        case .hrnn, .hrnnMetadata, .hrnnColdstart:
            (personalType, [.userId], "Legacy recipe, accepted for older programs: the models of aws-user-personalization serve it.")
        default: (personalType, [.userId], "Recommends items for each user from the user's recent interactions.")
        }
    }

    /// Does the recipe answer with users, in batch segment jobs alone?
    public var makesSegments: Bool { recipeType == Self.segmentationType }

    private static let segmentationType = "USER_SEGMENTATION"

    /// Does the recipe answer with actions, to GetActionRecommendations alone?
    public var proposesActions: Bool { recipeType == Self.actionType }

    private static let actionType = "PERSONALIZED_ACTIONS"

    private static func parameters(of name: RecipeName) -> ([RecipeParameter], [RecipeParameter]) {
        switch name {
        case .userPersonalization, .personalizedRanking: (sequenceParameters + factorParameters, historyPercentiles(0, 0.99))
        case .userPersonalizationV2, .personalizedRankingV2:
            ([contract("apply_recency_bias", "true", .boolean, tunable: false)] + factorParameters, [])
        case .sims: (neighborParameters, historyPercentiles(0.005, 0.995) + itemPercentiles)
        case .popularityCount, .semanticSimilarity, .vectors: ([], [])
        case .itemAffinity, .itemAttributeAffinity:
            ([contract("hidden_dimension", "149", .integer(32...256), tunable: false)], [])
        case .similarItems:
            (
                ["item_id_hidden_dim", "item_metadata_hidden_dim"].map { idle($0, "100", .integer(30...200), tunable: true) }, []
            )
        case .trendingNow: ([], [trendFrequency])
        case .nextBestAction: ([], [contract("action_optimization_period", "14", .integer(7...28), tunable: false)])
        case .hrnn, .hrnnMetadata: (legacyParameters("43") + factorParameters, historyPercentiles(0, 0.99))
        case .hrnnColdstart: (legacyParameters("149") + factorParameters, coldStartParameters + historyPercentiles(0, 0.99))
        case .ecommRecommendedForYou, .vodTopPicks: (factorParameters, [])
        case .ecommPopularByViews, .ecommPopularByPurchases, .ecommBoughtTogether, .ecommAlsoViewed, .vodBecauseYouWatched,
            .vodMoreLike, .vodMostPopular, .vodTrendingNow:
            ([], [])
        }
    }

    /// The sentence, and which parameters are accepted without effect.
    public var fullSentence: String {
        let idle = (hyperparameters + featurization).filter { !$0.hasEffect }.map(\.name)
        guard !idle.isEmpty else { return sentence }
        return "\(sentence) Accepted without effect: \(idle.joined(separator: ", "))."
    }

    private static func contract(
        _ name: String, _ value: String, _ range: RecipeParameter.Range, tunable: Bool
    ) -> RecipeParameter {
        RecipeParameter(name: name, defaultValue: value, range: range, isTunable: tunable, isContract: true)
    }

    private static func own(_ name: String, _ value: String, _ range: RecipeParameter.Range) -> RecipeParameter {
        RecipeParameter(name: name, defaultValue: value, range: range, isTunable: false, isContract: false)
    }

    /// A parameter of the contract that has no counterpart in our models.
    private static func idle(_ name: String, _ value: String, _ range: RecipeParameter.Range, tunable: Bool) -> RecipeParameter {
        var parameter = contract(name, value, range, tunable: tunable)
        parameter.hasEffect = false
        return parameter
    }

    private static let sequenceParameters = legacyParameters("149")

    private static func legacyParameters(_ dimension: String) -> [RecipeParameter] {
        [
            contract("hidden_dimension", dimension, .integer(32...256), tunable: true),
            idle("bptt", "32", .integer(2...32), tunable: true),
            contract("recency_mask", "true", .boolean, tunable: true),
        ]
    }

    /// What they set, exploration and cold items, has settings of its own on campaigns.
    private static let coldStartParameters = [
        idle("cold_start_max_interactions", "15", .integer(0...1_000_000), tunable: false),
        idle("cold_start_max_duration", "5.0", .number(0...36_500), tunable: false),
        idle("cold_start_relative_from", "latestItem", .choice(["latestItem", "currentTime"]), tunable: false),
    ]

    private static let trendFrequency = contract(
        "trend_discovery_frequency", "3 hours", .choice(TrendWindow.names), tunable: false)

    private static let factorParameters = [
        own("factors", "64", .integer(8...256)),
        own("iterations", "8", .integer(1...100)),
        own("regularization", "0", .number(0...10)),
        own("regularization_exponent", "1", .number(0...1)),
        own("unobserved_weight", "0", .number(0...10)),
        own("value_confidence", "0", .number(0...100)),
        own("recency_boost", "10", .number(0...100)),
        own("recency_span", "5", .number(0.1...1000)),
        own("next_item_ridge", "0", .number(0...1_000_000)),
        own("ease_ridge", "0", .number(0...1_000_000)),
        own("spectrum_rank", "256", .integer(16...1024)),
        own("ingredients", "all", .words(Ingredient.forRelevance.map(\.rawValue))),
    ]

    private static let neighborParameters = [
        contract("popularity_discount_factor", "0.5", .number(0...1), tunable: true),
        contract("min_cointeraction_count", "3", .integer(0...10), tunable: true),
    ]

    private static let itemPercentiles = [
        contract("min_item_interaction_count_percentile", "0.01", .number(0...1), tunable: false),
        contract("max_item_interaction_count_percentile", "0.9", .number(0...1), tunable: false),
    ]

    private static func historyPercentiles(_ least: Double, _ most: Double) -> [RecipeParameter] {
        [
            contract("min_user_history_length_percentile", "\(least)", .number(0...1), tunable: false),
            contract("max_user_history_length_percentile", "\(most)", .number(0...1), tunable: false),
        ]
    }
}
