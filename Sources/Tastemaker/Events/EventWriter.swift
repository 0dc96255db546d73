/// Group commit for events: a bounded queue and one writer thread; callers are answered after the commit that holds their events.
public final class EventWriter: Sendable {
    private let environment: Environment

    public init(environment: Environment) {
        self.environment = environment
    }

    /// Stores the events and waits for the commit. Outcomes are in the order of the events.
    public func append(_ events: [NewEvent]) throws(OperationError) -> [EventOutcome] {
        throw .unavailable("Events cannot be stored yet.")
    }
}
