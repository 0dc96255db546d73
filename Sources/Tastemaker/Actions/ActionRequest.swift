/// Which actions to propose, to whom.
public struct ActionRequest: Sendable {
    /// By name, within the caller's reach.
    public var campaign: String
    public var userID: String
    public var count: Int?
    public var filter: RecommendationRequest.FilterUse?
    /// Counted in no report.
    public var isPreview = false

    static let defaultCount = 5
    static let countLimit = 100

    public init(campaign: String, userID: String, count: Int? = nil, filter: RecommendationRequest.FilterUse? = nil) {
        (self.campaign, self.userID, self.count, self.filter) = (campaign, userID, count, filter)
    }
}

/// What answers.
public struct ActionAnswer: Sendable {
    public struct Action: Sendable, Equatable {
        public let actionID: String
        /// Probability that the user takes it within the period; 0 for explored actions and those without enough responses.
        public let score: Double
    }

    public let recommendationID: String
    public let actions: [Action]
    /// Days within which an action is taken with the probability that its score says.
    public let periodDays: Int
    /// The database did not answer in time: nothing of the user is known.
    public let isDegraded: Bool
}
