/// Answers recommendations from snapshots of resources, catalogue and models, and one point read of the user's history.
public final class RecommendationService: Sendable {
    private let environment: Environment

    public init(environment: Environment) {
        self.environment = environment
    }

    public func recommend(_ request: RecommendationRequest, by caller: Caller) throws(OperationError) -> RecommendationAnswer {
        throw .unavailable("Recommendations cannot be made yet.")
    }
}
