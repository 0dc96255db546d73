/// The recipes that can be fitted, by their names in the contract.
public enum RecipeName: String, Sendable, CaseIterable {
    case userPersonalization = "aws-user-personalization"
    case userPersonalizationV2 = "aws-user-personalization-v2"
    case personalizedRanking = "aws-personalized-ranking"
    case personalizedRankingV2 = "aws-personalized-ranking-v2"
    case sims = "aws-sims"
    case similarItems = "aws-similar-items"
    case semanticSimilarity = "aws-semantic-similarity"
    case popularityCount = "aws-popularity-count"
    case itemAffinity = "aws-item-affinity"
    case itemAttributeAffinity = "aws-item-attribute-affinity"
    case trendingNow = "aws-trending-now"
    case nextBestAction = "aws-next-best-action"
    case hrnn = "aws-hrnn"
    case hrnnMetadata = "aws-hrnn-metadata"
    case hrnnColdstart = "aws-hrnn-coldstart"
    case ecommPopularByViews = "aws-ecomm-popular-items-by-views"
    case ecommPopularByPurchases = "aws-ecomm-popular-items-by-purchases"
    case ecommBoughtTogether = "aws-ecomm-frequently-bought-together"
    case ecommAlsoViewed = "aws-ecomm-customers-who-viewed-x-also-viewed"
    case ecommRecommendedForYou = "aws-ecomm-recommended-for-you"
    case vodBecauseYouWatched = "aws-vod-because-you-watched-x"
    case vodMoreLike = "aws-vod-more-like-x"
    case vodMostPopular = "aws-vod-most-popular"
    case vodTrendingNow = "aws-vod-trending-now"
    case vodTopPicks = "aws-vod-top-picks"
    /// Our own, beside the contract's: vectors made elsewhere.
    case vectors = "tastemaker-vectors"

    public var description: RecipeDescription { Self.descriptions[self] ?? RecipeDescription(of: self) }

    private static let descriptions = Dictionary(uniqueKeysWithValues: allCases.map { ($0, RecipeDescription(of: $0)) })

    /// Can nothing be learned without interactions?
    public var needsInteractions: Bool { family.needsEvents }

    /// Which of the algorithm families fits and serves the recipe.
    var family: any Recipe.Type {
        switch self {
        case .userPersonalization, .userPersonalizationV2, .personalizedRanking, .personalizedRankingV2: BlendRecipe.self
        case .sims: NeighborRecipe.self
        case .similarItems, .vodMoreLike: SimilarItemsRecipe.self
        case .semanticSimilarity: SemanticRecipe.self
        case .popularityCount: PopularityRecipe.self
        case .itemAffinity, .itemAttributeAffinity: SegmentRecipe.self
        case .vectors: VectorRecipe.self
        // Actions are no items: `fit` and `Model` refuse the name before they ask for a family, `fitActions` and `ActionModel` take it.
        case .nextBestAction: PopularityRecipe.self
        case .hrnn, .hrnnMetadata, .hrnnColdstart, .ecommRecommendedForYou, .vodTopPicks: BlendRecipe.self
        case .ecommAlsoViewed, .vodBecauseYouWatched: NeighborRecipe.self
        case .ecommBoughtTogether: BasketRecipe.self
        case .ecommPopularByViews, .ecommPopularByPurchases, .vodMostPopular: PopularityRecipe.self
        case .trendingNow, .vodTrendingNow: TrendingRecipe.self
        }
    }

    /// Popular by how often, not by how many.
    var countsEvents: Bool { self == .ecommPopularByViews || self == .ecommPopularByPurchases }

    var isTrend: Bool { family == TrendingRecipe.self }
}

/// What a request must carry for a recipe.
public enum RequestNeed: String, Sendable { case userId, itemId, inputList, itemAttributes }

/// One hyperparameter or featurization parameter. Values travel as strings.
public struct RecipeParameter: Sendable, Equatable {
    public enum Range: Sendable, Equatable {
        case integer(ClosedRange<Int>)
        case number(ClosedRange<Double>)
        case boolean
        case choice([String])
        /// `all`, or some of the words joined by +.
        case words([String])
    }

    public var name: String
    public var defaultValue: String
    public var range: Range
    /// May hyperparameter optimization vary it?
    public var isTunable: Bool
    /// Is it in the contract (shown by DescribeAlgorithm), or our own addition?
    public var isContract: Bool
    /// Does it change the model? Parameters that make no sense for our models are accepted and checked all the same.
    public var hasEffect = true

    /// Why a value is refused, as the end of a sentence; nil when it is fine.
    public func refusal(of value: String) -> String? {
        switch range {
        case .integer(let range):
            guard let number = Int(value), range.contains(number) else {
                return "must be a whole number from \(range.lowerBound) to \(range.upperBound), not \"\(value)\""
            }
        case .number(let range):
            guard let number = Double(value), range.contains(number) else {
                return "must be a number from \(range.lowerBound) to \(range.upperBound), not \"\(value)\""
            }
        case .boolean:
            guard ["true", "false"].contains(value.lowercased()) else { return "must be true or false, not \"\(value)\"" }
        case .choice(let values):
            guard values.contains(value) else { return "must be one of \(values.joined(separator: ", ")), not \"\(value)\"" }
        case .words(let words):
            guard value == "all" || value.split(separator: "+", omittingEmptySubsequences: false).allSatisfy({ words.contains(String($0)) })
            else { return "must be all, or some of \(words.joined(separator: ", ")) joined by +, not \"\(value)\"" }
        }
        return nil
    }
}
