public import Tastemaker
public import Web

/// What a worker thread has at hand while it answers API requests.
public struct APIContext: Sendable {
    public let services: Services
    /// Who asks, set by the gate before a handler runs; nil on routes that are open.
    public internal(set) var caller: Caller?

    /// Counters of all processes; nil where nobody counts.
    public let metrics: Metrics?

    public init(services: Services, metrics: Metrics? = nil) {
        self.services = services
        self.metrics = metrics
    }

    public var environment: Environment { services.environment }

    /// The caller of a route that has one.
    public func requireCaller() throws(OperationError) -> Caller {
        guard let caller else { throw .accessDenied("The request names no caller.") }
        return caller
    }
}

public typealias APIRoute = Route<APIContext, APIAccess>
