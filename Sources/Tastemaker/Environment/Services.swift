/// What one worker process shares among its threads.
public struct Services: Sendable {
    public let environment: Environment
    public let events: EventWriter
    public let recommendations: RecommendationService
    /// Dataset groups by name, for keys that reach all of them.
    public let groupsByName = KeptValues<Int32>(lifetime: 2)

    public init(environment: Environment, events: EventWriter, recommendations: RecommendationService) {
        self.environment = environment
        self.events = events
        self.recommendations = recommendations
    }
}
