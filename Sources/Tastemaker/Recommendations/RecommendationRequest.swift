public import Postgres

/// What to recommend from, for whom.
public struct RecommendationRequest: Sendable {
    public enum Target: Sendable, Equatable {
        /// By name, within the caller's reach.
        case campaign(name: String)
        case recommender(name: String)
        case placement(name: String, datasetGroupID: Int32)
    }

    /// A filter with the values of its parameters.
    public struct FilterUse: Sendable, Equatable {
        public var name: String
        public var values: [String: String]

        public init(name: String, values: [String: String] = [:]) {
            self.name = name
            self.values = values
        }
    }

    /// The contract's promotion: a share of places for what a filter selects.
    public struct PromotedShare: Sendable, Equatable {
        public var name: String?
        public var percent: Int
        public var filter: FilterUse?

        public init(name: String?, percent: Int, filter: FilterUse?) {
            self.name = name
            self.percent = percent
            self.filter = filter
        }
    }

    public var target: Target
    /// Whose history is used. On the tracker's door only a user id that the site signed gets here.
    public var userID: String?
    /// The unit of experiments and hold-outs, and a history of its own; nil: the user.
    public var anonymousID: String?
    public var itemID: String?
    public var count: Int?
    public var context: [String: String] = [:]
    public var filter: FilterUse?
    public var promotion: PromotedShare?
    /// Columns of Items to return with each item.
    public var metadataColumns: [String] = []
    /// Rank only these: personalized ranking.
    public var inputList: [String]?
    /// Score parts, history items and rules for every item.
    public var explains = false
    /// Nil: now, and what is shown is recorded. A date: a preview, which records nothing and counts in no experiment.
    public var previewAt: PGTimestamp?
    /// Versions of promotions not yet published that a preview includes.
    public var previewPromotions: [Int32: PreviewPromotion] = [:]
    /// Re-ranking to try out in place of the campaign's own.
    public var previewOptions: CampaignOptions?

    /// A version of a promotion that is not in force.
    public struct PreviewPromotion: Sendable {
        public var name: String
        public var definition: PromotionDefinition

        public init(name: String, _ definition: PromotionDefinition) {
            self.name = name
            self.definition = definition
        }
    }

    public init(target: Target) {
        self.target = target
    }
}

/// What answers, and why it is what it is.
public struct RecommendationAnswer: Sendable {
    /// The ladder of degradation and growth: which rung answered.
    public enum Rung: String, Sendable {
        case model, popular, newest, empty
    }

    public struct Assignment: Sendable, Equatable {
        public let experiment: String
        public let arm: String
    }

    public var recommendationID: String
    public var items: [RecommendedItem]
    public var rung: Rung
    /// Something was missing (a slow database, a model that cannot be read); `notes` says what.
    public var isDegraded: Bool
    /// Sentences: what is missing for the next rung, fallbacks used, rules touched.
    public var notes: [String]
    public var assignment: Assignment?
    /// Whether the recipe answers with scores.
    public var hasScores: Bool
    /// Whether the recipe answers with the contract's list of reasons (second versions do).
    public var givesReasonList: Bool
    /// Of the prices: ISO 4217.
    public var currency: String

    public init(
        recommendationID: String, items: [RecommendedItem], rung: Rung, isDegraded: Bool = false, notes: [String] = [],
        assignment: Assignment? = nil, hasScores: Bool = false, givesReasonList: Bool = false, currency: String = ""
    ) {
        self.recommendationID = recommendationID
        self.items = items
        self.rung = rung
        self.isDegraded = isDegraded
        self.notes = notes
        self.assignment = assignment
        self.hasScores = hasScores
        self.givesReasonList = givesReasonList
        self.currency = currency
    }
}

/// One item of an answer.
public struct RecommendedItem: Sendable {
    /// Why an item stands where it stands.
    public enum Reason: Sendable, Equatable {
        /// "because you viewed …": the item of the visitor's history, what was done with it, and its share of the score, 0 to 1.
        case history(itemID: String, title: String?, eventType: String, share: Double)
        /// Related to the item that was asked about.
        case related(itemID: String)
        case popular
        /// More interactions lately than chance explains.
        case trending
        case newest
        case exploration
        /// Placed or moved by a promotion; `kind` is pin, boost, bury or share.
        case promotion(id: Int32, name: String, kind: String)
        /// Put in to fill the list after a filter.
        case fill
        /// Moved by the campaign's re-ranking, from this place, from 1. Only where explanations are asked for.
        case reranked(from: Int)
    }

    public var itemID: String
    public var score: Double?
    public var reasons: [Reason]
    /// Name of the request's own promotion, if it placed the item.
    public var promotionName: String?
    /// Requested columns, as text.
    public var metadata: [(column: String, value: String)]
    /// Title, link, image, price, category by the group's display columns.
    public var display: ItemDisplay

    public init(
        itemID: String, score: Double?, reasons: [Reason], promotionName: String? = nil, metadata: [(column: String, value: String)] = [],
        display: ItemDisplay = ItemDisplay()
    ) {
        self.itemID = itemID
        self.score = score
        self.reasons = reasons
        self.promotionName = promotionName
        self.metadata = metadata
        self.display = display
    }
}

/// What people see of an item.
public struct ItemDisplay: Sendable, Equatable {
    public var title: String?
    public var link: String?
    public var image: String?
    public var price: String?
    public var category: String?

    public init(title: String? = nil, link: String? = nil, image: String? = nil, price: String? = nil, category: String? = nil) {
        self.title = title
        self.link = link
        self.image = image
        self.price = price
        self.category = category
    }
}
