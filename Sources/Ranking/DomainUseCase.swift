/// What a recommender's recipe asks of its domain's data, and does on its own at every request.
public struct DomainUseCase: Sendable, Equatable {
    public enum Domain: String, Sendable {
        case ecommerce = "ECOMMERCE"
        case videoOnDemand = "VIDEO_ON_DEMAND"
    }

    /// Interactions, of the event type where there is one, below which no model is fitted.
    public static let minimumInteractions = 1000

    public var domain: Domain
    /// Only events of this type are learned from; nil: all are.
    public var eventType: String?
    /// Items with which the user has an event of this type are left out of every answer; nil: none are.
    public var removedEventType: String?
    /// Must there be an Items dataset?
    public var needsItems = false

    /// Event types of domains are compared without regard to case.
    public func learns(from name: String) -> Bool { eventType.map { Self.isSame($0, name) } ?? true }

    public func removes(_ name: String) -> Bool { removedEventType.map { Self.isSame($0, name) } ?? false }

    private static func isSame(_ first: String, _ second: String) -> Bool {
        first.lowercased().utf8.elementsEqual(second.lowercased().utf8)
    }
}

/// The table of the use cases: what each is, as a recipe and as a use case.
struct DomainShape {
    let recipeType: String
    let needs: [RequestNeed]
    let useCase: DomainUseCase
    let sentence: String

    private typealias Row = (type: String, needs: [RequestNeed], learned: String?, removed: String?, items: Bool, sentence: String)

    /// Nil for recipes outside the domains.
    init?(of name: RecipeName) {
        let isVideo = name.rawValue.hasPrefix("aws-vod-")
        guard isVideo || name.rawValue.hasPrefix("aws-ecomm-") else { return nil }
        let row = Self.row(name)
        recipeType = row.type
        needs = row.needs
        useCase = DomainUseCase(
            domain: isVideo ? .videoOnDemand : .ecommerce, eventType: row.learned, removedEventType: row.removed, needsItems: row.items)
        sentence = row.sentence
    }

    private static func row(_ name: RecipeName) -> Row {
        switch name {
        case .ecommPopularByViews:
            ("POPULAR_ITEMS", [.userId], "View", nil, false, "Most viewed: the items with the most views.")
        case .ecommPopularByPurchases:
            ("POPULAR_ITEMS", [.userId], "Purchase", nil, false, "Best sellers: the items with the most purchases.")
        case .ecommBoughtTogether:
            (
                "RELATED_ITEMS", [.itemId], "Purchase", nil, false,
                "Frequently bought together: what was bought with an item, in one go first."
            )
        case .ecommAlsoViewed:
            (
                "RELATED_ITEMS", [.userId, .itemId], "View", "Purchase", false,
                "Customers who viewed an item also viewed; leaves out what the user purchased."
            )
        case .vodBecauseYouWatched:
            (
                "RELATED_ITEMS", [.userId, .itemId], "Watch", "Watch", false,
                "Because you watched an item: what its watchers watched too; leaves out what the user watched."
            )
        case .vodMoreLike:
            ("RELATED_ITEMS", [.userId, .itemId], nil, "Watch", true, "More like an item; leaves out what the user watched.")
        case .vodMostPopular:
            ("POPULAR_ITEMS", [.userId], "Watch", nil, false, "Most popular: the items with the most watchers.")
        case .vodTrendingNow:
            (
                "POPULAR_ITEMS", [], nil, nil, false,
                "Trending now: the items whose interactions have risen the most, beyond chance, in the last two hours."
            )
        case .vodTopPicks:
            (
                "USER_PERSONALIZATION", [.userId], nil, "Watch", true,
                "Top picks for each user from the user's recent interactions; leaves out what the user watched."
            )
        default:
            (
                "USER_PERSONALIZATION", [.userId], nil, "Purchase", false,
                "Recommended for each user from the user's recent interactions; leaves out what the user purchased."
            )
        }
    }
}
